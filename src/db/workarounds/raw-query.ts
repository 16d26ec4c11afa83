/**
 * Drizzle forgets to prepare a written-out query that becomes part of a D1 batch: with a parameter, the batch throws.
 * @see https://github.com/drizzle-team/drizzle-orm/issues/2277
 *
 * Delete this file, and call `db.all` instead, once test/db/workarounds.test.ts shows that a batch takes such a query.
 */
import type { SQL } from "drizzle-orm";
import type { Database } from "../client.ts";

/** A written-out query, to be awaited or put into a batch. */
export function rawQuery<Row>(db: Database, query: SQL) {
  const raw = db.all<Row>(query);
  // The client that was given to drizzle().
  const { $client } = db as Database & { $client: D1Database };
  return Object.assign(raw, { stmt: $client.prepare(raw.getQuery().sql) });
}
