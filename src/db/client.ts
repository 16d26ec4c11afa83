/**
 * The only module that opens D1.
 * Tasks go through a D1 session, so that a near replica may answer a read without hiding the caller's own writes.
 */
import type { SQL } from "drizzle-orm";
import { type DrizzleD1Database, drizzle } from "drizzle-orm/d1";
import { refusalOf } from "./refusal.ts";

export type Database = DrizzleD1Database<Record<string, unknown>>;

/** A database session and the bookmark that a later session can start from. */
export type DatabaseSession = { db: Database; bookmark: () => string | undefined };

const BOOKMARK = /^[0-9a-f]{8}-[0-9a-f]{8}-[0-9a-f]{8}-[0-9a-f]{32}$/;

/** Opens D1 on its primary, for account data. */
export function openPrimary(d1: D1Database, schema: Record<string, unknown>): Database {
  return drizzle(d1, { schema });
}

/**
 * Opens a D1 session.
 * @param bookmark an earlier session's bookmark: any replica that has caught up with it may answer.
 *   Without one the first query goes to the primary.
 * @see https://developers.cloudflare.com/d1/best-practices/read-replication/
 */
export function openSession(d1: D1Database, bookmark: string | undefined): DatabaseSession {
  const session = d1.withSession(bookmark ?? "first-primary");
  // A session has the two methods that Drizzle calls, prepare and batch; Drizzle's type asks for the rest as well.
  const db: Database = drizzle(session as unknown as D1Database);
  return { db, bookmark: () => session.getBookmark() ?? undefined };
}

/**
 * A query that is written out, to be awaited or put into a batch. Drizzle's own forgets to prepare its statement when
 * it becomes part of a batch.
 */
export function rawQuery<Row>(db: Database, query: SQL) {
  const raw = db.all<Row>(query);
  // As drizzle() was given it.
  const { $client } = db as Database & { $client: D1Database };
  return Object.assign(raw, { stmt: $client.prepare(raw.getQuery().sql) });
}

/** Tells whether a text has the form of a D1 bookmark; D1's named constraints are not bookmarks. */
export function isBookmark(text: string): boolean {
  return BOOKMARK.test(text);
}

/**
 * Tells D1's trouble (unreachable, overloaded, schema absent) from our own mistakes.
 * A broken constraint is an answer, and so is a refusal; neither is trouble.
 */
export function isDatabaseTrouble(error: unknown): boolean {
  const message = messageOfD1(error);
  return message !== undefined && !message.includes("SQLITE_CONSTRAINT") && refusalOf(error) === undefined;
}

/** Whether D1 refused a row because it would have been the second with this column's value, as in `user.email`. */
export function violates(error: unknown, column: string): boolean {
  return messageOfD1(error)?.includes(`UNIQUE constraint failed: ${column}`) ?? false;
}

function messageOfD1(error: unknown): string | undefined {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if (/^D1_/.test(cause.message)) return cause.message;
  }
  return undefined;
}

/** Asks D1 whether it answers and knows the newest table. */
export async function probe(d1: D1Database): Promise<void> {
  await d1.prepare("select 1 from receipt limit 1").run();
}
