/** Single writes. */
import { uuidv7 } from "uuidv7";
import { SessionEnded } from "../access/session-ended.ts";
import { isDatabaseTrouble } from "../db/client.ts";
import { retrying } from "../db/retry.ts";
import { DAY_MS } from "../time.ts";
import { type NewTask, type Task, type TaskChanges, TRASH_DAYS } from "./model.ts";
import { holds, type Precondition } from "./precondition.ts";
import type { IdempotencyKey, Receipts } from "./receipts.ts";
import { type Row, toTask } from "./row.ts";
import type { TaskScope } from "./scope.ts";
import type { Statements } from "./statements.ts";

/** What came of a write. A task that already was as wanted is `done` too: nothing was written then. */
export type Written = { outcome: "done"; task: Task } | { outcome: "absent" } | { outcome: "stale"; revision: number };

/** What came of creating a task. */
export type Created = { outcome: "created" | "replayed"; task: Task } | { outcome: "key-reused" };

export function createWrites({ db, now, bothWhileLive }: TaskScope, statements: Statements, receipts: Receipts) {
  return {
    /** Creates a task; with a key, once. 4 rows read, 9 written; with a key 10. */
    async create(input: NewTask, key?: IdempotencyKey): Promise<Created> {
      if (!key) return { outcome: "created", task: present(await statements.insert(uuidv7(), input)) };
      return retrying(async () => {
        const id = uuidv7();
        const claim = receipts.claim(key, [{ outcome: "done", id }]);
        const created = await receipts.orReplay(key, async () => {
          const [, rows] = await db.batch([claim, statements.insert(id, input)]);
          return present(rows);
        });
        if (created.outcome === "key-reused") return created;
        if (created.outcome === "first") return { outcome: "created", task: created.answer };
        const task = created.results[0]?.task;
        if (!task) throw new Error("a receipt without its task");
        return { outcome: "replayed", task };
      });
    },

    /** Changes the named fields. 4 rows read, 3 to 8 written: docs/costs.md. */
    update: (id: string, changes: TaskChanges, precondition: Precondition = {}): Promise<Written> =>
      write(id, () => statements.update(id, changes, precondition), precondition, isPresent),

    /** Deletes a task, leaving a tombstone. 4 rows read, 4 written. */
    delete: (id: string, precondition: Precondition = {}): Promise<Written> =>
      write(id, () => statements.delete(id, precondition), precondition, isPresent),

    /** Takes a task out of the trash. */
    restore: (id: string, precondition: Precondition = {}): Promise<Written> =>
      write(id, () => statements.restore(id, precondition), precondition, isRestorable),
  };

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
    statement: () => ReturnType<Statements["update"]>,
    precondition: Precondition,
    isTarget: (row: Row) => boolean,
  ): Promise<Written> {
    const [written] = await statement();
    if (written) return { outcome: "done", task: toTask(written) };
    const [[late], [current]] = await bothWhileLive(statement(), statements.select(id));
    if (late) return { outcome: "done", task: toTask(late) };
    if (!current || !isTarget(current)) return { outcome: "absent" };
    if (!holds(current.revision, precondition)) return { outcome: "stale", revision: current.revision };
    return { outcome: "done", task: toTask(current) };
  }

  function isRestorable({ deletedAt }: Row): boolean {
    return deletedAt === null || deletedAt >= now() - TRASH_DAYS * DAY_MS;
  }
}

function isPresent({ deletedAt }: Row): boolean {
  return deletedAt === null;
}

/** An insert that found no live session inserts nothing. */
function present([row]: Row[]): Task {
  if (!row) throw new SessionEnded();
  return toTask(row);
}
