/** Single writes. */
import { uuidv7 } from "uuidv7";
import { isDatabaseTrouble } from "../db/client.ts";
import { retrying } from "../db/retry.ts";
import { DAY_MS } from "../time.ts";
import { type NewTask, type Task, type TaskChanges, TRASH_DAYS } from "./model.ts";
import { holds, type Precondition } from "./precondition.ts";
import type { IdempotencyKey, Receipts } from "./receipts.ts";
import { type Row, toTask } from "./row.ts";
import type { TaskScope } from "./scope.ts";
import type { Change, Statements } from "./statements.ts";
import type { ExceededQuota } from "./totals.ts";

/** What came of a write. A task that already was as wanted is `done` too: nothing was written then. */
export type Written =
  | { outcome: "done"; task: Task }
  | { outcome: "absent" }
  | { outcome: "stale"; revision: number }
  | OverQuota;

/** A change that would exceed a quota: nothing was written. */
export type OverQuota = { outcome: "over-quota"; quota: ExceededQuota };

/** What came of creating a task. `forgotten`: the key created one of which only is known that it was deleted. */
export type Created =
  | { outcome: "created" | "replayed"; task: Task }
  | { outcome: "key-reused" }
  | { outcome: "forgotten" }
  | OverQuota;

export function createWrites(scope: TaskScope, statements: Statements, receipts: Receipts) {
  const { db, now, totals, whileLive, bothWhileLive } = scope;

  return {
    /** Creates a task; with a key, once. 5 rows read, 9 written; with a key 10. */
    async create(input: NewTask, key?: IdempotencyKey): Promise<Created> {
      if (!key) {
        const change = statements.insert(uuidv7(), input);
        const [row] = await change.run();
        return row ? { outcome: "created", task: toTask(row) } : explainCreation(change);
      }
      return retrying(async () => {
        const id = uuidv7();
        const change = statements.insert(id, input);
        const claim = receipts.claim(key, id, change.exceeded);
        const created = await receipts.orReplay(key, [undefined], async () => {
          const [, [row]] = await db.batch([claim, change.run()]);
          return row;
        });
        if (created.outcome === "key-reused") return created;
        if (created.outcome === "first") {
          return created.answer ? { outcome: "created", task: toTask(created.answer) } : explainCreation(change);
        }
        const task = created.results[0]?.task;
        return task ? { outcome: "replayed", task } : { outcome: "forgotten" };
      });
    },

    /** Changes the named fields. 6 rows read, 3 to 8 written: docs/costs.md. */
    update: (id: string, changes: TaskChanges, precondition: Precondition = {}): Promise<Written> =>
      write(id, () => statements.update(id, changes, precondition), precondition, isPresent),

    /** Deletes a task, leaving a tombstone. 6 rows read, 4 written. */
    delete: (id: string, precondition: Precondition = {}): Promise<Written> =>
      write(id, () => statements.delete(id, precondition), precondition, isPresent),

    /** Takes a task out of the trash. */
    restore: (id: string, precondition: Precondition = {}): Promise<Written> =>
      write(id, () => statements.restore(id, precondition), precondition, isRestorable),
  };

  /** Why a creation wrote nothing: the session has ended, or a quota is used up. */
  async function explainCreation(change: Change): Promise<OverQuota> {
    const [found] = await whileLive(statements.look("", change));
    // There was room a moment later: the caller may try again.
    if (!found?.exceeded) throw new Error("D1_ERROR: the totals have changed meanwhile");
    return { outcome: "over-quota", quota: totals.describe(found.exceeded, found) };
  }

  /**
   * Conditional writes are done again when D1 is in trouble, but only success is believed then: that the condition no
   * longer holds may be the first try's own doing. Unconditional ones are not: others may have written since.
   */
  async function write(...[id, statement, precondition, isTarget]: Parameters<typeof writeOnce>): Promise<Written> {
    try {
      return await writeOnce(id, statement, precondition, isTarget);
    } catch (error) {
      if (!precondition.ifMatch || !isDatabaseTrouble(error)) throw error;
      const again = await retrying(() => writeOnce(id, statement, precondition, isTarget));
      if (again.outcome === "done") return again;
      throw error;
    }
  }

  /**
   * Writes in one statement when there is something to write. Otherwise the statement runs once more,
   * in one transaction with a read that tells why, so that the answer is true of one moment.
   */
  async function writeOnce(
    id: string,
    statement: () => Change,
    precondition: Precondition,
    isTarget: (row: Row) => boolean,
  ): Promise<Written> {
    const [written] = await statement().run();
    if (written) return { outcome: "done", task: toTask(written) };
    const again = statement();
    const [[late], [current]] = await bothWhileLive(again.run(), statements.look(id, again));
    if (late) return { outcome: "done", task: toTask(late) };
    if (!current?.id || !isTarget(current)) return { outcome: "absent" };
    if (!holds(current.revision, precondition)) return { outcome: "stale", revision: current.revision };
    if (current.exceeded) return { outcome: "over-quota", quota: totals.describe(current.exceeded, current) };
    return { outcome: "done", task: toTask(current) };
  }

  function isRestorable({ deletedAt, title }: Row): boolean {
    return deletedAt === null || (deletedAt >= now() - TRASH_DAYS * DAY_MS && title !== "");
  }
}

function isPresent({ deletedAt }: Row): boolean {
  return deletedAt === null;
}
