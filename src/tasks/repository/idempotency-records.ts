/**
 * Runs a keyed request exactly once. Its record is written in the same transaction as its work, so that neither exists
 * without the other. A repetition finds the record, does nothing, and is answered from it.
 * @see https://datatracker.ietf.org/doc/draft-ietf-httpapi-idempotency-key-header/
 */
import { type SQL, sql } from "drizzle-orm";
import { session } from "../../auth/tables.ts";
import { violates } from "../../db/client.ts";
import { refuse } from "../../db/refusal.ts";
import type { IdempotencyKey, OperationResult, Refusal } from "../outcomes.ts";
import type { TaskQueryContext } from "./context.ts";
import { parseRefusal } from "./refusals.ts";
import { columns, type Row, toTask } from "./row.ts";
import { idempotencyRecord, task } from "./table.ts";

/** An operation's result, as a record stores it. */
type StoredResult = { id: string } & (Refusal | { outcome: "done" });

export type OnceResult<Answer> =
  | { outcome: "first"; answer: Answer }
  | { outcome: "replayed"; results: OperationResult[] }
  | { outcome: "key-reused" };

/** The id that an operation names; undefined for a creation to which the server gives one. */
export type NamedId = string | undefined;

/** The task of an operation: its id, and the same if the caller named it. */
export type BatchStep = { id: string; named: NamedId };

/** No id is longer. A longer text names no task. */
const MAX_ID_CHARACTERS = 100;

export type IdempotencyRecords = ReturnType<typeof createIdempotencyRecords>;

export function createIdempotencyRecords(context: TaskQueryContext) {
  const { query, userId, totals, now, sessionIsActive, bothWhileSessionActive, latestRevision } = context;

  return {
    createdAs,

    /**
     * Reserves the key for a creation, or stops the transaction if the key is taken.
     * @param condition whether the work changes anything: else the key stays free
     */
    reserveKey: (key: IdempotencyKey, results: string[], condition: SQL) =>
      reserve(key, sql`${JSON.stringify(results)}`, condition),

    /**
     * Reserves the key for a batch. Until `settle`, the record holds the newest revision so far, and a result for each
     * operation: `done`, unless `recordRefusal` puts another in its place.
     */
    reserveKeyFor(key: IdempotencyKey, steps: BatchStep[]) {
      const results = JSON.stringify(steps.map(({ id, named }) => (named === undefined ? createdAs(id) : DONE)));
      return reserve(key, sql`json_object('since', ${latestRevision()}, 'results', json(${results}))`, sql`true`);
    },

    /**
     * Records that an operation is refused, with the id that the server gave. Runs before the operation.
     * @param refusal a query for the reason; null if there is none
     */
    recordRefusal: ({ key }: IdempotencyKey, index: number, { id, named }: BatchStep, refusal: SQL) =>
      query(
        sql`update ${idempotencyRecord}
          set results = json_set(results, ${`$.results[${index}]`}, operation.refusal || ${named === undefined ? ` ${id}` : ""})
          from ${refusal} as operation
          where ${ownRecord(key)} and operation.refusal is not null`,
      ),

    /** Completes the record, if a change was made since the key was reserved. */
    settle: ({ key }: IdempotencyKey) =>
      query(
        sql`update ${idempotencyRecord} set results = results -> '$.results'
          where ${ownRecord(key)} and results ->> '$.since' < ${latestRevision()}`,
      ),

    /** Stops the transaction, with the newest revision, if nothing changed: no quota would bound the number of keys. */
    requireChange: ({ key }: IdempotencyKey) =>
      query(
        sql`select case json_type(results) when 'object' then ${refuse(sql`'idle ' || (results ->> '$.since')`)} end
          from ${idempotencyRecord} where ${ownRecord(key)}`,
      ),

    /**
     * Runs the work, or returns the recorded results if it was done before.
     * @param named the id that each operation names
     */
    async runOnce<Answer>(
      key: IdempotencyKey,
      named: NamedId[],
      work: () => Promise<Answer>,
    ): Promise<OnceResult<Answer>> {
      try {
        return { outcome: "first", answer: await work() };
      } catch (error) {
        if (!violates(error, "receipt.user_id")) throw error;
        return replay(key, named);
      }
    },
  };

  /** The user's record of a key: users have keys of their own. */
  function ownRecord(key: string): SQL {
    return sql`receipt.user_id = ${userId} and receipt.key = ${key}`;
  }

  function reserve({ key, digest }: IdempotencyKey, results: SQL, condition: SQL) {
    const isTaken = sql`exists (select 1 from ${idempotencyRecord} where ${ownRecord(key)})`;
    return query(
      sql`insert into ${idempotencyRecord} (user_id, key, request_digest, results, created_at)
        select ${session.userId}, ${key}, ${digest}, ${results}, ${now()} from ${session}, ${totals.beforeCreating()} as before
        where ${sessionIsActive()} and (${condition} or ${isTaken})`,
    );
  }

  async function replay(key: IdempotencyKey, named: NamedId[]): Promise<OnceResult<never>> {
    const ids = named.filter((id) => id !== undefined).map((id) => id.slice(0, MAX_ID_CHARACTERS));
    const [[record], rows] = await bothWhileSessionActive(
      query<{ requestDigest: string; results: string }>(
        sql`select request_digest as requestDigest, results from ${idempotencyRecord} where ${ownRecord(key.key)}`,
      ),
      query<Row>(
        sql`select ${columns} from ${task} where user_id = ${userId} and id in (
          select value from json_each(${JSON.stringify(ids)}) union all
          select case result.type when 'object' then result.value ->> 'id' else substr(result.value, ${CREATED.length + 1}) end
          from ${idempotencyRecord}, json_each(receipt.results) as result
          where ${ownRecord(key.key)})`,
      ),
    );
    // The key was taken just now: this replica lags behind.
    if (!record) throw new Error("D1_ERROR: the idempotency record has not arrived yet");
    if (record.requestDigest !== key.digest) return { outcome: "key-reused" };
    // An erased task has no contents to show.
    const tasks = new Map(rows.filter(({ title }) => title !== "").map((row) => [row.id, toTask(row)]));
    const results = parseResults(record.results, named);
    return { outcome: "replayed", results: results.map((result) => ({ ...result, task: tasks.get(result.id) })) };
  }
}

const DONE = "done";
const CREATED = `${DONE} `;

/** The result of a creation to which the server gave an id. */
function createdAs(id: string): string {
  return `${CREATED}${id}`;
}

/**
 * Parses recorded results: `done` or a refusal, with the id that the server gave. So a record is short, however many
 * operations changed nothing. Records of earlier versions also hold objects.
 */
function parseResults(results: string, named: NamedId[]): StoredResult[] {
  return (JSON.parse(results) as (string | StoredResult)[]).map((stored, index) => {
    const name = named[index];
    if (typeof stored !== "string") return { ...stored, id: name ?? stored.id };
    const id = name ?? stored.split(" ").at(-1) ?? "";
    return stored.startsWith(DONE) ? { outcome: DONE, id } : { ...parseRefusal(stored), id };
  });
}
