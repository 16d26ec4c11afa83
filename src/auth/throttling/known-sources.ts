/**
 * The devices and addresses that an account was signed in from. Each has a count of its own, which strangers cannot use up.
 * Those from before a reset of the password share one count.
 */
import { type SQL, sql } from "drizzle-orm";
import type { Database } from "../../db/client.ts";
import { rawQuery } from "../../db/workarounds/raw-query.ts";
import type { Source } from "./source.ts";

/** Known sources of one account. Beyond, those that share a count are deleted first, then those unused for longest. */
const MAX_KNOWN_SOURCES = 40;
/** The source that holds the shared count. */
const FORMER = "former";

/** Whether one of these sources is known to an account. */
export function isKnownSource(userId: string | SQL, sources: string[]): SQL {
  return sql`exists (select 1 from known_source where user_id = ${userId} and source in ${sources})`;
}

/** The count of a caller's source, or null: the device before the address, its own count before the shared one. */
export function countOf(
  userId: SQL,
  { device, address }: Pick<Source, "device" | "address">,
  condition = sql`true`,
): SQL {
  return sql`(select counted_as from known_source where user_id = ${userId} and source in (${device}, ${address})
    and ${condition} order by counted_as = ${FORMER}, source = ${device} desc limit 1)`;
}

/** The same, or null if the shared count is blocked: its sources are then counted as unknown, and wait no longer. */
export function openCountOf(userId: SQL, source: Source, now: number): SQL {
  const isBlocked = sql`counted_as = ${FORMER} and exists (select 1 from known_source as former
    where former.user_id = ${userId} and former.source = ${FORMER} and former.blocked_until > ${now})`;
  return countOf(userId, source, sql`not (${isBlocked})`);
}

/**
 * Statements that store the source of a successful sign-in, with a new count.
 * @param newDevice the name of a device for which the caller may get a cookie. The third statement returns a row if it was
 *   stored: it is not if the caller's device is known already
 */
export function rememberSource(db: Database, userId: string, source: Source, newDevice: string, now: number) {
  const { address, device, isIssued } = source;
  const isKnown = isKnownSource(userId, [device]);
  const remember = (what: string, condition: SQL) =>
    rawQuery<{ n: number }>(
      db,
      sql`insert into known_source (user_id, source, counted_as, tries, blocked_until, used_at)
        select id, ${what}, ${what}, 0, 0, ${now} from user where id = ${userId} and ${what} <> '' and ${condition}
        on conflict (user_id, source) do update
          set counted_as = source, tries = 0, blocked_until = 0, used_at = excluded.used_at
        returning 1 as n`,
    );
  return [
    remember(address, sql`true`),
    remember(device, isIssued ? sql`true` : isKnown),
    remember(newDevice, sql`not ${isKnown}`),
    rawQuery<never>(
      db,
      sql`delete from known_source where user_id = ${userId} and source in (
        select source from known_source where user_id = ${userId} and source <> ${FORMER}
        order by counted_as = ${FORMER}, used_at desc limit -1 offset ${MAX_KNOWN_SOURCES})`,
    ),
  ] as const;
}

/**
 * Statements that let all known sources of an account share one count, so that a former intruder has no more attempts than
 * one source. A source gets a count of its own again when it signs in.
 */
export function shareCount(db: Database, userId: string) {
  return [
    rawQuery(
      db,
      sql`insert into known_source (user_id, source, counted_as, tries, blocked_until, used_at)
        select id, ${FORMER}, ${FORMER}, 0, 0, ${Date.now()} from user where id = ${userId}
        on conflict (user_id, source) do update set used_at = excluded.used_at`,
    ),
    rawQuery(db, sql`update known_source set counted_as = ${FORMER} where user_id = ${userId}`),
  ] as const;
}
