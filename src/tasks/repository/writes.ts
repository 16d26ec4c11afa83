/** Writes of one task. */
import { uuidv7 } from "uuidv7";
import { isDatabaseFailure } from "../../db/client.ts";
import { withRetries } from "../../db/retry.ts";
import type { CreateTask, TaskChanges } from "../model.ts";
import type { CreateResult, IdempotencyKey, WriteResult } from "../outcomes.ts";
import type { Precondition } from "../precondition.ts";
import { type Change, queryOf, readBefore } from "./change-kinds.ts";
import type { TaskQueryContext } from "./context.ts";
import type { IdempotencyRecords } from "./idempotency-records.ts";
import { parseRefusal } from "./refusals.ts";
import { type Row, taskIn, toTask } from "./row.ts";
import * as changing from "./statements.ts";
import { exceededQuota } from "./totals.ts";

export function createWrites(context: TaskQueryContext, records: IdempotencyRecords) {
  const { run, transaction, whileSessionActive, now } = context;

  return {
    /** Creates a task, with a key or an id of the caller's own once. 5 rows read, 4 written; with a key 5. */
    async create(input: CreateTask, key?: IdempotencyKey): Promise<CreateResult> {
      if (!key) {
        const change = changing.insert(input.id ?? uuidv7(), input, now());
        const [row] = await run(queryOf(change));
        return row ? { outcome: "created", task: toTask(row) } : explainCreation(change);
      }
      return withRetries(async () => {
        const id = input.id ?? uuidv7();
        const change = changing.insert(id, input, now());
        const reservation = records.reserveKey(key, [records.createdAs(id)], change);
        const created = await records.runOnce(key, [undefined], async () => {
          const [, rows] = await transaction([reservation, queryOf(change)]);
          return (rows as Row[])[0];
        });
        if (created.outcome === "key-reused") return created;
        if (created.outcome === "first") {
          return created.answer ? { outcome: "created", task: toTask(created.answer) } : explainCreation(change);
        }
        const task = created.results[0]?.task;
        return task ? { outcome: "replayed", task } : { outcome: "erased" };
      });
    },

    /** Changes the named fields. 6 rows read, 2 to 3 written: docs/costs.md. */
    update: (id: string, changes: TaskChanges, precondition: Precondition = {}): Promise<WriteResult> =>
      write(changing.update(id, changes, precondition), precondition),

    /** Moves a task to the trash. Its tombstone stays for the change feed. 6 rows read, 4 written. */
    delete: (id: string, precondition: Precondition = {}): Promise<WriteResult> =>
      write(changing.delete(id, precondition), precondition),

    /** Restores a task from the trash. */
    restore: (id: string, precondition: Precondition = {}): Promise<WriteResult> =>
      write(changing.restore(id, precondition), precondition),
  };

  /** Finds out why a creation wrote nothing: the session has ended, the id is taken, or a quota is used up. */
  async function explainCreation(change: Change): Promise<CreateResult> {
    const [[found]] = await whileSessionActive(readBefore(change));
    if (found?.refusal) {
      const refusal = parseRefusal(found.refusal);
      if (refusal.outcome === "over-quota") return { ...refusal, quota: exceededQuota(context, refusal.quota, found) };
      return { outcome: "id-taken" };
    }
    const [row] = found ? taskIn(found) : [];
    // Another change made room, or erased a task with this id: the caller may retry.
    if (!row) throw new Error("D1_ERROR: the totals have changed meanwhile");
    return { outcome: "replayed", task: toTask(row) };
  }

  /**
   * Retries a conditional write when D1 fails, and then believes success only: the first attempt itself may have made the
   * condition false. An unconditional write is not retried: it could overwrite what others wrote since.
   */
  async function write(change: Change, precondition: Precondition): Promise<WriteResult> {
    try {
      return await writeOnce(change);
    } catch (error) {
      if (!precondition.ifMatch || !isDatabaseFailure(error)) throw error;
      const again = await withRetries(() => writeOnce(change));
      if (again.outcome === "done") return again;
      throw error;
    }
  }

  /**
   * Writes in one statement. If it wrote nothing, it runs once more in one transaction with a read that shows why, so that
   * both describe the same moment.
   */
  async function writeOnce(change: Change): Promise<WriteResult> {
    const [written] = await run(queryOf(change));
    if (written) return { outcome: "done", task: toTask(written) };
    const [[late], [current]] = await whileSessionActive(queryOf(change), readBefore(change));
    if (late) return { outcome: "done", task: toTask(late) };
    const [row] = current ? taskIn(current) : [];
    if (!current || !row) return { outcome: "absent" };
    if (!current.refusal) return { outcome: "done", task: toTask(row) };
    const refusal = parseRefusal(current.refusal);
    if (refusal.outcome === "over-quota") return { ...refusal, quota: exceededQuota(context, refusal.quota, current) };
    return refusal.outcome === "stale" ? refusal : { outcome: "absent" };
  }
}
