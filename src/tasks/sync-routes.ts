/** Batches and the change feed: what keeps a copy of the tasks in step. */
import { createRoute, z } from "@hono/zod-openapi";
import { idempotencyKey, keyFor, REPLAYED, REPLAYED_DESCRIPTION } from "../http/idempotency.ts";
import { headers, problems } from "../http/openapi.ts";
import { Operations } from "../http/operations.ts";
import { invalidField, Problem } from "../http/problem.ts";
import { fieldErrorSchema } from "../http/problem-details.ts";
import { PROBLEMS } from "../http/problem-kinds.ts";
import { errorsOf } from "../http/validation.ts";
import { changePageSchema, type Operation, operationName, operationSchema, taskSchema } from "./model.ts";
import type { BatchResult, OperationResult } from "./outcomes.ts";
import { changesQuery, userPath } from "./parameters.ts";
import { overQuota, quotaCode } from "./quota-problem.ts";
import type { TaskVariables } from "./repository/repository.ts";

const MAX_OPERATIONS = 100;
const MAX_ERRORS_AN_OPERATION = 10;

/** An operation of a batch that is valid, or why it is not. */
type Judged = { operation: Operation } | { input: unknown; issues: z.core.$ZodIssue[] };

const judgedOperation = z.unknown().transform((input): Judged => {
  const { data, error } = operationSchema.safeParse(input);
  return error ? { input, issues: error.issues } : { operation: data };
});

const batchSchema = z
  .strictObject({
    atomic: z
      .boolean()
      .default(true)
      .openapi({ description: "`true`: all operations or none. `false`: each operation on its own" }),
    operations: z
      .array(judgedOperation)
      .min(1, "must hold at least one operation")
      .max(MAX_OPERATIONS, `must be at most ${MAX_OPERATIONS} operations`)
      .openapi({ type: "array", items: { $ref: "#/components/schemas/Operation" } }),
  })
  .superRefine(({ atomic, operations }, c) => {
    if (!atomic) return;
    for (const [index, judged] of operations.entries()) {
      if ("operation" in judged) continue;
      for (const issue of judged.issues) c.addIssue({ ...issue, path: ["operations", index, ...issue.path] });
    }
  })
  .openapi("Batch", { example: { operations: [{ op: "create", task: { title: "Buy oat milk" } }] } });

const batchResultSchema = z
  .object({
    results: z.array(
      z.object({
        op: operationName,
        id: z.string(),
        status: z.int().openapi({ description: "The status that a request of its own would have", example: 200 }),
        code: z
          .enum([
            "invalid_request",
            "not_found",
            "id_taken",
            "precondition_failed",
            "quota_exceeded",
            "daily_quota_exceeded",
          ])
          .optional(),
        revision: z.int().optional().openapi({ description: "The task's current revision, on 412" }),
        errors: z.array(fieldErrorSchema).optional().openapi({ description: "The invalid fields, on 400" }),
        task: z
          .union([taskSchema, z.null()])
          .openapi({ description: "The task after the operation; null if it was refused or deleted" }),
      }),
    ),
  })
  .openapi("BatchResult");

const routes = new Operations<TaskVariables>();
routes.openAPIRegistry.register("Operation", operationSchema);

export const syncRoutes = routes
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
        ...problems(400, 401, 403, 404, 409, 412, 413, 415, 422, 429, 503),
      },
    }),
    async (c) => {
      const { atomic, operations } = c.req.valid("json");
      const request = operations.map((judged) => ("operation" in judged ? judged.operation : judged.input));
      const key = await keyFor(c.req.valid("header")["idempotency-key"], "batch", { atomic, operations: request });
      const valid = operations.flatMap((judged) => ("operation" in judged ? [judged.operation] : []));
      const batch = await c.var.tasks.batch(valid, atomic, key);
      if (batch.outcome === "key-reused") throw new Problem("idempotency_key_reused");
      if (batch.outcome === "refused") throw refusal(batch);
      const done = batch.results.values();
      const results = operations.map((judged) =>
        "operation" in judged ? toResult(judged.operation.op, done.next().value) : toInvalidResult(judged),
      );
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

function refusal({ index, refusal }: Extract<BatchResult, { outcome: "refused" }>): Problem {
  if (refusal.outcome === "over-quota") return overQuota(refusal.quota, index);
  const operation = {
    operation: index,
    errors: [{ path: `operations.${index}`, message: "was refused, so no operation of this batch was run" }],
  };
  const revision = refusal.outcome === "stale" ? { revision: refusal.revision } : {};
  return new Problem(CODES[refusal.outcome], { ...operation, ...revision });
}

/** An operation's result, with the status that a request of its own would have had. */
function toResult(op: Operation["op"], result: OperationResult | undefined): BatchAnswer {
  const { id = "", outcome = "absent" } = result ?? {};
  if (outcome === "done") {
    if (op === "delete") return { op, id, status: 204, task: null };
    return { op, id, status: op === "create" ? 201 : 200, task: result?.task ?? null };
  }
  const code = result?.outcome === "over-quota" ? quotaCode(result.quota) : CODES[outcome];
  const revision = result?.outcome === "stale" ? { revision: result.revision } : {};
  return { op, id, status: PROBLEMS[code].status, code, ...revision, task: null };
}

const CODES = {
  absent: "not_found",
  "id-taken": "id_taken",
  stale: "precondition_failed",
  "over-quota": "quota_exceeded",
} as const;

type BatchAnswer = z.output<typeof batchResultSchema>["results"][number];

/** The result of an operation that was refused by itself. It names what the operation holds, as far as it can be read. */
function toInvalidResult({ input, issues }: Extract<Judged, { input: unknown }>): BatchAnswer {
  const { op, id } = z
    .looseObject({ op: operationName.catch(""), id: name })
    .catch({ op: "", id: "" })
    .parse(input);
  const { errors = [] } = errorsOf(new z.ZodError(issues), MAX_ERRORS_AN_OPERATION);
  return { op, id, status: 400, code: "invalid_request", errors, task: null };
}

/** How an invalid operation calls its task. Longer texts are not repeated. */
const name = z.string().max(100).catch("");
