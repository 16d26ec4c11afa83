/** Counts in D1 of what an account may be asked for: free a few times in a day, and then with waits that grow. */
import { type SQL, sql } from "drizzle-orm";
import { base64url } from "jose";
import { type Database, rawQuery } from "../../db/client.ts";
import { DAY_MS } from "../../time.ts";

/** So many are free; the next has to wait for so long, each further one twice as long, up to the longest wait. */
export type Waits = { free: number; firstMs: number; longestMs: number };

/** What came of asking for one more. */
export type Claim = { ok: true } | { ok: false; retryAfterSeconds: number };

/** Counts whose window is over, cleared with each one that is added. */
const CLEARED_AT_ONCE = 4;

/** The name under which an account is counted: a keyed hash of its address, in whatever letters. */
export async function nameAccount(key: CryptoKey, email: string): Promise<string> {
  const digest = await crypto.subtle.sign("HMAC", key, new TextEncoder().encode(email.toLowerCase()));
  return base64url.encode(new Uint8Array(digest));
}

/** Counts one more, unless it has to wait: then nothing is written. */
export async function countOnce(db: Database, account: string, scope: string, waits: Waits): Promise<Claim> {
  const now = Date.now();
  const day = endOf(now, DAY_MS);
  const attempt = crypto.randomUUID();
  const isIt = sql`ends_at = ${day} and account = ${account} and scope = ${scope}`;
  const [counted, , [state]] = await db.batch([
    rawQuery<{ n: number }>(
      db,
      sql`insert into throttle (ends_at, account, scope, tries, blocked_until, last_try)
        values (${day}, ${account}, ${scope}, 1, 0, ${attempt})
        on conflict (ends_at, account, scope) do update set tries = tries + 1,
          blocked_until = ${blockedAfter(sql`tries + 1`, now, waits)}, last_try = excluded.last_try
          where blocked_until <= ${now}
        returning 1 as n`,
    ),
    rawQuery<never>(db, clearEnded(now, sql`exists (select 1 from throttle where ${isIt} and last_try = ${attempt})`)),
    rawQuery<{ until: number }>(db, sql`select blocked_until as until from throttle where ${isIt}`),
  ]);
  if (counted.length > 0) return { ok: true };
  return { ok: false, retryAfterSeconds: secondsUntil(state?.until ?? day, now) };
}

/** Clears a few counts whose window is over, where something was counted: the table does not outgrow what is going on. */
export function clearEnded(now: number, isCounted: SQL): SQL {
  return sql`delete from throttle where (ends_at, account, scope) in (
    select ends_at, account, scope from throttle where ends_at < ${now} and ${isCounted}
    order by ends_at limit ${CLEARED_AT_ONCE})`;
}

/** Until when the next one has to wait after so many, in Unix milliseconds. */
export function blockedAfter(count: SQL, now: number, { free, firstMs, longestMs }: Waits): SQL {
  return sql`${now} + iif(${count} < ${free}, 0, min(${longestMs}, ${firstMs} << min(${count} - ${free}, 20)))`;
}

/** When the window ends that holds this moment, in Unix milliseconds. */
export function endOf(now: number, windowMs: number): number {
  return (Math.floor(now / windowMs) + 1) * windowMs;
}

export function secondsUntil(until: number, now: number): number {
  return Math.max(1, Math.ceil((until - now) / 1000));
}
