/** What every query about one user's tasks starts from: the user, their active session, and their newest revision. */
import { type SQL, sql } from "drizzle-orm";
import type { Caller } from "../../access-tokens/claims.ts";
import { session } from "../../auth/tables.ts";
import { SessionEnded } from "../../db/session-ended.ts";
import { bind, type Statement, statement, type Values } from "../../db/statement.ts";
import type { Quotas } from "../../env.ts";
import { DAY_MS } from "../../time.ts";
import { TRASH_DAYS } from "../retention.ts";
import { now, sessionId, userId } from "./bindings.ts";
import type { CursorKeys } from "./cursor.ts";
import { task } from "./table.ts";

export type Dependencies = {
  db: D1DatabaseSession;
  caller: Caller;
  cursorKeys: CursorKeys;
  quotas: Quotas;
  /** Unix milliseconds. */
  now: () => number;
};

export type TaskQueryContext = ReturnType<typeof createTaskQueryContext>;

/** A statement with its own values. The caller's are added when it runs. */
export type Query<Row> = { statement: Statement<Row>; values: Values };

/** The rows of several queries. */
type RowsOf<Queries extends readonly Query<unknown>[]> = {
  [Index in keyof Queries]: Queries[Index] extends Query<infer Row> ? Row[] : never;
};

export const sessionIsActive: SQL = sql`${session.id} = ${sessionId} and ${session.userId} = ${userId}
  and ${session.expiresAt} > ${now}`;

export const hasActiveSession: SQL = sql`exists (select 1 from ${session} where ${sessionIsActive})`;

/** D1 has one writer, so no two changes can read the same maximum. */
export const latestRevision: SQL = sql`(select coalesce(max(latest.revision), 0) from ${task} as latest
  where latest.user_id = ${userId})`;

const ACTIVE_SESSION = statement<{ id: string }>(sql`select ${session.id} from ${session} where ${sessionIsActive}`);

/** Creates the context of one user. Only a verified access token yields a `Caller`. */
export function createTaskQueryContext({ db, caller, cursorKeys, quotas, now }: Dependencies) {
  return {
    userId: caller.userId,
    cursorKeys,
    quotas,
    now,
    run,
    transaction,

    /**
     * Runs a statement that reads the session first: it returns a row for each session, and so none if it has ended.
     * @throws {SessionEnded}
     */
    async runInSession<Row>(joined: Statement<Row>, values: Values = {}): Promise<[Row, ...Row[]]> {
      const [first, ...others] = await run({ statement: joined, values });
      if (first === undefined) throw new SessionEnded();
      return [first, ...others];
    },

    /**
     * Runs queries in one transaction with a read of the session. 1 row read for the session.
     * @throws {SessionEnded}
     */
    async whileSessionActive<Queries extends readonly Query<unknown>[]>(...queries: Queries): Promise<RowsOf<Queries>> {
      const [active, ...rows] = await transaction([{ statement: ACTIVE_SESSION, values: {} }, ...queries]);
      if (active?.length === 0) throw new SessionEnded();
      return rows as RowsOf<Queries>;
    },
  };

  /** Runs one query. It has to check the session itself. */
  async function run<Row>(query: Query<Row>): Promise<Row[]> {
    const [rows] = await transaction([query]);
    return (rows ?? []) as Row[];
  }

  /** Runs queries in one transaction. Each has to check the session itself. */
  async function transaction(queries: Query<unknown>[]): Promise<unknown[][]> {
    const results = await db.batch(queries.map(({ statement, values }) => bind(db, statement, withCaller(values))));
    return results.map(({ results }) => results);
  }

  /** The caller's values come last: no statement can name another user. */
  function withCaller(values: Values): Values {
    const at = now();
    return {
      ...values,
      userId: caller.userId,
      sessionId: caller.sessionId,
      now: at,
      today: Math.floor(at / DAY_MS),
      trashStart: at - TRASH_DAYS * DAY_MS,
      maxTasks: quotas.tasks,
      maxBytes: quotas.bytes,
      maxChanges: quotas.changesPerDay,
    };
  }
}
