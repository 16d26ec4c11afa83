/** What every statement about one user's tasks starts from: the user, and their live session. */
import { and, eq, gt, type SQL, sql } from "drizzle-orm";
import type { BatchItem } from "drizzle-orm/batch";
import type { Caller } from "../access/claims.ts";
import { SessionEnded } from "../access/session-ended.ts";
import { session } from "../auth/tables.ts";
import { type Database, rawQuery } from "../db/client.ts";
import type { Quotas } from "../env.ts";
import type { CursorKeys } from "./cursor.ts";
import type { Row } from "./row.ts";
import { task } from "./table.ts";
import { createTotals } from "./totals.ts";

export type Dependencies = {
  db: Database;
  caller: Caller;
  cursorKeys: CursorKeys;
  quotas: Quotas;
  now: () => number;
};

export type TaskScope = ReturnType<typeof createTaskScope>;

/** The query of a batch, and what it gives. */
type Query<Result> = BatchItem<"sqlite"> & { _: { result: Result } };

/** Builds the scope of one user. Only a verified access token yields a `Caller`. */
export function createTaskScope({ db, caller, cursorKeys, quotas, now }: Dependencies) {
  const { userId, sessionId } = caller;

  return {
    db,
    /** A query that is written out. */
    raw: <Row>(query: SQL) => rawQuery<Row>(db, query),
    /** One that gives tasks. */
    rawRows: (query: SQL) => rawQuery<Row>(db, query),
    userId,
    totals: createTotals(userId, quotas, now),
    cursorKeys,
    now,
    isLive,
    isOwn: (): SQL => eq(task.userId, userId),

    /** D1 has one writer, so no two changes can read the same maximum. */
    latestRevision,

    /** Runs a query in one transaction with a look at the session. 1 row read for the session. */
    async whileLive<Result>(query: Query<Result>): Promise<Result> {
      const [live, result] = await db.batch([selectLive(), query]);
      if (live.length === 0) throw new SessionEnded();
      return result as Result;
    },

    /** The same with two queries. */
    async bothWhileLive<First, Second>(first: Query<First>, second: Query<Second>): Promise<[First, Second]> {
      const [live, ...results] = await db.batch([selectLive(), first, second]);
      if (live.length === 0) throw new SessionEnded();
      return results as [First, Second];
    },
  };

  function selectLive() {
    return db.select({ id: session.id }).from(session).where(isLive());
  }

  function isLive(): SQL | undefined {
    return and(eq(session.id, sessionId), eq(session.userId, userId), gt(session.expiresAt, new Date(now())));
  }

  function latestRevision(): SQL<number> {
    return sql`(select coalesce(max(latest.revision), 0) from ${task} as latest where latest.user_id = ${userId})`;
  }
}
