/**
 * Inserts a session only while the verified password is the account's, and deletes sessions beyond the limit. Better Auth
 * inserts a session like any other row, so workarounds/transaction.ts replaces its insert by this one.
 */
import { sql } from "drizzle-orm";
import type { Database } from "../db/client.ts";
import { rawQuery } from "../db/workarounds/raw-query.ts";
import type { session } from "./tables.ts";

/** Beyond this, expired sessions are deleted first, then those unused for longest. */
export const MAX_SESSIONS = 100;
export const MAX_USER_AGENT_CHARACTERS = 255;

export type SessionRow = typeof session.$inferSelect;

/**
 * Inserts a session, and deletes those beyond the limit.
 * @param verifiedHash of the password that opens it; undefined at sign-up, where the account is new
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

/** The current hash of an account's password. */
export async function currentHash(db: Database, userId: string): Promise<string | undefined> {
  const [account] = await rawQuery<{ password: string }>(
    db,
    sql`select password from account where user_id = ${userId} and provider_id = 'credential' and password is not null`,
  );
  return account?.password;
}
