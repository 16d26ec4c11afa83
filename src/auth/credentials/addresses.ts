/** What following a link does to an account's address. */
import { sql } from "drizzle-orm";
import { type Database, rawQuery, violates } from "../../db/client.ts";
import type { Letters } from "../mail/letters.ts";
import { findLink, type UsableLink } from "../mail/links.ts";
import { requestNotes } from "../request-notes.ts";
import { createSecret, digestOf } from "../secrets.ts";
import type { CredentialStore } from "./store.ts";

type Parts = { db: Database; store: CredentialStore; letters: Letters | undefined; confirmsByPassword: boolean };

/** What came of following a link. With too many mails to the new address, the link is good for another try. */
export type Followed = "done" | "invalid" | "too-many-mails";

/** @param confirmsByPassword whether confirming an address takes a new password: then a link that only confirms is none */
export function createAddresses({ db, store, letters, confirmsByPassword }: Parts) {
  return { confirm, arrive, isTaken };

  /** Uses a link up, for what it is for. */
  async function confirm(digest: string, callback: string | undefined): Promise<Followed> {
    const address = confirmsByPassword ? undefined : await findLink(db, digest, "verify");
    if (address) return followed(address, await store.confirmAddress(digest, address));
    const leaving = await findLink(db, digest, "leave");
    if (leaving?.newEmail) return leave(digest, leaving, leaving.newEmail, callback);
    const arriving = confirmsByPassword ? undefined : await findLink(db, digest, "arrive");
    return arriving ? followed(arriving, await arrive(digest, arriving)) : "invalid";
  }

  /** All that may fail comes before the link is used up: what is left then is to hand the next mail over. */
  async function leave(digest: string, link: UsableLink, newEmail: string, callback: string | undefined) {
    const token = createSecret();
    const taken = await isTaken(newEmail);
    if (letters && !(await letters.mayMail("arrive", newEmail))) return "too-many-mails";
    const isLeft = await store.leaveAddress(digest, link, await digestOf(token));
    if (isLeft) letters?.afterLeaving(newEmail, taken, token, callback);
    return followed(link, isLeft);
  }

  /** @param hash of a password that is set with the address, where that is asked for */
  async function arrive(digest: string, link: UsableLink, hash?: string): Promise<boolean> {
    try {
      const isMoved = await store.arriveAddress(digest, link, hash);
      if (isMoved) letters?.addressChanged(link.email);
      return isMoved;
    } catch (error) {
      // Another account took the address since.
      if (violates(error, "user.email")) return false;
      throw error;
    }
  }

  async function isTaken(email: string): Promise<boolean> {
    return (await rawQuery(db, sql`select 1 from user where email = ${email}`)).length > 0;
  }
}

function followed({ userId }: UsableLink, isDone: boolean): Followed {
  requestNotes().userId = userId;
  return isDone ? "done" : "invalid";
}
