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

/** A caller's name for a request, and a digest of what it asks for. */
export type IdempotencyKey = { key: string; digest: string };

/** What came of one operation, as a receipt keeps it. */
export type Result = { outcome: "done" | "absent" | "stale"; id: string; revision?: number | null };

/** An operation's result, and its task as it is now. */
export type TaskResult = Result & { task: Task | undefined };

export type Once<Answer> =
  | { outcome: "first"; answer: Answer }
  | { outcome: "replayed"; results: TaskResult[] }
  | { outcome: "key-reused" };

export type Receipts = ReturnType<typeof createReceipts>;

export function createReceipts({ db, raw, userId, now, isLive, bothWhileLive, latestRevision }: TaskScope) {
  const isFor = ({ key }: IdempotencyKey) => and(eq(receipt.userId, userId), eq(receipt.key, key));

  return {
    /** Takes the key, or stops the transaction if it is taken. Results that are not known yet are to be settled. */
    claim({ key, digest }: IdempotencyKey, results: Result[] | "unsettled") {
      // Until they are settled, the newest revision stands there: what is newer then was done by this transaction.
      const kept: SQL =
        results === "unsettled" ? sql`cast(${latestRevision()} as text)` : sql`${JSON.stringify(results)}`;
      return raw(
        sql`insert into ${receipt} (user_id, key, request_digest, results, created_at)
          select ${session.userId}, ${key}, ${digest}, ${kept}, ${now()} from ${session} where ${isLive()}`,
      );
    },

    /** Keeps what came of operations on different tasks, told from what the tasks are like at the end. */
    settle({ key }: IdempotencyKey, operations: { id: string; ifMatch?: readonly number[] | undefined }[]) {
      const isStale = sql`operation.value ->> 'ifMatch' is not null
        and not exists (select 1 from json_each(operation.value, '$.ifMatch') as tag where tag.value = task.revision)`;
      const outcome = sql`case
        when task.id is null then 'absent'
        when task.revision > cast(receipt.results as integer) then 'done'
        when task.deleted_at is not null then 'absent'
        when ${isStale} then 'stale'
        else 'done' end`;
      const result = sql`json_object('outcome', ${outcome}, 'id', operation.value ->> 'id', 'revision', task.revision)`;
      return raw(
        sql`update ${receipt} set results = (
            select json_group_array(${result}) from json_each(${JSON.stringify(operations)}) as operation
            left join ${task} on task.user_id = receipt.user_id and task.id = operation.value ->> 'id')
          where user_id = ${userId} and key = ${key}`,
      );
    },

    /** Does the work, or finds that it was done. */
    async orReplay<Answer>(key: IdempotencyKey, work: () => Promise<Answer>): Promise<Once<Answer>> {
      try {
        return { outcome: "first", answer: await work() };
      } catch (error) {
        if (!violates(error, "receipt.user_id")) throw error;
        return replay(key);
      }
    },
  };

  async function replay(key: IdempotencyKey): Promise<Once<never>> {
    const [[kept], rows] = await bothWhileLive(
      db.select().from(receipt).where(isFor(key)),
      raw<Row>(
        sql`select ${columns} from ${task} where user_id = ${userId} and id in (
          select result.value ->> 'id' from ${receipt}, json_each(receipt.results) as result
          where receipt.user_id = ${userId} and receipt.key = ${key.key})`,
      ),
    );
    // The key was taken a moment ago: who cannot see that has asked a replica that lags.
    if (!kept) throw new Error("D1_ERROR: the receipt is not here yet");
    if (kept.requestDigest !== key.digest) return { outcome: "key-reused" };
    const tasks = new Map(rows.map((row) => [row.id, toTask(row)]));
    const results: Result[] = JSON.parse(kept.results);
    return { outcome: "replayed", results: results.map((result) => ({ ...result, task: tasks.get(result.id) })) };
  }
}
