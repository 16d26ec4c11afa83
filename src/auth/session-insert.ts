/**
 * How a session is opened: only while the password that was verified for it is the account's, and never more than a user
 * may have. Better Auth inserts it as any other row, so the insert is replaced on its way to D1.
 */
import { sql } from "drizzle-orm";
import { type Database, rawQuery } from "../db/client.ts";
import type { session } from "./tables.ts";

/** Beyond so many, those that have expired go first, then those that were not used for longest. */
export const MAX_SESSIONS = 100;
export const MAX_USER_AGENT_CHARACTERS = 255;

export type SessionRow = typeof session.$inferSelect;

/**
 * Inserts a session, and ends those that are too many.
 * @param verifiedHash of the password that opens it; without one (at sign-up) the account has just been made
 */
export function insertSession(db: Database, row: SessionRow, verifiedHash?: string) {
  const { id, expiresAt, token, createdAt, updatedAt, ipAddress, userAgent, userId } = row;
  const isAsVerified =
    verifiedHash === undefined
      ? sql`true`
      : sql`exists (select 1 from account where user_id = ${userId} and password = ${verifiedHash})`;
  const opened = Number(createdAt);
  return [
    rawQuery<{ id: string }>(
      db,
      sql`insert into session (id, expires_at, token, created_at, updated_at, ip_address, user_agent, user_id)
        select ${id}, ${Number(expiresAt)}, ${token}, ${opened}, ${Number(updatedAt)}, ${ipAddress},
          ${userAgent?.slice(0, MAX_USER_AGENT_CHARACTERS) ?? null}, id
        from user where id = ${userId} and ${isAsVerified} returning id`,
    ),
    rawQuery<never>(
      db,
      sql`delete from session where user_id = ${userId} and id in (
        select id from session where user_id = ${userId}
        order by id = ${id} desc, expires_at > ${opened} desc, updated_at desc limit -1 offset ${MAX_SESSIONS})`,
    ),
  ] as const;
}

/** The hash of an account's password. */
export async function currentHash(db: Database, userId: string): Promise<string | undefined> {
  const [account] = await rawQuery<{ password: string }>(
    db,
    sql`select password from account where user_id = ${userId} and provider_id = 'credential' and password is not null`,
  );
  return account?.password;
}
