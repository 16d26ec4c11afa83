/** Writes of one task. */
import { uuidv7 } from "uuidv7";
import { isDatabaseFailure } from "../../db/client.ts";
import { withRetries } from "../../db/retry.ts";
import type { CreateTask, TaskChanges } from "../model.ts";
import type { CreateResult, IdempotencyKey, WriteResult } from "../outcomes.ts";
import type { Precondition } from "../precondition.ts";
import type { TaskQueryContext } from "./context.ts";
import type { IdempotencyRecords } from "./idempotency-records.ts";
import { parseRefusal } from "./refusals.ts";
import { toTask } from "./row.ts";
import type { Change, Statements } from "./statements.ts";

export function createWrites(context: TaskQueryContext, statements: Statements, records: IdempotencyRecords) {
  const { totals, transaction, whileSessionActive, bothWhileSessionActive } = context;

  return {
    /** Creates a task; with a key, or an id of the caller's own, once. 5 rows read, 9 written; with a key 10. */
    async create(input: CreateTask, key?: IdempotencyKey): Promise<CreateResult> {
      if (!key) {
        const id = input.id ?? uuidv7();
        const change = statements.insert(id, input);
        const [row] = await change.run();
        return row ? { outcome: "created", task: toTask(row) } : explainCreation(id, change);
      }
      return withRetries(async () => {
        const id = input.id ?? uuidv7();
        const change = statements.insert(id, input);
        const reservation = records.reserveKey(key, [records.createdAs(id)], change.happens);
        const created = await records.runOnce(key, [undefined], async () => {
          const [, [row]] = await transaction([reservation, change.run()]);
          return row;
        });
        if (created.outcome === "key-reused") return created;
        if (created.outcome === "first") {
          return created.answer ? { outcome: "created", task: toTask(created.answer) } : explainCreation(id, change);
        }
        const task = created.results[0]?.task;
        return task ? { outcome: "replayed", task } : { outcome: "erased" };
      });
    },

    /** Changes the named fields. 6 rows read, 3 to 8 written: docs/costs.md. */
    update: (id: string, changes: TaskChanges, precondition: Precondition = {}): Promise<WriteResult> =>
      write(id, () => statements.update(id, changes, precondition), precondition),

    /** Moves a task to the trash. Its tombstone stays for the change feed. 6 rows read, 4 written. */
    delete: (id: string, precondition: Precondition = {}): Promise<WriteResult> =>
      write(id, () => statements.delete(id, precondition), precondition),

    /** Restores a task from the trash. */
    restore: (id: string, precondition: Precondition = {}): Promise<WriteResult> =>
      write(id, () => statements.restore(id, precondition), precondition),
  };

  /** Finds out why a creation wrote nothing: the session has ended, the id is taken, or a quota is used up. */
  async function explainCreation(id: string, change: Change): Promise<CreateResult> {
    const [found] = await whileSessionActive(statements.readBefore(id, change));
    if (found?.refusal) {
      const refusal = parseRefusal(found.refusal);
      if (refusal.outcome === "over-quota") return { ...refusal, quota: totals.exceededQuota(refusal.quota, found) };
      return { outcome: "id-taken" };
    }
    // Another change made room, or erased a task with this id: the caller may retry.
    if (!found?.id) throw new Error("D1_ERROR: the totals have changed meanwhile");
    return { outcome: "replayed", task: toTask(found) };
  }

  /**
   * Retries a conditional write when D1 fails, and then believes success only: the first attempt itself may have made the
   * condition false. An unconditional write is not retried: it could overwrite what others wrote since.
   */
  async function write(id: string, statement: () => Change, precondition: Precondition): Promise<WriteResult> {
    try {
      return await writeOnce(id, statement);
    } catch (error) {
      if (!precondition.ifMatch || !isDatabaseFailure(error)) throw error;
      const again = await withRetries(() => writeOnce(id, statement));
      if (again.outcome === "done") return again;
      throw error;
    }
  }

  /**
   * Writes in one statement. If it wrote nothing, it runs once more in one transaction with a read that shows why, so that
   * both describe the same moment.
   */
  async function writeOnce(id: string, statement: () => Change): Promise<WriteResult> {
    const [written] = await statement().run();
    if (written) return { outcome: "done", task: toTask(written) };
    const again = statement();
    const [[late], [current]] = await bothWhileSessionActive(again.run(), statements.readBefore(id, again));
    if (late) return { outcome: "done", task: toTask(late) };
    if (!current) return { outcome: "absent" };
    if (!current.refusal) return { outcome: "done", task: toTask(current) };
    const refusal = parseRefusal(current.refusal);
    if (refusal.outcome === "over-quota") return { ...refusal, quota: totals.exceededQuota(refusal.quota, current) };
    return refusal.outcome === "stale" ? refusal : { outcome: "absent" };
  }
}
