/**
 * Doing what a keyed request asks for exactly once. Its receipt is written in the same transaction as its work, so
 * that there is neither without the other; a twin finds the receipt, does nothing, and is answered from it.
 * @see https://datatracker.ietf.org/doc/draft-ietf-httpapi-idempotency-key-header/
 */
import { and, eq, type SQL, sql } from "drizzle-orm";
import { session } from "../auth/tables.ts";
import { violates } from "../db/client.ts";
import type { Task } from "./model.ts";
import { columns, type Row, toTask } from "./row.ts";
import type { TaskScope } from "./scope.ts";
import { receipt, task } from "./table.ts";
import type { QuotaName } from "./totals.ts";

/** A caller's name for a request, and a digest of what it asks for. */
export type IdempotencyKey = { key: string; digest: string };

/** What came of one operation. */
export type Result = {
  outcome: "done" | "absent" | "stale" | "over-quota";
  id: string;
  revision?: number;
  quota?: QuotaName;
};

/** An operation's result, and its task as it is now. */
export type TaskResult = Result & { task: Task | undefined };

export type Once<Answer> =
  | { outcome: "first"; answer: Answer }
  | { outcome: "replayed"; results: TaskResult[] }
  | { outcome: "key-reused" };

/** The id of the task that an operation names; nothing where it creates one. */
export type NamedId = string | undefined;

/** An operation of a batch as `settle` judges it: what it wants the task's columns to be. */
export type Settled = {
  id: string;
  ifMatch?: readonly number[] | undefined;
  creates: boolean;
  wanted: Record<string, unknown>;
};

/** No id is so long; what is longer is a task that is not there. */
export const MAX_ID_CHARACTERS = 100;

const WANTED: [string, SQL][] = [
  ["title", sql`${task.title}`],
  ["description", sql`${task.description}`],
  ["priority", sql`${task.priority}`],
  ["due", sql`${task.due}`],
  ["tags", sql`${task.tags}`],
  ["completed", sql`(${task.completedAt} is not null)`],
];

export type Receipts = ReturnType<typeof createReceipts>;

export function createReceipts({ db, raw, userId, totals, now, isLive, bothWhileLive, latestRevision }: TaskScope) {
  const isFor = ({ key }: IdempotencyKey) => and(eq(receipt.userId, userId), eq(receipt.key, key));

  return {
    /**
     * Takes the key, or stops the transaction if it is taken. Results that are not known yet are to be settled.
     * @param exceeded names the quota that the work would exceed: then it is not done, and the key stays free
     */
    claim({ key, digest }: IdempotencyKey, created: string | "unsettled", exceeded: SQL = sql`null`) {
      // Until they are settled, the newest revision stands there: what is newer then was done by this transaction.
      const kept: SQL =
        created === "unsettled" ? sql`json_array(${latestRevision()})` : sql`${JSON.stringify([keptAs(created)])}`;
      const isTaken = sql`exists (select 1 from ${receipt} where user_id = ${userId} and key = ${key})`;
      return raw(
        sql`insert into ${receipt} (user_id, key, request_digest, results, created_at)
          select ${session.userId}, ${key}, ${digest}, ${kept}, ${now()} from ${session}, ${totals.beforeCreating()} as before
          where ${isLive()} and (${exceeded} is null or ${isTaken})`,
      );
    },

    /**
     * Keeps what came of operations on different tasks, told from what the tasks are like at the end: one that would still
     * change something was kept from it by a quota.
     */
    settle({ key }: IdempotencyKey, operations: Settled[]) {
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
      return keep(
        key,
        sql`(select json_group_array(${result}) from json_each(${JSON.stringify(operations)}) as operation
          join ${totals.beforeCreating()} as before
          left join ${task} on task.user_id = receipt.user_id and task.id = operation.value ->> 'id')`,
      );
    },

    /** Keeps that all was done: a transaction in which all is done or nothing. `created`: the id, where one was made. */
    settleAs: ({ key }: IdempotencyKey, created: NamedId[]) => keep(key, sql`${JSON.stringify(created.map(keptAs))}`),

    /** Forgets a key under which nothing was changed: no quota bounds how many of those there are. */
    forgetIdle: ({ key }: IdempotencyKey) =>
      raw(
        sql`delete from ${receipt} where user_id = ${userId} and key = ${key} and json_type(results, '$[0]') = 'integer'`,
      ),

    /** Reads what was kept, so that the first answer and each repetition tell the same. Nothing where nothing changed. */
    kept: ({ key }: IdempotencyKey) =>
      raw<{ results: string }>(sql`select results from ${receipt} where user_id = ${userId} and key = ${key}`),

    /**
     * Does the work, or finds that it was done.
     * @param named the id that each operation names
     */
    async orReplay<Answer>(key: IdempotencyKey, named: NamedId[], work: () => Promise<Answer>): Promise<Once<Answer>> {
      try {
        return { outcome: "first", answer: await work() };
      } catch (error) {
        if (!violates(error, "receipt.user_id")) throw error;
        return replay(key, named);
      }
    },
  };

  /** Keeps results, if anything has changed since the key was taken. */
  function keep(key: string, results: SQL) {
    return raw(
      sql`update ${receipt} set results = ${results}
        where user_id = ${userId} and key = ${key} and json_extract(results, '$[0]') < ${latestRevision()}`,
    );
  }

  async function replay(key: IdempotencyKey, named: NamedId[]): Promise<Once<never>> {
    const ids = named.filter((id) => id !== undefined).map((id) => id.slice(0, MAX_ID_CHARACTERS));
    const [[kept], rows] = await bothWhileLive(
      db.select().from(receipt).where(isFor(key)),
      raw<Row>(
        sql`select ${columns} from ${task} where user_id = ${userId} and id in (
          select value from json_each(${JSON.stringify(ids)}) union all
          select case result.type when 'object' then result.value ->> 'id' else substr(result.value, ${CREATED.length + 1}) end
          from ${receipt}, json_each(receipt.results) as result
          where receipt.user_id = ${userId} and receipt.key = ${key.key})`,
      ),
    );
    // The key was taken a moment ago: who cannot see that has asked a replica that lags.
    if (!kept) throw new Error("D1_ERROR: the receipt is not here yet");
    if (kept.requestDigest !== key.digest) return { outcome: "key-reused" };
    // Of what was forgotten nothing is left to show.
    const tasks = new Map(rows.filter(({ title }) => title !== "").map((row) => [row.id, toTask(row)]));
    const results = readKept(kept.results, named);
    return { outcome: "replayed", results: results.map((result) => ({ ...result, task: tasks.get(result.id) })) };
  }
}

const CREATED = "done ";

/**
 * What a receipt keeps of each operation is its outcome, and what no repetition can tell: the id that a creation was given,
 * the revision that did not match, or the quota. So a receipt is short, however many operations changed nothing.
 */
function keptAs(created: NamedId): string {
  return created === undefined ? "done" : `${CREATED}${created}`;
}

/** Reads what a receipt keeps. Receipts of earlier versions hold objects, for as long as keys are kept. */
export function readKept(results: string, named: NamedId[]): Result[] {
  return (JSON.parse(results) as (string | Result)[]).map((kept, index) => {
    const name = named[index];
    if (typeof kept !== "string") return { ...kept, id: name ?? kept.id };
    const [outcome, ...facts] = kept.split(" ") as [Result["outcome"], ...string[]];
    const id = name ?? facts.at(-1) ?? "";
    if (outcome === "stale") return { outcome, id, revision: Number(facts[0]) };
    return outcome === "over-quota" ? { outcome, id, quota: facts[0] as QuotaName } : { outcome, id };
  });
}
