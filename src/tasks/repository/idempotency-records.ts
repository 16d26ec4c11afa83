/**
 * Runs a keyed request exactly once. Its record is written in the same transaction as its work, so that neither exists
 * without the other. A repetition finds the record, does nothing, and is answered from it.
 * @see https://datatracker.ietf.org/doc/draft-ietf-httpapi-idempotency-key-header/
 */
import { type SQL, sql } from "drizzle-orm";
import { session } from "../../auth/tables.ts";
import { violates } from "../../db/client.ts";
import type { IdempotencyKey, OperationResult } from "../outcomes.ts";
import type { TaskQueryContext } from "./context.ts";
import { columns, type Row, toTask } from "./row.ts";
import { idempotencyRecord, task } from "./table.ts";
import type { QuotaName } from "./totals.ts";

/** An operation's result, as a record stores it. */
export type StoredResult = Omit<OperationResult, "task">;

export type OnceResult<Answer> =
  | { outcome: "first"; answer: Answer }
  | { outcome: "replayed"; results: OperationResult[] }
  | { outcome: "key-reused" };

/** The id that an operation names; undefined for a creation. */
export type NamedId = string | undefined;

/** An operation of a batch, as its result is derived: the values that it wants in the task's columns. */
export type ExpectedTask = {
  id: string;
  ifMatch?: readonly number[] | undefined;
  creates: boolean;
  wanted: Record<string, unknown>;
};

/** No id is longer. A longer text names no task. */
export const MAX_ID_CHARACTERS = 100;

const WANTED: [string, SQL][] = [
  ["title", sql`${task.title}`],
  ["description", sql`${task.description}`],
  ["priority", sql`${task.priority}`],
  ["due", sql`${task.due}`],
  ["tags", sql`${task.tags}`],
  ["completed", sql`(${task.completedAt} is not null)`],
];

export type IdempotencyRecords = ReturnType<typeof createIdempotencyRecords>;

export function createIdempotencyRecords(context: TaskQueryContext) {
  const { query, userId, totals, now, sessionIsActive, bothWhileSessionActive, latestRevision } = context;

  return {
    /**
     * Reserves the key, or stops the transaction if the key is taken.
     * @param created the id of the task that the work creates; or `pending`, where results are recorded later
     * @param exceeded names the quota that the work would exceed: then the key stays free
     */
    reserveKey({ key, digest }: IdempotencyKey, created: string | "pending", exceeded: SQL = sql`null`) {
      // Pending results hold the newest revision so far: a newer one was written by this transaction.
      const results: SQL =
        created === "pending" ? sql`json_array(${latestRevision()})` : sql`${JSON.stringify([storedAs(created)])}`;
      const isTaken = sql`exists (select 1 from ${idempotencyRecord} where user_id = ${userId} and key = ${key})`;
      return query(
        sql`insert into ${idempotencyRecord} (user_id, key, request_digest, results, created_at)
          select ${session.userId}, ${key}, ${digest}, ${results}, ${now()} from ${session}, ${totals.beforeCreating()} as before
          where ${sessionIsActive()} and (${exceeded} is null or ${isTaken})`,
      );
    },

    /**
     * Records the results of operations on different tasks, derived from the tasks as they are at the end: an operation that
     * would still change its task was stopped by a quota.
     */
    recordResults({ key }: IdempotencyKey, operations: ExpectedTask[]) {
      const isStale = sql`operation.value ->> 'ifMatch' is not null
        and not exists (select 1 from json_each(operation.value, '$.ifMatch') as tag where tag.value = task.revision)`;
      const differs = WANTED.map(
        ([name, column]) => sql`(json_type(operation.value, ${`$.wanted.${name}`}) is not null
          and ${column} is not operation.value ->> ${`$.wanted.${name}`})`,
      );
      const isOver = sql`(operation.value ->> 'creates' and task.id is null) or (task.id is not null
        and (${sql.join(differs, sql` or `)}))`;
      const outcome = sql`case
        when task.revision > json_extract(receipt.results, '$[0]') then 'done'
        when task.deleted_at is not null then 'absent'
        when ${isStale} and task.id is not null then 'stale'
        when ${isOver} then 'over-quota'
        when task.id is null then 'absent'
        else 'done' end`;
      const quota = sql`iif(${outcome} = 'over-quota',
        case when before.changes >= ${totals.quotas.changesPerDay} then 'changesPerDay'
          when operation.value ->> 'creates' and before.live >= ${totals.quotas.tasks} then 'tasks' else 'bytes' end, null)`;
      const result = sql`${outcome} || case ${outcome}
        when 'done' then iif(operation.value ->> 'creates', ' ' || (operation.value ->> 'id'), '')
        when 'stale' then ' ' || task.revision
        when 'over-quota' then ' ' || ${quota} || iif(operation.value ->> 'creates', ' ' || (operation.value ->> 'id'), '')
        else '' end`;
      return store(
        key,
        sql`(select json_group_array(${result}) from json_each(${JSON.stringify(operations)}) as operation
          join ${totals.beforeCreating()} as before
          left join ${task} on task.user_id = receipt.user_id and task.id = operation.value ->> 'id')`,
      );
    },

    /** Records that every operation of an atomic batch was done. `created` holds the ids of new tasks. */
    recordAllDone: ({ key }: IdempotencyKey, created: NamedId[]) =>
      store(key, sql`${JSON.stringify(created.map(storedAs))}`),

    /** Deletes the record of a request that changed nothing: no quota would bound their number. */
    releaseIdleKey: ({ key }: IdempotencyKey) =>
      query(
        sql`delete from ${idempotencyRecord} where user_id = ${userId} and key = ${key} and json_type(results, '$[0]') = 'integer'`,
      ),

    /** Reads the recorded results, so that the first answer equals each repetition. No row if nothing changed. */
    readResults: ({ key }: IdempotencyKey) =>
      query<{ results: string }>(
        sql`select results from ${idempotencyRecord} where user_id = ${userId} and key = ${key}`,
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

  /** Stores results, if a change was made since the key was reserved. */
  function store(key: string, results: SQL) {
    return query(
      sql`update ${idempotencyRecord} set results = ${results}
        where user_id = ${userId} and key = ${key} and json_extract(results, '$[0]') < ${latestRevision()}`,
    );
  }

  async function replay(key: IdempotencyKey, named: NamedId[]): Promise<OnceResult<never>> {
    const ids = named.filter((id) => id !== undefined).map((id) => id.slice(0, MAX_ID_CHARACTERS));
    const [[record], rows] = await bothWhileSessionActive(
      query<{ requestDigest: string; results: string }>(
        sql`select request_digest as requestDigest, results from ${idempotencyRecord} where user_id = ${userId} and key = ${key.key}`,
      ),
      query<Row>(
        sql`select ${columns} from ${task} where user_id = ${userId} and id in (
          select value from json_each(${JSON.stringify(ids)}) union all
          select case result.type when 'object' then result.value ->> 'id' else substr(result.value, ${CREATED.length + 1}) end
          from ${idempotencyRecord}, json_each(receipt.results) as result
          where receipt.user_id = ${userId} and receipt.key = ${key.key})`,
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

const CREATED = "done ";

/**
 * A record stores the outcome of each operation, and what a repetition could not derive: the id of a created task, the
 * revision that did not match, or the quota. So a record is short, however many operations changed nothing.
 */
function storedAs(created: NamedId): string {
  return created === undefined ? "done" : `${CREATED}${created}`;
}

/** Parses recorded results. Records of earlier versions hold objects, for as long as keys are kept. */
export function parseResults(results: string, named: NamedId[]): StoredResult[] {
  return (JSON.parse(results) as (string | StoredResult)[]).map((stored, index) => {
    const name = named[index];
    if (typeof stored !== "string") return { ...stored, id: name ?? stored.id };
    const [outcome, ...facts] = stored.split(" ") as [StoredResult["outcome"], ...string[]];
    const id = name ?? facts.at(-1) ?? "";
    if (outcome === "stale") return { outcome, id, revision: Number(facts[0]) };
    return outcome === "over-quota" ? { outcome, id, quota: facts[0] as QuotaName } : { outcome, id };
  });
}
