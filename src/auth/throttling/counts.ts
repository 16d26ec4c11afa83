/** Counts attempts and mails of an account in D1: a few a day are free, and each further one waits longer. */
import { type SQL, sql } from "drizzle-orm";
import { base64url } from "jose";
import type { Database } from "../../db/client.ts";
import { rawQuery } from "../../db/workarounds/raw-query.ts";
import { DAY_MS } from "../../time.ts";

/** `free` come without a wait; the next waits `firstMs`, and each further one twice as long, up to `longestMs`. */
export type Waits = { free: number; firstMs: number; longestMs: number };

export type CountResult = { ok: true } | { ok: false; retryAfterSeconds: number };

/** How many expired counts are deleted with each one that is added. */
const DELETED_AT_ONCE = 4;

/** The name under which an account is counted: a keyed hash of its address, without regard to case. */
export async function nameAccount(key: CryptoKey, email: string): Promise<string> {
  const digest = await crypto.subtle.sign("HMAC", key, new TextEncoder().encode(email.toLowerCase()));
  return base64url.encode(new Uint8Array(digest));
}

/**
 * Counts one more, unless it has to wait: then nothing is written.
 * @param source what is counted for the account
 */
export async function countOnce(db: Database, account: string, source: string, waits: Waits): Promise<CountResult> {
  const now = Date.now();
  const day = endOf(now, DAY_MS);
  const attempt = crypto.randomUUID();
  const isIt = sql`ends_at = ${day} and account = ${account} and scope = ${source}`;
  const [counted, , [state]] = await db.batch([
    rawQuery<{ n: number }>(
      db,
      sql`insert into throttle (ends_at, account, scope, tries, blocked_until, last_try)
        values (${day}, ${account}, ${source}, 1, 0, ${attempt})
        on conflict (ends_at, account, scope) do update set tries = tries + 1,
          blocked_until = ${blockedAfter(sql`tries + 1`, now, waits)}, last_try = excluded.last_try
          where blocked_until <= ${now}
        returning 1 as n`,
    ),
    rawQuery<never>(
      db,
      deleteExpired(now, sql`exists (select 1 from throttle where ${isIt} and last_try = ${attempt})`),
    ),
    rawQuery<{ until: number }>(db, sql`select blocked_until as until from throttle where ${isIt}`),
  ]);
  if (counted.length > 0) return { ok: true };
  return { ok: false, retryAfterSeconds: secondsUntil(state?.until ?? day, now) };
}

/** Deletes a few expired counts if something was counted, so that the table does not grow without bound. */
export function deleteExpired(now: number, isCounted: SQL): SQL {
  return sql`delete from throttle where (ends_at, account, scope) in (
    select ends_at, account, scope from throttle where ends_at < ${now} and ${isCounted}
    order by ends_at limit ${DELETED_AT_ONCE})`;
}

/** The time until which the next one waits after `count`, in Unix milliseconds. */
export function blockedAfter(count: SQL, now: number, { free, firstMs, longestMs }: Waits): SQL {
  return sql`${now} + iif(${count} < ${free}, 0, min(${longestMs}, ${firstMs} << min(${count} - ${free}, 20)))`;
}

/** The end of the window that contains `now`, in Unix milliseconds. */
export function endOf(now: number, windowMs: number): number {
  return (Math.floor(now / windowMs) + 1) * windowMs;
}

export function secondsUntil(until: number, now: number): number {
  return Math.max(1, Math.ceil((until - now) / 1000));
}
