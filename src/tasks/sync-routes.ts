/** Batches and the change feed: what keeps a copy of the tasks in step. */
import { createRoute, OpenAPIHono, z } from "@hono/zod-openapi";
import { idempotencyKey, keyFor, REPLAYED, REPLAYED_DESCRIPTION } from "../http/idempotency.ts";
import { headers, problems } from "../http/openapi.ts";
import { invalidField, Problem } from "../http/problem.ts";
import { PROBLEMS } from "../http/problem-kinds.ts";
import { refuseInvalid } from "../http/validation.ts";
import { changePageSchema, type Operation, operationSchema, taskSchema } from "./model.ts";
import type { BatchResult, OperationResult } from "./outcomes.ts";
import { changesQuery, userPath } from "./parameters.ts";
import { overQuota, quotaCode } from "./quota-problem.ts";
import type { TaskVariables } from "./repository/repository.ts";

const MAX_OPERATIONS = 100;

const batchSchema = z
  .strictObject({
    atomic: z
      .boolean()
      .default(true)
      .openapi({ description: "`true`: all operations or none. `false`: each operation on its own" }),
    operations: z
      .array(operationSchema)
      .min(1, "must hold at least one operation")
      .max(MAX_OPERATIONS, `must be at most ${MAX_OPERATIONS} operations`),
  })
  .superRefine(({ atomic, operations }, c) => {
    if (atomic) return;
    const seen = new Set<string>();
    for (const [index, operation] of operations.entries()) {
      if (operation.op === "create") continue;
      if (seen.has(operation.id)) {
        const message = "was named by an earlier operation; name a task once, or use an atomic batch";
        c.addIssue({ code: "custom", path: ["operations", index, "id"], message });
      }
      seen.add(operation.id);
    }
  })
  .openapi("Batch", { example: { operations: [{ op: "create", task: { title: "Buy oat milk" } }] } });

const batchResultSchema = z
  .object({
    results: z.array(
      z.object({
        op: z.enum(["create", "replace", "patch", "complete", "delete"]),
        id: z.string(),
        status: z.int().openapi({ description: "The status that a request of its own would have", example: 200 }),
        code: z.enum(["not_found", "precondition_failed", "quota_exceeded", "daily_quota_exceeded"]).optional(),
        revision: z.int().optional().openapi({ description: "The task's current revision, on 412" }),
        task: taskSchema.nullable(),
      }),
    ),
  })
  .openapi("BatchResult");

export const syncRoutes = new OpenAPIHono<TaskVariables>({ defaultHook: refuseInvalid })
  .openapi(
    createRoute({
      method: "post",
      path: "/batch",
      operationId: "batch",
      tags: ["Sync"],
      summary: "Write up to 100 tasks in one transaction",
      request: {
        params: userPath,
        headers: z.object({ "idempotency-key": idempotencyKey }),
        body: { required: true, content: { "application/json": { schema: batchSchema } } },
      },
      responses: {
        200: {
          description: "The result of each operation, in order",
          headers: headers(REPLAYED_DESCRIPTION),
          content: { "application/json": { schema: batchResultSchema } },
        },
        ...problems(400, 401, 403, 404, 412, 413, 415, 422, 429, 503),
      },
    }),
    async (c) => {
      const { atomic, operations } = c.req.valid("json");
      const key = await keyFor(c.req.valid("header")["idempotency-key"], "batch", { atomic, operations });
      const batch = await c.var.tasks.batch(operations, atomic, key);
      if (batch.outcome === "key-reused") throw new Problem("idempotency_key_reused");
      if (batch.outcome === "refused") throw refusal(batch);
      const results = batch.results.map((result, index) => toResult(operations[index], result));
      return c.json({ results }, 200, batch.replayed ? REPLAYED : {});
    },
  )
  .openapi(
    createRoute({
      method: "get",
      path: "/changes",
      operationId: "listChanges",
      tags: ["Sync"],
      summary: "List the tasks that were changed or deleted since a token, oldest change first",
      request: { params: userPath, query: changesQuery },
      responses: {
        200: {
          description: "Changes, oldest first",
          headers: headers({}),
          content: { "application/json": { schema: changePageSchema } },
        },
        ...problems(400, 401, 403, 410, 429, 503),
      },
    }),
    async (c) => {
      const { since, limit } = c.req.valid("query");
      const result = await c.var.tasks.changes(limit, since);
      if (result.outcome === "foreign-token") throw invalidField("since", "must be `nextToken` of an earlier answer");
      if (result.outcome === "expired-token") throw new Problem("changes_expired");
      return c.json(result.page, 200);
    },
  );

function refusal(refused: Extract<BatchResult, { outcome: "refused" }>): Problem {
  const { index, reason } = refused;
  if (reason === "over-quota") return overQuota(refused.quota, index);
  const operation = {
    operation: index,
    errors: [{ path: `operations.${index}`, message: "was refused, so no operation of this batch was run" }],
  };
  if (reason === "absent") return new Problem("not_found", operation);
  return new Problem("precondition_failed", { ...operation, revision: refused.revision });
}

/** An operation's result, with the status that a request of its own would have had. */
function toResult(operation: Operation | undefined, { outcome, id, revision, quota, task }: OperationResult) {
  const op = operation?.op ?? "create";
  if (outcome === "over-quota") {
    const code = quotaCode(quota ?? "tasks");
    return { op, id, status: PROBLEMS[code].status, code, task: null };
  }
  if (outcome === "absent") return { op, id, status: 404, code: "not_found" as const, task: null };
  if (outcome === "stale") {
    return { op, id, status: 412, code: "precondition_failed" as const, revision: revision ?? 0, task: null };
  }
  if (op === "delete") return { op, id, status: 204, task: null };
  return { op, id, status: op === "create" ? 201 : 200, task: task ?? null };
}
