/** Many writes in one transaction and one round trip. */
import { sql } from "drizzle-orm";
import { uuidv7 } from "uuidv7";
import { session } from "../../auth/tables.ts";
import { refusalOf, refuse } from "../../db/refusal.ts";
import { withRetries } from "../../db/retry.ts";
import { SessionEnded } from "../../db/session-ended.ts";
import type { Operation } from "../model.ts";
import type { BatchResult, IdempotencyKey, OperationResult } from "../outcomes.ts";
import type { TaskQueryContext } from "./context.ts";
import type { BatchStep, IdempotencyRecords } from "./idempotency-records.ts";
import { parseRefusal } from "./refusals.ts";
import { type Row, toTask } from "./row.ts";
import type { Before, Change, Statements } from "./statements.ts";

/** An operation: its task and its change. */
type Step = BatchStep & { change: Change };

/** Any statement of the transaction. */
type Statement = ReturnType<TaskQueryContext["query"]>;

export function createBatch(context: TaskQueryContext, statements: Statements, records: IdempotencyRecords) {
  const { query, transaction, sessionIsActive, totals, latestRevision } = context;

  return batch;

  /**
   * Runs operations in order.
   * @param atomic `true`: all or none. `false`: each on its own
   */
  async function batch(operations: Operation[], atomic: boolean, key?: IdempotencyKey): Promise<BatchResult> {
    const steps = operations.map(stepOf);
    try {
      if (!key) return { outcome: "done", results: await run(steps, atomic), replayed: false };
      const named = steps.map((step) => step.named);
      const once = await withRetries(() => records.runOnce(key, named, () => runKeyed(steps, atomic, key)));
      if (once.outcome === "key-reused") return once;
      if (once.outcome === "first") return { outcome: "done", results: once.answer, replayed: false };
      return { outcome: "done", results: once.results, replayed: true };
    } catch (error) {
      return explain(error);
    }
  }

  function stepOf(operation: Operation): Step {
    if (operation.op === "create") {
      const named = operation.id ?? operation.task.id;
      const id = named ?? uuidv7();
      return { id, named, change: statements.insert(id, { ...operation.task, id: named }) };
    }
    return { id: operation.id, named: operation.id, change: changeOf(operation) };
  }

  function changeOf(operation: Exclude<Operation, { op: "create" }>): Change {
    const { op, id, ifMatch } = operation;
    if (op === "delete") return statements.delete(id, { ifMatch });
    if (op === "restore") return statements.restore(id, { ifMatch });
    return statements.update(id, op === "complete" ? { completed: operation.completed } : operation.task, { ifMatch });
  }

  async function run(steps: Step[], atomic: boolean, key?: IdempotencyKey): Promise<OperationResult[]> {
    const reservation: Statement[] = key ? [records.reserveKeyFor(key, steps)] : [];
    const works = steps.map((step, index): Statement[] => [
      ...(key && !atomic
        ? [records.recordRefusal(key, index, step, statements.refusalBefore(step.id, step.change))]
        : []),
      atomic ? readOrStop(step, index) : statements.readBefore(step.id, step.change),
      step.change.run(),
    ]);
    const results = await runInSession([
      ...reservation,
      ...works.flat(),
      ...(key ? [records.settle(key), records.requireChange(key)] : []),
    ]);
    const each = works[0]?.length ?? 0;
    return steps.map((step, index) => {
      const end = reservation.length + (index + 1) * each;
      return resultOf(step, results[end - 2]?.[0], results[end - 1]?.[0]);
    });
  }

  /** Runs under a key. If nothing changes, the transaction is undone and nothing is written, not even the key. */
  async function runKeyed(steps: Step[], atomic: boolean, key: IdempotencyKey): Promise<OperationResult[]> {
    try {
      return await run(steps, atomic, key);
    } catch (error) {
      const [reason, revision] = refusalOf(error)?.split(" ") ?? [];
      if (reason !== "idle") throw error;
      return resultsAt(Number(revision), steps);
    }
  }

  /** The results of operations that change nothing at this revision. */
  async function resultsAt(revision: number, steps: Step[]): Promise<OperationResult[]> {
    const results = await runInSession([
      ...steps.map(({ id, change }): Statement => statements.readBefore(id, change)),
      query(sql`select ${latestRevision()} as revision`),
    ]);
    const isSame = results.at(-1)?.[0]?.revision === revision;
    if (!isSame) throw new Error("D1_ERROR: the tasks have changed meanwhile");
    return steps.map((step, index) => resultOf(step, results[index]?.[0], undefined));
  }

  /** Runs statements in one transaction, which stops if the session has ended. */
  async function runInSession(all: Statement[]): Promise<Before[][]> {
    const [, ...results] = await transaction([requireActiveSession(), ...all]);
    return results as Before[][];
  }

  function requireActiveSession(): Statement {
    const isActive = sql`exists (select 1 from ${session} where ${sessionIsActive()})`;
    return query(sql`select case when ${isActive} then 1 else ${refuse(sql`'ended'`)} end`);
  }

  /** Reads a task as it is before its operation. If the operation is refused, it stops the transaction, with the totals. */
  function readOrStop({ id, change }: Step, index: number): Statement {
    const used = sql`before.live || ' ' || before.bytes || ' ' || before.changes || ' '`;
    const reason = refuse(sql`${`operation ${index} `} || ${used} || ${change.refusal}`);
    return statements.readBefore(id, { refusal: sql`case when ${change.refusal} is not null then ${reason} end` });
  }

  /** The refusal with which the transaction stopped. Any other error is thrown. */
  function explain(error: unknown): BatchResult {
    const [reason, ...facts] = refusalOf(error)?.split(" ") ?? [];
    if (reason === "ended") throw new SessionEnded();
    if (reason !== "operation") throw error;
    const [index = 0, live = 0, bytes = 0, changes = 0] = facts.map(Number);
    const refusal = parseRefusal(facts.slice(4).join(" "));
    if (refusal.outcome !== "over-quota") return { outcome: "refused", index, refusal };
    const quota = totals.exceededQuota(refusal.quota, { live, bytes, changes });
    return { outcome: "refused", index, refusal: { outcome: "over-quota", quota } };
  }
}

function resultOf({ id }: Step, before: Before | undefined, written: Row | undefined): OperationResult {
  if (written) return { outcome: "done", id, task: toTask(written) };
  if (!before?.refusal && before?.id) return { outcome: "done", id, task: toTask(before) };
  return { ...parseRefusal(before?.refusal ?? "absent"), id, task: undefined };
}
