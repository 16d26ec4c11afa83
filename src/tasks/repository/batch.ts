/** Many writes in one transaction and one round trip. */
import { sql } from "drizzle-orm";
import { uuidv7 } from "uuidv7";
import { refusalOf, refuse } from "../../db/refusal.ts";
import { withRetries } from "../../db/retry.ts";
import { SessionEnded } from "../../db/session-ended.ts";
import { statement, statementsOf } from "../../db/statement.ts";
import type { Operation } from "../model.ts";
import type { BatchResult, IdempotencyKey, OperationResult } from "../outcomes.ts";
import { value } from "./bindings.ts";
import { type Before, type Change, isTask, type Kind, queryOf, readBefore } from "./change-kinds.ts";
import { hasActiveSession, latestRevision, type Query, type TaskQueryContext } from "./context.ts";
import type { BatchStep, IdempotencyRecords } from "./idempotency-records.ts";
import { parseRefusal } from "./refusals.ts";
import { columns, type MaybeRow, taskIn, toTask } from "./row.ts";
import * as changing from "./statements.ts";
import { task } from "./table.ts";
import { exceededQuota, totalsBefore } from "./totals.ts";

/** An operation: its task and its change. */
type Step = BatchStep & { change: Change };

/** The result of a statement in a batch. */
type Found = Partial<Pick<Before, "refusal">> & MaybeRow & { revision: number | null };

const REQUIRE_ACTIVE_SESSION = statement(
  sql`select case when ${hasActiveSession} then 1 else ${refuse(sql`'ended'`)} end`,
);
const LATEST_REVISION = statement(sql`select ${latestRevision} as revision`);

/** Reads a task as it is before its operation. If the operation is refused, it stops the transaction, with the totals. */
const readOrStopOf = statementsOf<Kind, unknown>(({ refusal }) => {
  const used = sql`before.live || ' ' || before.bytes || ' ' || before.changes || ' '`;
  const reason = refuse(sql`'operation ' || ${value("index")} || ' ' || ${used} || ${refusal}`);
  return sql`select ${columns}, case when ${refusal} is not null then ${reason} end as refusal
    from ${totalsBefore} as before left join ${task} on ${isTask}`;
});

export function createBatch(context: TaskQueryContext, records: IdempotencyRecords) {
  const { transaction, now } = context;

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
      return { id, named, change: changing.insert(id, { ...operation.task, id: named }, now()) };
    }
    return { id: operation.id, named: operation.id, change: changeOf(operation) };
  }

  function changeOf(operation: Exclude<Operation, { op: "create" }>): Change {
    const { op, id, ifMatch } = operation;
    if (op === "delete") return changing.delete(id, { ifMatch });
    if (op === "restore") return changing.restore(id, { ifMatch });
    return changing.update(id, op === "complete" ? { completed: operation.completed } : operation.task, { ifMatch });
  }

  async function run(steps: Step[], atomic: boolean, key?: IdempotencyKey): Promise<OperationResult[]> {
    const reservation = key ? [records.reserveKeyFor(key, steps)] : [];
    const works = steps.map((step, index): Query<unknown>[] => [
      ...(key && !atomic ? [records.recordRefusal(key, index, step)] : []),
      atomic ? readOrStop(step, index) : readBefore(step.change),
      queryOf(step.change),
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
      ...steps.map(({ change }) => readBefore(change)),
      { statement: LATEST_REVISION, values: {} },
    ]);
    const isSame = results.at(-1)?.[0]?.revision === revision;
    if (!isSame) throw new Error("D1_ERROR: the tasks have changed meanwhile");
    return steps.map((step, index) => resultOf(step, results[index]?.[0], undefined));
  }

  /** Runs statements in one transaction, which stops if the session has ended. */
  async function runInSession(queries: Query<unknown>[]): Promise<Found[][]> {
    const [, ...results] = await transaction([{ statement: REQUIRE_ACTIVE_SESSION, values: {} }, ...queries]);
    return results as Found[][];
  }

  function readOrStop({ change }: Step, index: number): Query<unknown> {
    return { statement: readOrStopOf(change.kind), values: { ...change.values, index } };
  }

  /** The refusal with which the transaction stopped. Any other error is thrown. */
  function explain(error: unknown): BatchResult {
    const [reason, ...facts] = refusalOf(error)?.split(" ") ?? [];
    if (reason === "ended") throw new SessionEnded();
    if (reason !== "operation") throw error;
    const [index = 0, live = 0, bytes = 0, changes = 0] = facts.map(Number);
    const refusal = parseRefusal(facts.slice(4).join(" "));
    if (refusal.outcome !== "over-quota") return { outcome: "refused", index, refusal };
    const quota = exceededQuota(context, refusal.quota, { live, bytes, changes });
    return { outcome: "refused", index, refusal: { outcome: "over-quota", quota } };
  }
}

function resultOf({ id }: Step, before: Found | undefined, written: Found | undefined): OperationResult {
  const [row] = [written, before].flatMap((found) => (found ? taskIn(found) : []));
  const refusal = written ? null : before?.refusal;
  if (row && !refusal) return { outcome: "done", id, task: toTask(row) };
  return { ...parseRefusal(refusal ?? "absent"), id, task: undefined };
}
