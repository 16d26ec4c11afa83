/** What a followed link does to an account's address. */
import { sql } from "drizzle-orm";
import { type Database, violates } from "../../db/client.ts";
import { rawQuery } from "../../db/workarounds/raw-query.ts";
import type { MailEvents } from "../mail/events.ts";
import { findLink, type UsableLink } from "../mail/one-time-links.ts";
import { requestNotes } from "../request-notes.ts";
import { createSecret, digestOf } from "../secrets.ts";
import type { CredentialStore } from "./store.ts";

type Parts = { db: Database; store: CredentialStore; mails: MailEvents | undefined; confirmsByPassword: boolean };

/** `too-many-mails`: the new address had too many mails; the link stays valid for another attempt. */
export type FollowResult = "done" | "invalid" | "too-many-mails";

/** @param confirmsByPassword whether confirming an address sets a password: then no link only confirms */
export function createAddresses({ db, store, mails, confirmsByPassword }: Parts) {
  return { confirm, arrive, isTaken };

  /** Uses a link for its purpose. */
  async function confirm(digest: string, callback: string | undefined): Promise<FollowResult> {
    const address = confirmsByPassword ? undefined : await findLink(db, digest, "verify");
    if (address) return followed(address, await store.confirmAddress(digest, address));
    const leaving = await findLink(db, digest, "leave");
    if (leaving?.newEmail) return leave(digest, leaving, leaving.newEmail, callback);
    const arriving = confirmsByPassword ? undefined : await findLink(db, digest, "arrive");
    return arriving ? followed(arriving, await arrive(digest, arriving)) : "invalid";
  }

  /** Whatever may fail comes before the link is used up. */
  async function leave(digest: string, link: UsableLink, newEmail: string, callback: string | undefined) {
    const token = createSecret();
    const taken = await isTaken(newEmail);
    if (mails && !(await mails.mayMail("arrive", newEmail))) return "too-many-mails";
    const isLeft = await store.leaveAddress(digest, link, await digestOf(token));
    if (isLeft) mails?.afterLeaving(newEmail, taken, token, callback);
    return followed(link, isLeft);
  }

  /** @param hash of a password to set with the address */
  async function arrive(digest: string, link: UsableLink, hash?: string): Promise<boolean> {
    try {
      const isMoved = await store.arriveAddress(digest, link, hash);
      if (isMoved) mails?.addressChanged(link.email);
      return isMoved;
    } catch (error) {
      // Another account has taken the address.
      if (violates(error, "user.email")) return false;
      throw error;
    }
  }

  async function isTaken(email: string): Promise<boolean> {
    return (await rawQuery(db, sql`select 1 from user where email = ${email}`)).length > 0;
  }
}

function followed({ userId }: UsableLink, isDone: boolean): FollowResult {
  requestNotes().userId = userId;
  return isDone ? "done" : "invalid";
}
