/** Hashes Better Auth's passwords in the Durable Object, and replaces outdated hashes at sign-in. */
import type { BetterAuthPlugin } from "better-auth";
import { createAuthMiddleware } from "better-auth/api";
import type { CredentialStore } from "../credentials/store.ts";
import { ENDPOINTS } from "../endpoints.ts";
import { on } from "../hooks.ts";
import { requestNotes } from "../request-notes.ts";
import { nearbyHasher } from "./durable-object.ts";
import { isOutdated } from "./scrypt.ts";

/** The Durable Object could not be reached, or is overloaded. */
export class PasswordHasherUnavailable extends Error {
  override readonly name = "PasswordHasherUnavailable";
}

export function createPasswordHashing(hashers: Env["PASSWORD_HASHER"], store: CredentialStore) {
  const hash = (password: string) => noteUnavailable(() => nearbyHasher(hashers, requestNotes().place).hash(password));

  async function verify({ hash: stored, password }: { hash: string; password: string }): Promise<boolean> {
    const against = (hashed: string) =>
      noteUnavailable(() => nearbyHasher(hashers, requestNotes().place).verify(hashed, password));
    const isVerified = await against(stored);
    if (isVerified) Object.assign(requestNotes(), { verifiedHash: stored, verifyAgain: against });
    return isVerified;
  }

  function passwordUpgrade() {
    return {
      id: "password-upgrade",
      hooks: {
        after: [
          on(
            ({ path }) => path === ENDPOINTS.signIn.path,
            createAuthMiddleware(async (c) => {
              const user = c.context.newSession?.user;
              const { verifiedHash } = requestNotes();
              if (!user || !verifiedHash || !isOutdated(verifiedHash)) return;
              await store.upgradeHash(user.id, verifiedHash, await hash(c.body.password));
            }),
          ),
        ],
      },
    } satisfies BetterAuthPlugin;
  }

  return { hash, verify, passwordUpgrade };
}

async function noteUnavailable<Result>(work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    const failure = new PasswordHasherUnavailable("password hasher", { cause: error });
    requestNotes().failure = failure;
    throw failure;
  }
}
