/**
 * One-time links in mails. A link works once, for its account, address and purpose. A new address, a new password, and the
 * end of all sessions or of the session that requested it end the link.
 */
import { type SQL, sql } from "drizzle-orm";
import type { Database } from "../../db/client.ts";
import { refuse } from "../../db/refusal.ts";
import { rawQuery } from "../../db/workarounds/raw-query.ts";
import { MINUTE_MS } from "../../time.ts";

/**
 * `verify` confirms the account's address, `password` sets a password, `leave` agrees to a change of address at the old
 * one, `arrive` completes it at the new one.
 */
export type LinkPurpose = "verify" | "password" | "leave" | "arrive";

export const LINK_MINUTES: Record<LinkPurpose, number> = { verify: 60, password: 30, leave: 60, arrive: 60 };

/** `sessionId` is the session that requested the link. `unconfirmed`: only if the address is not confirmed yet. */
export type LinkTarget = {
  userId: string;
  email: string;
  purpose: LinkPurpose;
  newEmail?: string | undefined;
  sessionId?: string | undefined;
  unconfirmed?: boolean;
};

/**
 * Stores a link, if the account still has the address and the requesting session is active.
 * @returns no row otherwise
 */
export function insertLink(db: Database, digest: string, target: LinkTarget) {
  const { userId, email, purpose, newEmail, sessionId, unconfirmed = false } = target;
  const now = Date.now();
  const sessionIsActive = sessionId
    ? sql`exists (select 1 from session where id = ${sessionId} and user_id = ${userId} and expires_at > ${now})`
    : sql`true`;
  return rawQuery<{ digest: string }>(
    db,
    sql`insert into mailed_link (digest, user_id, purpose, email, new_email, session_id, expires_at)
      select ${digest}, id, ${purpose}, email, ${newEmail ?? null}, ${sessionId ?? null},
        ${now + LINK_MINUTES[purpose] * MINUTE_MS}
      from user where id = ${userId} and email = ${email} and ${sessionIsActive}
        and (not ${unconfirmed} or not email_verified) returning digest`,
  );
}

/** A condition for a usable link. A link that a session requested ends with that session. */
function isUsable(digest: string, purpose: LinkPurpose): SQL {
  const now = Date.now();
  return sql`link.digest = ${digest} and link.purpose = ${purpose} and link.expires_at > ${now}
    and user.email = link.email and (link.session_id is null or exists (
      select 1 from session where id = link.session_id and user_id = link.user_id and expires_at > ${now}))`;
}

export type UsableLink = { userId: string; email: string; name: string; newEmail: string | null; sessionId: string };

/** Finds a usable link and its user. */
export async function findLink(db: Database, digest: string, purpose: LinkPurpose): Promise<UsableLink | undefined> {
  const [link] = await rawQuery<UsableLink>(
    db,
    sql`select user.id as userId, user.email, user.name, link.new_email as newEmail, link.session_id as sessionId
      from mailed_link as link join user on user.id = link.user_id where ${isUsable(digest, purpose)}`,
  );
  return link;
}

/** Stops the transaction unless the link is usable. */
export function requireLink(db: Database, digest: string, purpose: LinkPurpose) {
  const usable = sql`exists (select 1 from mailed_link as link join user on user.id = link.user_id
    where ${isUsable(digest, purpose)})`;
  return rawQuery(db, sql`select case when ${usable} then 1 else ${refuse(sql`'link'`)} end`);
}

export function endLink(db: Database, digest: string) {
  return rawQuery(db, sql`delete from mailed_link where digest = ${digest}`);
}

/** Ends every link that was mailed to a user. */
export function endLinks(db: Database, userId: string) {
  return rawQuery(db, sql`delete from mailed_link where user_id = ${userId}`);
}
