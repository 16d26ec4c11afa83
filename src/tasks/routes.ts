/** The operations on one task, and the list. Each validates, calls the repository once and picks a status. */
import { createRoute, z } from "@hono/zod-openapi";
import type { Context } from "hono";
import { idempotencyKey, keyFor, REPLAYED, REPLAYED_DESCRIPTION } from "../http/idempotency.ts";
import { headers as describeHeaders, problems } from "../http/openapi.ts";
import { Operations } from "../http/operations.ts";
import { entityTag, ifMatch, ifNoneMatch, weakEntityTag } from "../http/preconditions.ts";
import { invalidField, Problem } from "../http/problem.ts";
import {
  completionSchema,
  createTaskSchema,
  newTaskSchema,
  type Task,
  type TaskChanges,
  taskChangesSchema,
  taskPageSchema,
  taskSchema,
} from "./model.ts";
import type { WriteResult } from "./outcomes.ts";
import { listQuery, taskPath, userPath } from "./parameters.ts";
import { satisfies } from "./precondition.ts";
import { overQuota } from "./quota-problem.ts";
import type { TaskVariables } from "./repository/repository.ts";
import { TRASH_DAYS } from "./retention.ts";

const precondition = z.object({ "if-match": ifMatch, "if-none-match": ifNoneMatch });
const ETAG = { ETag: "The task's revision, as an entity tag" };
const LIST_ETAG = { ETag: "On the first page: the newest revision of all tasks" };
const oneTask = {
  description: "The task",
  headers: describeHeaders(ETAG),
  content: { "application/json": { schema: taskSchema } },
};

function body<Schema extends z.ZodType>(schema: Schema) {
  return { required: true, content: { "application/json": { schema } } };
}

export const taskRoutes = new Operations<TaskVariables>()
  .openapi(
    createRoute({
      method: "get",
      path: "/",
      operationId: "listTasks",
      tags: ["Tasks"],
      summary: "List tasks",
      request: { params: userPath, query: listQuery, headers: z.object({ "if-none-match": ifNoneMatch }) },
      responses: {
        200: {
          description: "A page. A full page always has a cursor, even when no page follows",
          headers: describeHeaders(LIST_ETAG),
          content: { "application/json": { schema: taskPageSchema } },
        },
        304: { description: "Not modified", headers: describeHeaders(LIST_ETAG) },
        ...problems(400, 401, 403, 429, 503),
      },
    }),
    async (c) => {
      const { limit, cursor, ...query } = c.req.valid("query");
      const known = c.req.valid("header")["if-none-match"];
      const result = await c.var.tasks.list(query, limit, cursor, known);
      if (result.outcome === "foreign-cursor") throw invalidField("cursor", "must be `nextCursor` of this same list");
      const headers = result.revision === undefined ? {} : { ETag: weakEntityTag(result.revision) };
      return result.outcome === "unchanged" ? c.body(null, 304, headers) : c.json(result.page, 200, headers);
    },
  )
  .openapi(
    createRoute({
      method: "post",
      path: "/",
      operationId: "createTask",
      tags: ["Tasks"],
      summary: "Create a task",
      request: {
        params: userPath,
        headers: z.object({ "idempotency-key": idempotencyKey }),
        body: body(createTaskSchema),
      },
      responses: {
        201: {
          ...oneTask,
          headers: describeHeaders({ ...ETAG, Location: "The task's path", ...REPLAYED_DESCRIPTION }),
        },
        ...problems(400, 401, 403, 404, 409, 413, 415, 422, 429, 503),
      },
    }),
    async (c) => {
      const input = c.req.valid("json");
      const key = await keyFor(c.req.valid("header")["idempotency-key"], "create", input);
      const created = await c.var.tasks.create(input, key);
      if (created.outcome === "key-reused") throw new Problem("idempotency_key_reused");
      if (created.outcome === "over-quota") throw overQuota(created.quota);
      if (created.outcome === "id-taken") throw new Problem("id_taken");
      if (created.outcome === "erased") throw new Problem("not_found");
      const { task } = created;
      const headers = { ETag: entityTag(task.revision), Location: `${c.req.path}/${task.id}` };
      return c.json(task, 201, { ...headers, ...(created.outcome === "replayed" && REPLAYED) });
    },
  )
  .openapi(
    createRoute({
      method: "get",
      path: "/{id}",
      operationId: "readTask",
      tags: ["Tasks"],
      summary: "Read a task",
      request: { params: taskPath, headers: precondition },
      responses: {
        200: oneTask,
        304: { description: "Not modified", headers: describeHeaders(ETAG) },
        ...problems(400, 401, 403, 404, 412, 429, 503),
      },
    }),
    async (c) => {
      const { ifMatch, ifNoneMatch } = preconditionOf(c.req.valid("header"));
      const task = await c.var.tasks.find(c.req.valid("param").id);
      if (!task) throw new Problem("not_found");
      if (!satisfies(task.revision, { ifMatch })) throw stale(task.revision);
      const headers = { ETag: entityTag(task.revision) };
      return satisfies(task.revision, { ifNoneMatch }) ? c.json(task, 200, headers) : c.body(null, 304, headers);
    },
  )
  .openapi(
    createRoute({
      method: "put",
      path: "/{id}",
      operationId: "replaceTask",
      tags: ["Tasks"],
      summary: "Replace all writable fields",
      request: { params: taskPath, headers: precondition, body: body(newTaskSchema) },
      responses: { 200: oneTask, ...problems(400, 401, 403, 404, 412, 413, 415, 429, 503) },
    }),
    update,
  )
  .openapi(
    createRoute({
      method: "patch",
      path: "/{id}",
      operationId: "changeTask",
      tags: ["Tasks"],
      summary: "Change the named fields",
      request: { params: taskPath, headers: precondition, body: body(taskChangesSchema) },
      responses: { 200: oneTask, ...problems(400, 401, 403, 404, 412, 413, 415, 429, 503) },
    }),
    update,
  )
  .openapi(
    createRoute({
      method: "patch",
      path: "/{id}/complete",
      operationId: "completeTask",
      tags: ["Tasks"],
      summary: "Set whether a task is completed",
      request: { params: taskPath, headers: precondition, body: body(completionSchema) },
      responses: { 200: oneTask, ...problems(400, 401, 403, 404, 412, 413, 415, 429, 503) },
    }),
    update,
  )
  .openapi(
    createRoute({
      method: "delete",
      path: "/{id}",
      operationId: "deleteTask",
      tags: ["Tasks"],
      summary: `Delete a task; it can be restored for ${TRASH_DAYS} days`,
      request: { params: taskPath, headers: precondition },
      responses: {
        204: { description: "Deleted", headers: describeHeaders({}) },
        ...problems(400, 401, 403, 404, 412, 429, 503),
      },
    }),
    async (c) => {
      const { id } = c.req.valid("param");
      requireDone(await c.var.tasks.delete(id, preconditionOf(c.req.valid("header"))));
      return c.body(null, 204);
    },
  )
  .openapi(
    createRoute({
      method: "post",
      path: "/{id}/restore",
      operationId: "restoreTask",
      tags: ["Tasks"],
      summary: "Restore a deleted task",
      request: { params: taskPath, headers: precondition },
      responses: { 200: oneTask, ...problems(400, 401, 403, 404, 412, 429, 503) },
    }),
    async (c) => {
      const { id } = c.req.valid("param");
      const task = requireDone(await c.var.tasks.restore(id, preconditionOf(c.req.valid("header"))));
      return c.json(task, 200, { ETag: entityTag(task.revision) });
    },
  );

/** PUT, PATCH and `/complete` differ in what they accept only: each sets the fields that its body holds. */
async function update(c: UpdateContext) {
  const { id } = c.req.valid("param");
  const result = await c.var.tasks.update(id, c.req.valid("json"), preconditionOf(c.req.valid("header")));
  const task = requireDone(result);
  return c.json(task, 200, { ETag: entityTag(task.revision) });
}

type UpdateInput = {
  param: z.output<typeof taskPath>;
  header: z.output<typeof precondition>;
  json: TaskChanges;
};
type UpdateContext = Context<TaskVariables, string, { in: UpdateInput; out: UpdateInput }>;

function preconditionOf(headers: z.output<typeof precondition>) {
  return { ifMatch: headers["if-match"], ifNoneMatch: headers["if-none-match"] };
}

function requireDone(written: WriteResult): Task {
  if (written.outcome === "absent") throw new Problem("not_found");
  if (written.outcome === "stale") throw stale(written.revision);
  if (written.outcome === "over-quota") throw overQuota(written.quota);
  return written.task;
}

function stale(revision: number): Problem {
  return new Problem("precondition_failed", { revision }, { ETag: entityTag(revision) });
}
