/** Many writes in one transaction and one round trip. */
import { type SQL, sql } from "drizzle-orm";
import { uuidv7 } from "uuidv7";
import { SessionEnded } from "../access/session-ended.ts";
import { session } from "../auth/tables.ts";
import { refusalOf, refuse } from "../db/refusal.ts";
import { retrying } from "../db/retry.ts";
import type { NewTask, TaskChanges } from "./model.ts";
import { holds } from "./precondition.ts";
import type { IdempotencyKey, Receipts, TaskResult } from "./receipts.ts";
import { columns, type Row, toTask } from "./row.ts";
import type { TaskScope } from "./scope.ts";
import { holdsInSql, type Statements } from "./statements.ts";
import { task } from "./table.ts";

type OnTask = { id: string; ifMatch?: readonly number[] | undefined };

export type Operation =
  | { op: "create"; task: NewTask }
  | (OnTask & { op: "replace"; task: NewTask })
  | (OnTask & { op: "patch"; task: TaskChanges })
  | (OnTask & { op: "complete"; completed: boolean })
  | (OnTask & { op: "delete" });

/** What came of a batch; `refused` names the operation for which all of it was left undone. */
export type Batched =
  | { outcome: "done"; results: TaskResult[]; replayed: boolean }
  | { outcome: "refused"; index: number; reason: "absent" }
  | { outcome: "refused"; index: number; reason: "stale"; revision: number }
  | { outcome: "key-reused" };

/** An operation with the id of the task that it is about. */
type Step = { operation: Operation; id: string; ifMatch: readonly number[] | undefined };

export function createBatches({ db, raw, userId, isLive }: TaskScope, statements: Statements, receipts: Receipts) {
  return {
    /**
     * Runs operations in order.
     * @param atomic all or nothing; otherwise each by itself, and each on a task of its own
     */
    async batch(operations: Operation[], atomic: boolean, key?: IdempotencyKey): Promise<Batched> {
      const steps = operations.map((operation): Step => {
        if (operation.op === "create") return { operation, id: uuidv7(), ifMatch: undefined };
        return { operation, id: operation.id, ifMatch: operation.ifMatch };
      });
      try {
        if (!key) return { outcome: "done", results: await run(steps, atomic), replayed: false };
        const once = await retrying(() => receipts.orReplay(key, () => run(steps, atomic, key)));
        if (once.outcome === "key-reused") return once;
        if (once.outcome === "first") return { outcome: "done", results: once.answer, replayed: false };
        return { outcome: "done", results: once.results, replayed: true };
      } catch (error) {
        return explain(error);
      }
    },
  };

  async function run(steps: Step[], atomic: boolean, key?: IdempotencyKey): Promise<TaskResult[]> {
    const works = steps.flatMap((step, index) => [look(step, atomic ? index : undefined), statementOf(step)]);
    const claim = key && receipts.claim(key, atomic ? steps.map(({ id }) => ({ outcome: "done", id })) : "unsettled");
    const settle = key && !atomic && receipts.settle(key, steps);
    const statements = [...(claim ? [claim] : []), ...works, ...(settle ? [settle] : [])];
    const results = (await db.batch([refuseEnded(), ...statements])) as unknown as Row[][];
    const first = claim ? 2 : 1;
    return steps.map((step, index) => {
      const [before] = results[first + 2 * index] ?? [];
      const [written] = results[first + 2 * index + 1] ?? [];
      return resultOf(step, before, written);
    });
  }

  /** Stops the transaction of a caller whose session has ended. */
  function refuseEnded() {
    const live = sql`exists (select 1 from ${session} where ${isLive()})`;
    return raw(sql`select case when ${live} then 1 else ${refuse(sql`'ended'`)} end`);
  }

  /** Reads the task as it is before its operation, and stops an atomic batch (whose index is told) if it must not run. */
  function look({ operation, id, ifMatch }: Step, index: number | undefined) {
    if (operation.op === "create") return raw(sql`select 1`);
    const wanted = sql`left join ${task} on user_id = ${userId} and id = ${id} and deleted_at is null`;
    if (index === undefined) return raw(sql`select ${columns} from (select 1) ${wanted}`);
    const refused: SQL = sql`case
      when id is null then ${refuse(sql`${`absent ${index}`}`)}
      when not ${holdsInSql({ ifMatch }) ?? sql`true`} then ${refuse(sql`${`stale ${index} `} || revision`)} end`;
    return raw(sql`select ${columns}, ${refused} from (select 1) ${wanted}`);
  }

  function statementOf({ operation, id, ifMatch }: Step) {
    if (operation.op === "create") return statements.insert(id, operation.task);
    if (operation.op === "delete") return statements.delete(id, { ifMatch });
    if (operation.op === "complete") return statements.update(id, { completed: operation.completed }, { ifMatch });
    return statements.update(id, operation.task, { ifMatch });
  }
}

function resultOf({ id, ifMatch }: Step, before: Row | undefined, written: Row | undefined): TaskResult {
  if (written) return { outcome: "done", id, task: toTask(written) };
  if (!before?.id) return { outcome: "absent", id, task: undefined };
  const current = toTask(before);
  if (!holds(current.revision, { ifMatch })) {
    return { outcome: "stale", id, revision: current.revision, task: undefined };
  }
  return { outcome: "done", id, task: current };
}

function explain(error: unknown): Batched {
  const [reason, index = "", revision = ""] = refusalOf(error)?.split(" ") ?? [];
  if (reason === "ended") throw new SessionEnded();
  if (reason === "absent") return { outcome: "refused", index: Number(index), reason };
  if (reason === "stale") return { outcome: "refused", index: Number(index), reason, revision: Number(revision) };
  throw error;
}
