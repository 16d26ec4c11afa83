/** Many writes in one transaction and one round trip. */
import { sql } from "drizzle-orm";
import { uuidv7 } from "uuidv7";
import { SessionEnded } from "../access/session-ended.ts";
import { session } from "../auth/tables.ts";
import { refusalOf, refuse } from "../db/refusal.ts";
import { retrying } from "../db/retry.ts";
import type { NewTask, TaskChanges } from "./model.ts";
import { holds } from "./precondition.ts";
import {
  type IdempotencyKey,
  MAX_ID_CHARACTERS,
  type NamedId,
  type Receipts,
  readKept,
  type Settled,
  type TaskResult,
} from "./receipts.ts";
import { type Row, toColumns, toTask } from "./row.ts";
import type { TaskScope } from "./scope.ts";
import { type Change, holdsInSql, type Look, type Statements } from "./statements.ts";
import { task } from "./table.ts";
import type { ExceededQuota, QuotaName } from "./totals.ts";

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
  | { outcome: "refused"; index: number; reason: "over-quota"; quota: ExceededQuota }
  | { outcome: "key-reused" };

/** An operation with the id of the task that it is about. */
type Step = { operation: Operation; id: string; ifMatch: readonly number[] | undefined; change: Change };

export function createBatches(scope: TaskScope, statements: Statements, receipts: Receipts) {
  const { db, raw, isLive, totals } = scope;

  return {
    /**
     * Runs operations in order.
     * @param atomic all or nothing; otherwise each by itself, and each on a task of its own
     */
    async batch(operations: Operation[], atomic: boolean, key?: IdempotencyKey): Promise<Batched> {
      const steps = operations.map(stepOf);
      try {
        if (!key) return { outcome: "done", results: await run(steps, atomic), replayed: false };
        const named = operations.map(idOf);
        const once = await retrying(() => receipts.orReplay(key, named, () => run(steps, atomic, key)));
        if (once.outcome === "key-reused") return once;
        if (once.outcome === "first") return { outcome: "done", results: once.answer, replayed: false };
        return { outcome: "done", results: once.results, replayed: true };
      } catch (error) {
        return explain(error);
      }
    },
  };

  function stepOf(operation: Operation): Step {
    if (operation.op === "create") {
      const id = uuidv7();
      return { operation, id, ifMatch: undefined, change: statements.insert(id, operation.task) };
    }
    const { id, ifMatch } = operation;
    const change = () => {
      if (operation.op === "delete") return statements.delete(id, { ifMatch });
      if (operation.op === "complete") return statements.update(id, { completed: operation.completed }, { ifMatch });
      return statements.update(id, operation.task, { ifMatch });
    };
    return { operation, id, ifMatch, change: change() };
  }

  async function run(steps: Step[], atomic: boolean, key?: IdempotencyKey): Promise<TaskResult[]> {
    const works = steps.flatMap((step, index) => [look(step, atomic ? index : undefined), step.change.run()]);
    const claim = key && receipts.claim(key, "unsettled");
    const settle =
      key &&
      (atomic
        ? receipts.settleAs(
            key,
            steps.map(({ operation, id }) => (operation.op === "create" ? id : undefined)),
          )
        : receipts.settle(key, steps.map(toSettled)));
    const settled = key && settle ? [settle, receipts.forgetIdle(key), receipts.kept(key)] : [];
    const results = (await db.batch([
      refuseEnded(),
      ...(claim ? [claim] : []),
      ...works,
      ...settled,
    ])) as unknown as Look[][];
    const first = claim ? 2 : 1;
    const told = steps.map((step, index) => {
      const [before] = results[first + 2 * index] ?? [];
      const [written] = results[first + 2 * index + 1] ?? [];
      return resultOf(step, before, written);
    });
    const [kept] = key && !atomic ? (results.at(-1) as unknown as { results: string }[]) : [];
    if (!kept) return told;
    const judged = readKept(
      kept.results,
      steps.map(({ id }) => id),
    );
    return judged.map((result, index) => ({ ...result, task: told[index]?.task }));
  }

  /** Stops the transaction of a caller whose session has ended. */
  function refuseEnded() {
    const live = sql`exists (select 1 from ${session} where ${isLive()})`;
    return raw(sql`select case when ${live} then 1 else ${refuse(sql`'ended'`)} end`);
  }

  /** Reads the task as it is before its operation, and stops an atomic batch (whose index is told) if it must not run. */
  function look({ operation, id, ifMatch, change }: Step, index: number | undefined) {
    if (index === undefined) return statements.look(id, change);
    const used = sql`' ' || before.live || ' ' || before.bytes || ' ' || before.changes`;
    const isAbsent = sql`${task.id} is null or ${task.deletedAt} is not null`;
    const ofTask = sql`when ${isAbsent} then ${refuse(sql`${`absent ${index}`}`)}
      when not ${holdsInSql({ ifMatch }) ?? sql`true`} then ${refuse(sql`${`stale ${index} `} || ${task.revision}`)}`;
    return statements.look(
      id,
      change,
      sql`case ${operation.op === "create" ? sql`` : ofTask}
        when ${change.exceeded} is not null
          then ${refuse(sql`${`quota ${index} `} || ${change.exceeded} || ${used}`)} end`,
    );
  }

  function explain(error: unknown): Batched {
    const [reason, index = "", fact = "", ...used] = refusalOf(error)?.split(" ") ?? [];
    const refused = { outcome: "refused" as const, index: Number(index) };
    if (reason === "ended") throw new SessionEnded();
    if (reason === "absent") return { ...refused, reason };
    if (reason === "stale") return { ...refused, reason, revision: Number(fact) };
    if (reason !== "quota") throw error;
    const [live = 0, bytes = 0, changes = 0] = used.map(Number);
    return { ...refused, reason: "over-quota", quota: totals.describe(fact as QuotaName, { live, bytes, changes }) };
  }
}

function idOf(operation: Operation): NamedId {
  return operation.op === "create" ? undefined : operation.id;
}

/** What an operation wants its task to be. A deletion wants no fields: it is done, or there was nothing to delete. */
function toSettled({ operation, id, ifMatch }: Step): Settled {
  const creates = operation.op === "create";
  const shortened = id.slice(0, MAX_ID_CHARACTERS);
  if (creates || operation.op === "delete") return { id: shortened, ifMatch, creates, wanted: {} };
  if (operation.op === "complete")
    return { id: shortened, ifMatch, creates, wanted: { completed: Number(operation.completed) } };
  const { completed, ...contents } = operation.task;
  const { title, description, priority, due, tags } = toColumns(contents);
  const wanted = {
    title,
    description,
    priority,
    due,
    tags,
    completed: completed === undefined ? completed : Number(completed),
  };
  return { id: shortened, ifMatch, creates, wanted };
}

function resultOf({ operation, id, ifMatch }: Step, before: Look | undefined, written: Row | undefined): TaskResult {
  if (written) return { outcome: "done", id, task: toTask(written) };
  const isCreation = operation.op === "create";
  if (!isCreation && (!before?.id || before.deletedAt !== null)) return { outcome: "absent", id, task: undefined };
  if (!isCreation && before && !holds(before.revision, { ifMatch })) {
    return { outcome: "stale", id, revision: before.revision, task: undefined };
  }
  if (before?.exceeded) return { outcome: "over-quota", id, quota: before.exceeded, task: undefined };
  if (!before?.id) return { outcome: "absent", id, task: undefined };
  return { outcome: "done", id, task: toTask(before) };
}
