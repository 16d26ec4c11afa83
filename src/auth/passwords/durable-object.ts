/**
 * Hashes passwords in a Durable Object. A Worker on the Free plan has 10 ms of CPU a request, and one hash takes many
 * times that. A Durable Object has 30 s on every plan. It stores nothing.
 * @see https://developers.cloudflare.com/durable-objects/platform/limits/
 */
import { DurableObject } from "cloudflare:workers";
import { hashPassword, verifyPassword } from "./scrypt.ts";

/** A Durable Object hashes one password at a time, so several share the work of one Cloudflare location. */
const OBJECTS_PER_PLACE = 8;

export class PasswordHasher extends DurableObject<Env> {
  hash(password: string): Promise<string> {
    return hashPassword(password);
  }

  verify(hash: string, password: string): Promise<boolean> {
    return verifyPassword(hash, password);
  }
}

/** A hasher near the caller. An object stays where it was first used, so each location has its own. */
export function nearbyHasher(hashers: Env["PASSWORD_HASHER"], place: string) {
  const number = Math.floor(Math.random() * OBJECTS_PER_PLACE);
  return hashers.get(hashers.idFromName(`${place} ${number}`));
}
