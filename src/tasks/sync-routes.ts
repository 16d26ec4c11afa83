/** What keeps a copy of the tasks in step: many writes at once, and all changes since. */
import { createRoute, OpenAPIHono, z } from "@hono/zod-openapi";
import type { UserScope } from "../access/user-scope.ts";
import { IDEMPOTENCY_REPLAYED, idempotencyKey, keyFor, REPLAYED } from "../http/idempotency.ts";
import { headers, problems } from "../http/openapi.ts";
import { ifMatch } from "../http/preconditions.ts";
import { invalidField, PROBLEMS, Problem } from "../http/problem.ts";
import { refuseInvalid } from "../http/validation.ts";
import type { Batched, Operation } from "./batch.ts";
import { newTaskSchema, taskChangesSchema, taskSchema } from "./model.ts";
import { changesQuery, userPath } from "./parameters.ts";
import { overQuota, quotaCode } from "./quota-problem.ts";
import type { TaskResult } from "./receipts.ts";

const MAX_OPERATIONS = 100;

const onTask = { id: z.string(), ifMatch };
const operationSchema = z.discriminatedUnion("op", [
  z.strictObject({ op: z.literal("create"), task: newTaskSchema }),
  z.strictObject({ op: z.literal("replace"), ...onTask, task: newTaskSchema }),
  z.strictObject({ op: z.literal("patch"), ...onTask, task: taskChangesSchema }),
  z.strictObject({ op: z.literal("complete"), ...onTask, completed: z.boolean() }),
  z.strictObject({ op: z.literal("delete"), ...onTask }),
]);

const batchSchema = z
  .strictObject({
    atomic: z.boolean().default(true).openapi({ description: "All or nothing; else each operation by itself" }),
    operations: z.array(operationSchema).min(1).max(MAX_OPERATIONS, `must be at most ${MAX_OPERATIONS} operations`),
  })
  .superRefine(({ atomic, operations }, c) => {
    if (atomic) return;
    const seen = new Set<string>();
    for (const [index, operation] of operations.entries()) {
      if (operation.op === "create") continue;
      if (seen.has(operation.id)) {
        const message = "is the subject of an earlier operation: only an atomic batch runs in order";
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
        status: z.int().openapi({ description: "As if it had been a request of its own", example: 200 }),
        code: z.enum(["not_found", "precondition_failed", "quota_exceeded", "daily_quota_exceeded"]).optional(),
        revision: z.int().optional().openapi({ description: "The task's, when a precondition failed" }),
        task: taskSchema.nullable(),
      }),
    ),
  })
  .openapi("BatchResult");

const changesSchema = z
  .object({
    data: z.array(
      z.object({
        id: z.string(),
        revision: z.int(),
        deleted: z.boolean(),
        task: taskSchema.nullable().openapi({ description: "As it is now; null when it is deleted" }),
      }),
    ),
    nextToken: z.string(),
    hasMore: z.boolean().openapi({ description: "Whether to ask again at once" }),
  })
  .openapi("Changes");

export const syncRoutes = new OpenAPIHono<UserScope>({ defaultHook: refuseInvalid })
  .openapi(
    createRoute({
      method: "post",
      path: "/batch",
      operationId: "batch",
      tags: ["Sync"],
      summary: "Write many tasks in one transaction",
      request: {
        params: userPath,
        headers: z.object({ "idempotency-key": idempotencyKey }),
        body: { required: true, content: { "application/json": { schema: batchSchema } } },
      },
      responses: {
        200: {
          description: "What came of each operation, in their order",
          headers: headers(REPLAYED),
          content: { "application/json": { schema: batchResultSchema } },
        },
        ...problems(400, 401, 403, 404, 412, 413, 415, 422, 429, 503),
      },
    }),
    async (c) => {
      const { atomic, operations } = c.req.valid("json");
      const key = await keyFor(c.req.valid("header")["idempotency-key"], "batch", { atomic, operations });
      const batched = await c.var.tasks.batch(operations, atomic, key);
      if (batched.outcome === "key-reused") throw new Problem("idempotency_key_reused");
      if (batched.outcome === "refused") throw refusal(batched);
      const results = batched.results.map((result, index) => describe(operations[index], result));
      return c.json({ results }, 200, batched.replayed ? IDEMPOTENCY_REPLAYED : {});
    },
  )
  .openapi(
    createRoute({
      method: "get",
      path: "/changes",
      operationId: "listChanges",
      tags: ["Sync"],
      summary: "List what was changed or deleted since, in the order of the changes",
      request: { params: userPath, query: changesQuery },
      responses: {
        200: {
          description: "Changes, oldest first",
          headers: headers({}),
          content: { "application/json": { schema: changesSchema } },
        },
        ...problems(400, 401, 403, 410, 429, 503),
      },
    }),
    async (c) => {
      const { since, limit } = c.req.valid("query");
      const changed = await c.var.tasks.changes(limit, since);
      if (changed.outcome === "foreign-token") throw invalidField("since", "is not a token of your changes");
      if (changed.outcome === "expired-token") throw new Problem("changes_expired");
      const { changes, nextToken, hasMore } = changed;
      return c.json({ data: changes, nextToken, hasMore }, 200);
    },
  );

function refusal(refused: Extract<Batched, { outcome: "refused" }>): Problem {
  const { index, reason } = refused;
  if (reason === "over-quota") return overQuota(refused.quota, index);
  const operation = {
    operation: index,
    errors: [{ path: `operations.${index}`, message: "was refused; nothing was done" }],
  };
  if (reason === "absent") return new Problem("not_found", operation);
  return new Problem("precondition_failed", { ...operation, revision: refused.revision });
}

/** An operation's result, told as the answer that it would have had as a request of its own. */
function describe(operation: Operation | undefined, { outcome, id, revision, quota, task }: TaskResult) {
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
