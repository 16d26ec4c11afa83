/** Many writes in one transaction and one round trip. */
import { sql } from "drizzle-orm";
import { uuidv7 } from "uuidv7";
import { session } from "../../auth/tables.ts";
import { refusalOf, refuse } from "../../db/refusal.ts";
import { withRetries } from "../../db/retry.ts";
import { SessionEnded } from "../../db/session-ended.ts";
import type { Operation } from "../model.ts";
import type { BatchResult, IdempotencyKey, OperationResult } from "../outcomes.ts";
import { satisfies } from "../precondition.ts";
import type { TaskQueryContext } from "./context.ts";
import {
  type ExpectedTask,
  type IdempotencyRecords,
  MAX_ID_CHARACTERS,
  type NamedId,
  parseResults,
} from "./idempotency-records.ts";
import { type Row, toColumns, toTask } from "./row.ts";
import { type Before, type Change, type Statements, satisfiesInSql } from "./statements.ts";
import { task } from "./table.ts";
import type { QuotaName } from "./totals.ts";

/** An operation, the id of its task, and its change. */
type Step = { operation: Operation; id: string; ifMatch: readonly number[] | undefined; change: Change };

/** Any statement of the transaction. */
type Statement = ReturnType<TaskQueryContext["query"]>;

export function createBatch(context: TaskQueryContext, statements: Statements, records: IdempotencyRecords) {
  const { query, transaction, sessionIsActive, totals } = context;

  return batch;

  /**
   * Runs operations in order.
   * @param atomic `true`: all or none. `false`: each on its own, and each on a different task
   */
  async function batch(operations: Operation[], atomic: boolean, key?: IdempotencyKey): Promise<BatchResult> {
    const steps = operations.map(stepOf);
    try {
      if (!key) return { outcome: "done", results: await run(steps, atomic), replayed: false };
      const named = operations.map(idOf);
      const once = await withRetries(() => records.runOnce(key, named, () => run(steps, atomic, key)));
      if (once.outcome === "key-reused") return once;
      if (once.outcome === "first") return { outcome: "done", results: once.answer, replayed: false };
      return { outcome: "done", results: once.results, replayed: true };
    } catch (error) {
      return explain(error);
    }
  }

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

  async function run(steps: Step[], atomic: boolean, key?: IdempotencyKey): Promise<OperationResult[]> {
    const works = steps.flatMap((step, index) => [
      readBefore(step, atomic ? index : undefined),
      step.change.run() as Statement,
    ]);
    const reservation: Statement[] = key ? [records.reserveKey(key, "pending")] : [];
    const results = (await transaction([
      requireActiveSession(),
      ...reservation,
      ...works,
      ...(key ? recordOf(steps, atomic, key) : []),
    ])) as Before[][];
    const first = 1 + reservation.length;
    const answers = steps.map((step, index) => {
      const [before] = results[first + 2 * index] ?? [];
      const [written] = results[first + 2 * index + 1] ?? [];
      return resultOf(step, before, written);
    });
    const [record] = key && !atomic ? (results.at(-1) as unknown as { results: string }[]) : [];
    if (!record) return answers;
    const ids = steps.map(({ id }) => id);
    return parseResults(record.results, ids).map((result, index) => ({ ...result, task: answers[index]?.task }));
  }

  /** Statements that record the results under the key. The last one returns them. */
  function recordOf(steps: Step[], atomic: boolean, key: IdempotencyKey): Statement[] {
    const created = steps.map(({ operation, id }) => (operation.op === "create" ? id : undefined));
    const record = atomic ? records.recordAllDone(key, created) : records.recordResults(key, steps.map(toExpected));
    return [record, records.releaseIdleKey(key), records.readResults(key)];
  }

  /** Stops the transaction if the session has ended. */
  function requireActiveSession(): Statement {
    const isActive = sql`exists (select 1 from ${session} where ${sessionIsActive()})`;
    return query(sql`select case when ${isActive} then 1 else ${refuse(sql`'ended'`)} end`);
  }

  /**
   * Reads a task as it is before its operation.
   * @param index in an atomic batch: the index of the operation, with which the transaction stops if it must not run
   */
  function readBefore({ operation, id, ifMatch, change }: Step, index: number | undefined): Statement {
    if (index === undefined) return statements.readBefore(id, change);
    const used = sql`' ' || before.live || ' ' || before.bytes || ' ' || before.changes`;
    const isAbsent = sql`${task.id} is null or ${task.deletedAt} is not null`;
    const ofTask = sql`when ${isAbsent} then ${refuse(sql`${`absent ${index}`}`)}
      when not ${satisfiesInSql({ ifMatch }) ?? sql`true`} then ${refuse(sql`${`stale ${index} `} || ${task.revision}`)}`;
    return statements.readBefore(
      id,
      change,
      sql`case ${operation.op === "create" ? sql`` : ofTask}
        when ${change.exceeded} is not null
          then ${refuse(sql`${`quota ${index} `} || ${change.exceeded} || ${used}`)} end`,
    );
  }

  /** The refusal with which the transaction stopped. Any other error is thrown. */
  function explain(error: unknown): BatchResult {
    const [reason, index = "", fact = "", ...used] = refusalOf(error)?.split(" ") ?? [];
    const refused = { outcome: "refused" as const, index: Number(index) };
    if (reason === "ended") throw new SessionEnded();
    if (reason === "absent") return { ...refused, reason };
    if (reason === "stale") return { ...refused, reason, revision: Number(fact) };
    if (reason !== "quota") throw error;
    const [live = 0, bytes = 0, changes = 0] = used.map(Number);
    return {
      ...refused,
      reason: "over-quota",
      quota: totals.exceededQuota(fact as QuotaName, { live, bytes, changes }),
    };
  }
}

function idOf(operation: Operation): NamedId {
  return operation.op === "create" ? undefined : operation.id;
}

/** The values that an operation wants in its task. A deletion wants none: it is done, or there was nothing to delete. */
function toExpected({ operation, id, ifMatch }: Step): ExpectedTask {
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

function resultOf(
  { operation, id, ifMatch }: Step,
  before: Before | undefined,
  written: Row | undefined,
): OperationResult {
  if (written) return { outcome: "done", id, task: toTask(written) };
  const isCreation = operation.op === "create";
  if (!isCreation && (!before?.id || before.deletedAt !== null)) return { outcome: "absent", id, task: undefined };
  if (!isCreation && before && !satisfies(before.revision, { ifMatch })) {
    return { outcome: "stale", id, revision: before.revision, task: undefined };
  }
  if (before?.exceeded) return { outcome: "over-quota", id, quota: before.exceeded, task: undefined };
  if (!before?.id) return { outcome: "absent", id, task: undefined };
  return { outcome: "done", id, task: toTask(before) };
}
