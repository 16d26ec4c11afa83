/**
 * The devices and addresses that an account was signed in from. Each has a count of tries of its own, which nobody elsewhere
 * can use up. Those from before the owner took the account back share one count.
 */
import { type SQL, sql } from "drizzle-orm";
import { type Database, rawQuery } from "../../db/client.ts";
import type { Source } from "./source.ts";

/** Known sources of one account. Beyond so many, those that share a count go first, then the one used longest ago. */
const MAX_KNOWN_SOURCES = 40;
/** Names the count that sources share. */
const FORMER = "former";

/** Whether an account knows one of these sources. */
export function isKnownSource(userId: string | SQL, sources: string[]): SQL {
  return sql`exists (select 1 from known_source where user_id = ${userId} and source in ${sources})`;
}

/** The count of a caller's source, or null: of the device rather than of the address, and rather its own than the shared one. */
export function countOf(
  userId: SQL,
  { device, address }: Pick<Source, "device" | "address">,
  condition = sql`true`,
): SQL {
  return sql`(select counted_as from known_source where user_id = ${userId} and source in (${device}, ${address})
    and ${condition} order by counted_as = ${FORMER}, source = ${device} desc limit 1)`;
}

/** The same, or null where the shared count is blocked: its sources are then counted as unknown ones, and wait no longer. */
export function openCountOf(userId: SQL, source: Source, now: number): SQL {
  const isBlocked = sql`counted_as = ${FORMER} and exists (select 1 from known_source as former
    where former.user_id = ${userId} and former.source = ${FORMER} and former.blocked_until > ${now})`;
  return countOf(userId, source, sql`not (${isBlocked})`);
}

/**
 * Statements that remember where a user has just signed in from, with a count that begins anew.
 * @param newDevice names a device that the caller may get a cookie for; the third statement returns a row if it was kept,
 *   which it is not where theirs is known already
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
 * Statements that let all known sources of an account share one count, so that whoever is to be kept out gains no more tries
 * than a single source has. Signing in from a source gives it a count of its own again.
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
