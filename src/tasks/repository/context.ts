/** What every query about one user's tasks starts from: the user, their active session, and their newest revision. */
import { and, eq, gt, type SQL, sql } from "drizzle-orm";
import type { BatchItem } from "drizzle-orm/batch";
import type { Caller } from "../../access-tokens/claims.ts";
import { session } from "../../auth/tables.ts";
import type { Database } from "../../db/client.ts";
import { SessionEnded } from "../../db/session-ended.ts";
import { rawQuery } from "../../db/workarounds/raw-query.ts";
import type { Quotas } from "../../env.ts";
import type { CursorKeys } from "./cursor.ts";
import type { Row } from "./row.ts";
import { task } from "./table.ts";
import { createTotals } from "./totals.ts";

export type Dependencies = {
  db: Database;
  caller: Caller;
  cursorKeys: CursorKeys;
  quotas: Quotas;
  /** Unix milliseconds. */
  now: () => number;
};

export type TaskQueryContext = ReturnType<typeof createTaskQueryContext>;

/** A query and the type of its result. */
type Query<Result> = BatchItem<"sqlite"> & { _: { result: Result } };

/** Creates the context of one user. Only a verified access token yields a `Caller`. */
export function createTaskQueryContext({ db, caller, cursorKeys, quotas, now }: Dependencies) {
  const { userId, sessionId } = caller;

  return {
    /** A written-out query. */
    query: <Result>(query: SQL) => rawQuery<Result>(db, query),
    /** A written-out query that returns tasks. */
    queryRows: (query: SQL) => rawQuery<Row>(db, query),
    userId,
    totals: createTotals(userId, quotas, now),
    cursorKeys,
    now,
    sessionIsActive,

    /** D1 has one writer, so no two changes can read the same maximum. */
    latestRevision,

    /** Runs queries in one transaction. Each has to check the session itself. */
    transaction: <Queries extends [Query<unknown>, ...Query<unknown>[]]>(queries: Queries) =>
      db.batch(queries) as unknown as Promise<{ [Index in keyof Queries]: Queries[Index]["_"]["result"] }>,

    /**
     * Runs a query in one transaction with a read of the session. 1 row read for the session.
     * @throws {SessionEnded}
     */
    async whileSessionActive<Result>(query: Query<Result>): Promise<Result> {
      const [active, result] = await db.batch([selectActiveSession(), query]);
      if (active.length === 0) throw new SessionEnded();
      return result as Result;
    },

    /** The same for two queries. */
    async bothWhileSessionActive<First, Second>(first: Query<First>, second: Query<Second>): Promise<[First, Second]> {
      const [active, ...results] = await db.batch([selectActiveSession(), first, second]);
      if (active.length === 0) throw new SessionEnded();
      return results as [First, Second];
    },
  };

  function selectActiveSession() {
    return db.select({ id: session.id }).from(session).where(sessionIsActive());
  }

  function sessionIsActive(): SQL | undefined {
    return and(eq(session.id, sessionId), eq(session.userId, userId), gt(session.expiresAt, new Date(now())));
  }

  function latestRevision(): SQL<number> {
    return sql`(select coalesce(max(latest.revision), 0) from ${task} as latest where latest.user_id = ${userId})`;
  }
}
