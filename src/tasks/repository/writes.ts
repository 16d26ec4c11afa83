/** Writes of one task. */
import { uuidv7 } from "uuidv7";
import { isDatabaseFailure } from "../../db/client.ts";
import { withRetries } from "../../db/retry.ts";
import { DAY_MS } from "../../time.ts";
import type { NewTask, TaskChanges } from "../model.ts";
import type { CreateResult, IdempotencyKey, OverQuota, WriteResult } from "../outcomes.ts";
import { type Precondition, satisfies } from "../precondition.ts";
import { TRASH_DAYS } from "../retention.ts";
import type { TaskQueryContext } from "./context.ts";
import type { IdempotencyRecords } from "./idempotency-records.ts";
import { type Row, toTask } from "./row.ts";
import type { Change, Statements } from "./statements.ts";

export function createWrites(context: TaskQueryContext, statements: Statements, records: IdempotencyRecords) {
  const { now, totals, transaction, whileSessionActive, bothWhileSessionActive } = context;

  return {
    /** Creates a task; with a key, once. 5 rows read, 9 written; with a key 10. */
    async create(input: NewTask, key?: IdempotencyKey): Promise<CreateResult> {
      if (!key) {
        const change = statements.insert(uuidv7(), input);
        const [row] = await change.run();
        return row ? { outcome: "created", task: toTask(row) } : explainCreation(change);
      }
      return withRetries(async () => {
        const id = uuidv7();
        const change = statements.insert(id, input);
        const reservation = records.reserveKey(key, id, change.exceeded);
        const created = await records.runOnce(key, [undefined], async () => {
          const [, [row]] = await transaction([reservation, change.run()]);
          return row;
        });
        if (created.outcome === "key-reused") return created;
        if (created.outcome === "first") {
          return created.answer ? { outcome: "created", task: toTask(created.answer) } : explainCreation(change);
        }
        const task = created.results[0]?.task;
        return task ? { outcome: "replayed", task } : { outcome: "erased" };
      });
    },

    /** Changes the named fields. 6 rows read, 3 to 8 written: docs/costs.md. */
    update: (id: string, changes: TaskChanges, precondition: Precondition = {}): Promise<WriteResult> =>
      write(id, () => statements.update(id, changes, precondition), precondition, isPresent),

    /** Moves a task to the trash. Its tombstone stays for the change feed. 6 rows read, 4 written. */
    delete: (id: string, precondition: Precondition = {}): Promise<WriteResult> =>
      write(id, () => statements.delete(id, precondition), precondition, isPresent),

    /** Restores a task from the trash. */
    restore: (id: string, precondition: Precondition = {}): Promise<WriteResult> =>
      write(id, () => statements.restore(id, precondition), precondition, isRestorable),
  };

  /** Finds out why a creation wrote nothing: the session has ended, or a quota is used up. */
  async function explainCreation(change: Change): Promise<OverQuota> {
    const [found] = await whileSessionActive(statements.readBefore("", change));
    // Another change made room since: the caller may retry.
    if (!found?.exceeded) throw new Error("D1_ERROR: the totals have changed meanwhile");
    return { outcome: "over-quota", quota: totals.exceededQuota(found.exceeded, found) };
  }

  /**
   * Retries a conditional write when D1 fails, and then believes success only: the first attempt itself may have made the
   * condition false. An unconditional write is not retried: it could overwrite what others wrote since.
   */
  async function write(...[id, statement, precondition, isTarget]: Parameters<typeof writeOnce>): Promise<WriteResult> {
    try {
      return await writeOnce(id, statement, precondition, isTarget);
    } catch (error) {
      if (!precondition.ifMatch || !isDatabaseFailure(error)) throw error;
      const again = await withRetries(() => writeOnce(id, statement, precondition, isTarget));
      if (again.outcome === "done") return again;
      throw error;
    }
  }

  /**
   * Writes in one statement. If it wrote nothing, it runs once more in one transaction with a read that shows why, so that
   * both describe the same moment.
   */
  async function writeOnce(
    id: string,
    statement: () => Change,
    precondition: Precondition,
    isTarget: (row: Row) => boolean,
  ): Promise<WriteResult> {
    const [written] = await statement().run();
    if (written) return { outcome: "done", task: toTask(written) };
    const again = statement();
    const [[late], [current]] = await bothWhileSessionActive(again.run(), statements.readBefore(id, again));
    if (late) return { outcome: "done", task: toTask(late) };
    if (!current?.id || !isTarget(current)) return { outcome: "absent" };
    if (!satisfies(current.revision, precondition)) return { outcome: "stale", revision: current.revision };
    if (current.exceeded) return { outcome: "over-quota", quota: totals.exceededQuota(current.exceeded, current) };
    return { outcome: "done", task: toTask(current) };
  }

  function isRestorable({ deletedAt, title }: Row): boolean {
    return deletedAt === null || (deletedAt >= now() - TRASH_DAYS * DAY_MS && title !== "");
  }
}

function isPresent({ deletedAt }: Row): boolean {
  return deletedAt === null;
}
