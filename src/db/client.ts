/**
 * The only module that opens D1.
 * Tasks go through a D1 session, so that a near replica may answer a read without hiding the caller's own writes.
 */
import { type DrizzleD1Database, drizzle } from "drizzle-orm/d1";
import { DAY_MS } from "../time.ts";
import { refusalOf } from "./refusal.ts";

export type Database = DrizzleD1Database<Record<string, unknown>>;

const BOOKMARK = /^[0-9a-f]{8}-[0-9a-f]{8}-[0-9a-f]{8}-[0-9a-f]{32}$/;

/** Opens D1 on its primary, for account data. */
export function openPrimary(d1: D1Database, schema: Record<string, unknown>): Database {
  return drizzle(d1, { schema });
}

/**
 * Opens a D1 session. `getBookmark()` tells where a later session can start from.
 * @param bookmark an earlier session's bookmark: any replica that has caught up with it may answer.
 *   Without one the first query goes to the primary.
 * @see https://developers.cloudflare.com/d1/best-practices/read-replication/
 */
export function openSession(d1: D1Database, bookmark: string | undefined): D1DatabaseSession {
  return d1.withSession(bookmark ?? "first-primary");
}

/** Tells whether a text has the form of a D1 bookmark. D1's named constraints, such as `first-primary`, are none. */
export function isBookmark(text: string): boolean {
  return BOOKMARK.test(text);
}

/** How D1 fails. A retry may help with `unavailable`, and does not with the others. */
export type DatabaseFailure = "unavailable" | "not_migrated" | "daily_limit";

/**
 * The kind of D1's failure; undefined for any other error. A violated constraint and a refusal are answers, not failures.
 * @see https://developers.cloudflare.com/d1/observability/debug-d1/
 */
export function databaseFailure(error: unknown): DatabaseFailure | undefined {
  const message = messageOfD1(error);
  if (message === undefined || message.includes("SQLITE_CONSTRAINT") || refusalOf(error) !== undefined)
    return undefined;
  if (/exceeded D1's .*daily|daily row (?:read|write) limit/i.test(message)) return "daily_limit";
  if (/no such (?:table|column|index)|has no column named|no query solution/.test(message)) return "not_migrated";
  return "unavailable";
}

export function isDatabaseFailure(error: unknown): boolean {
  return databaseFailure(error) !== undefined;
}

/** What a log may say of a D1 error: its codes, and the name of a missing table or column, but no data. */
export function describeD1(error: unknown): string | undefined {
  const message = messageOfD1(error);
  if (message === undefined) return undefined;
  const absent = /no such (?:table|column|index): [\w.]+/.exec(message)?.[0];
  const known =
    /daily row (?:read|write) limit|overloaded|timed? ?out|connection lost|reset|storage|internal error/i.exec(
      message,
    )?.[0];
  return [...(message.match(/\b(?:D1|SQLITE)_[A-Z_]+\b/g) ?? []), absent ?? known ?? []].flat().join(" ");
}

/** Seconds until D1's daily limits renew: midnight UTC. */
export function secondsUntilMidnight(nowMs: number): number {
  return Math.ceil((DAY_MS - (nowMs % DAY_MS)) / 1000);
}

/** Tells whether D1 refused a row because another has the same value in a unique column, such as `user.email`. */
export function violates(error: unknown, column: string): boolean {
  return messageOfD1(error)?.includes(`UNIQUE constraint failed: ${column}`) ?? false;
}

function messageOfD1(error: unknown): string | undefined {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if (/^D1_|exceeded D1's/.test(cause.message)) return cause.message;
  }
  return undefined;
}

/** The last file in `migrations/`. */
export const NEWEST_MIGRATION = "0010_moving_in.sql";

/** Tells whether all migrations have been applied. It fails unless D1 answers. */
export async function isMigrated(d1: D1Database): Promise<boolean> {
  const applied = d1.prepare("select name from d1_migrations where name = ?1").bind(NEWEST_MIGRATION);
  return (await applied.first()) !== null;
}
