/**
 * Runs a keyed request exactly once. Its record is written in the same transaction as its work, so that neither exists
 * without the other. A repetition finds the record, does nothing, and is answered from it.
 * @see https://datatracker.ietf.org/doc/draft-ietf-httpapi-idempotency-key-header/
 */
import { type SQL, sql } from "drizzle-orm";
import { session } from "../../auth/tables.ts";
import { violates } from "../../db/client.ts";
import { refuse } from "../../db/refusal.ts";
import { statement, statementsOf } from "../../db/statement.ts";
import type { IdempotencyKey, OperationResult, Refusal } from "../outcomes.ts";
import { now, userId, value } from "./bindings.ts";
import { type Change, type CreationKind, type Kind, refusalBefore } from "./change-kinds.ts";
import { latestRevision, type Query, sessionIsActive, type TaskQueryContext } from "./context.ts";
import { parseRefusal } from "./refusals.ts";
import { columns, type Row, toTask } from "./row.ts";
import { idempotencyRecord, task } from "./table.ts";
import { totalsBefore } from "./totals.ts";

/** An operation's result, as a record stores it. */
type StoredResult = { id: string } & (Refusal | { outcome: "done" });

export type OnceResult<Answer> =
  | { outcome: "first"; answer: Answer }
  | { outcome: "replayed"; results: OperationResult[] }
  | { outcome: "key-reused" };

/** The id that an operation names; undefined for a creation to which the server gives one. */
export type NamedId = string | undefined;

/** An operation: its task's id, the same if the caller named it, and its change. */
export type BatchStep = { id: string; named: NamedId; change: Change };

/** No id is longer. A longer text names no task. */
const MAX_ID_CHARACTERS = 100;

export type IdempotencyRecords = ReturnType<typeof createIdempotencyRecords>;

const DONE = "done";
const CREATED = `${DONE} `;

/** The user's record of a key: users have keys of their own. */
const isOwnRecord = sql`receipt.user_id = ${userId} and receipt.key = ${value("key")}`;

const reserveKeyOf = statementsOf<CreationKind, unknown>(({ happens }) =>
  reservation(sql`${value("results")}`, happens),
);
const RESERVE_KEY = statement(
  reservation(sql`json_object('since', ${latestRevision}, 'results', json(${value("results")}))`, sql`true`),
);
const recordRefusalOf = statementsOf<Kind, unknown>(
  (kind) => sql`update ${idempotencyRecord}
    set results = json_set(results, ${value("path")}, operation.refusal || ${value("given")})
    from ${refusalBefore(kind)} as operation
    where ${isOwnRecord} and operation.refusal is not null`,
);
const SETTLE = statement(
  sql`update ${idempotencyRecord} set results = results -> '$.results'
    where ${isOwnRecord} and results ->> '$.since' < ${latestRevision}`,
);
const REQUIRE_CHANGE = statement(
  sql`select case json_type(results) when 'object' then ${refuse(sql`'idle ' || (results ->> '$.since')`)} end
    from ${idempotencyRecord} where ${isOwnRecord}`,
);
const READ_RECORD = statement<{ requestDigest: string; results: string }>(
  sql`select request_digest as requestDigest, results from ${idempotencyRecord} where ${isOwnRecord}`,
);
const READ_TASKS = statement<Row>(
  sql`select ${columns} from ${task} where user_id = ${userId} and id in (
    select value from json_each(${value("ids")}) union all
    select case result.type when 'object' then result.value ->> 'id'
      else substr(result.value, ${sql.raw(String(CREATED.length + 1))}) end
    from ${idempotencyRecord}, json_each(receipt.results) as result
    where ${isOwnRecord})`,
);

/** Writes the record of a key, if the condition holds or the key is taken: then it fails. */
function reservation(results: SQL, condition: SQL): SQL {
  return sql`insert into ${idempotencyRecord} (user_id, key, request_digest, results, created_at)
    select ${session.userId}, ${value("key")}, ${value("digest")}, ${results}, ${now}
    from ${session}, ${totalsBefore} as before
    where ${sessionIsActive} and (${condition} or exists (select 1 from ${idempotencyRecord} where ${isOwnRecord}))`;
}

export function createIdempotencyRecords({ whileSessionActive }: TaskQueryContext) {
  return {
    createdAs,

    /** Reserves the key for a creation that happens, or stops the transaction if the key is taken. */
    reserveKey: ({ key, digest }: IdempotencyKey, results: string[], { kind, values }: Change<CreationKind>) => ({
      statement: reserveKeyOf(kind),
      values: { ...values, key, digest, results: JSON.stringify(results) },
    }),

    /**
     * Reserves the key for a batch. Until `settle`, the record holds the newest revision so far, and a result for each
     * operation: `done`, unless `recordRefusal` puts another in its place.
     */
    reserveKeyFor({ key, digest }: IdempotencyKey, steps: BatchStep[]): Query<unknown> {
      const results = JSON.stringify(steps.map(({ id, named }) => (named === undefined ? createdAs(id) : DONE)));
      return { statement: RESERVE_KEY, values: { key, digest, results } };
    },

    /** Records that an operation is refused, with the id that the server gave. Runs before the operation. */
    recordRefusal({ key }: IdempotencyKey, index: number, { id, named, change }: BatchStep): Query<unknown> {
      const given = named === undefined ? ` ${id}` : "";
      return {
        statement: recordRefusalOf(change.kind),
        values: { ...change.values, key, path: `$.results[${index}]`, given },
      };
    },

    /** Completes the record, if a change was made since the key was reserved. */
    settle: ({ key }: IdempotencyKey) => ({ statement: SETTLE, values: { key } }),

    /** Stops the transaction, with the newest revision, if nothing changed: no quota would bound the number of keys. */
    requireChange: ({ key }: IdempotencyKey) => ({ statement: REQUIRE_CHANGE, values: { key } }),

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

  async function replay({ key, digest }: IdempotencyKey, named: NamedId[]): Promise<OnceResult<never>> {
    const ids = named.filter((id) => id !== undefined).map((id) => id.slice(0, MAX_ID_CHARACTERS));
    const [[record], rows] = await whileSessionActive(
      { statement: READ_RECORD, values: { key } },
      { statement: READ_TASKS, values: { key, ids: JSON.stringify(ids) } },
    );
    // The key was taken just now: this replica lags behind.
    if (!record) throw new Error("D1_ERROR: the idempotency record has not arrived yet");
    if (record.requestDigest !== digest) return { outcome: "key-reused" };
    // An erased task has no contents to show.
    const tasks = new Map(rows.filter(({ title }) => title !== "").map((row) => [row.id, toTask(row)]));
    const results = parseResults(record.results, named);
    return { outcome: "replayed", results: results.map((result) => ({ ...result, task: tasks.get(result.id) })) };
  }
}

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
