/** What following a link does to an account's address. */
import { sql } from "drizzle-orm";
import { type Database, rawQuery, violates } from "../../db/client.ts";
import type { Letters } from "../mail/letters.ts";
import { findLink, type UsableLink } from "../mail/links.ts";
import { requestNotes } from "../request-notes.ts";
import { createSecret, digestOf } from "../secrets.ts";
import type { CredentialStore } from "./store.ts";

type Parts = { db: Database; store: CredentialStore; letters: Letters | undefined; confirmsByPassword: boolean };

/** @param confirmsByPassword whether confirming an address takes a new password: then a link that only confirms is none */
export function createAddresses({ db, store, letters, confirmsByPassword }: Parts) {
  return { confirm, arrive, isTaken };

  /** Uses a link up, for what it is for. */
  async function confirm(digest: string, callback: string | undefined): Promise<boolean> {
    const address = confirmsByPassword ? undefined : await findLink(db, digest, "verify");
    if (address) return noting(address, store.confirmAddress(digest, address));
    const leaving = await findLink(db, digest, "leave");
    if (leaving?.newEmail) return noting(leaving, leave(digest, leaving, leaving.newEmail, callback));
    const arriving = confirmsByPassword ? undefined : await findLink(db, digest, "arrive");
    return arriving ? noting(arriving, arrive(digest, arriving)) : false;
  }

  async function leave(digest: string, link: UsableLink, newEmail: string, callback: string | undefined) {
    const token = createSecret();
    if (!(await store.leaveAddress(digest, link, await digestOf(token)))) return false;
    if (await isTaken(newEmail)) await letters?.existingAccount({ user: { email: newEmail } });
    else await letters?.arriveBy(newEmail, token, callback);
    return true;
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

function noting(link: UsableLink, outcome: Promise<boolean>): Promise<boolean> {
  requestNotes().userId = link.userId;
  return outcome;
}
