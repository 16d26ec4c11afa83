/** The task routes: each validates, makes one repository call and picks a status. */
import { createRoute, OpenAPIHono, z } from "@hono/zod-openapi";
import type { UserScope } from "../access/user-scope.ts";
import { IDEMPOTENCY_REPLAYED, idempotencyKey, keyFor, REPLAYED } from "../http/idempotency.ts";
import { headers, problems } from "../http/openapi.ts";
import { entityTag, ifMatch, ifNoneMatch, weakEntityTag } from "../http/preconditions.ts";
import { invalidField, Problem } from "../http/problem.ts";
import { refuseInvalid } from "../http/validation.ts";
import { completionSchema, newTaskSchema, type Task, taskChangesSchema, taskPageSchema, taskSchema } from "./model.ts";
import { listQuery, taskPath, userPath } from "./parameters.ts";
import { holds } from "./precondition.ts";
import { overQuota } from "./quota-problem.ts";
import type { Written } from "./writes.ts";

const precondition = z.object({ "if-match": ifMatch, "if-none-match": ifNoneMatch });
const ETAG = { ETag: "The task's revision, as an entity tag" };
const LIST_ETAG = { ETag: "Of the first page: the newest revision" };
const oneTask = {
  description: "The task",
  headers: headers(ETAG),
  content: { "application/json": { schema: taskSchema } },
};

function body<Schema extends z.ZodType>(schema: Schema) {
  return { required: true, content: { "application/json": { schema } } };
}

export const taskRoutes = new OpenAPIHono<UserScope>({ defaultHook: refuseInvalid })
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
          description: "A page. A full page has a cursor, and may be the last all the same",
          headers: headers(LIST_ETAG),
          content: { "application/json": { schema: taskPageSchema } },
        },
        304: { description: "No task has changed since", headers: headers(LIST_ETAG) },
        ...problems(400, 401, 403, 429, 503),
      },
    }),
    async (c) => {
      const { limit, cursor, sort = "-createdAt", ...query } = c.req.valid("query");
      const known = c.req.valid("header")["if-none-match"];
      const listed = await c.var.tasks.list({ ...query, sort }, limit, cursor, known);
      if (listed.outcome === "foreign-cursor") throw invalidField("cursor", "is not a cursor of this list");
      const headers = listed.revision === undefined ? {} : { ETag: weakEntityTag(listed.revision) };
      if (listed.outcome === "unchanged") return c.body(null, 304, headers);
      return c.json({ data: listed.tasks, nextCursor: listed.nextCursor, total: listed.total }, 200, headers);
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
        body: body(newTaskSchema),
      },
      responses: {
        201: { ...oneTask, headers: headers({ ...ETAG, Location: "Its path", ...REPLAYED }) },
        ...problems(400, 401, 403, 404, 413, 415, 422, 429, 503),
      },
    }),
    async (c) => {
      const input = c.req.valid("json");
      const key = await keyFor(c.req.valid("header")["idempotency-key"], "create", input);
      const created = await c.var.tasks.create(input, key);
      if (created.outcome === "key-reused") throw new Problem("idempotency_key_reused");
      if (created.outcome === "over-quota") throw overQuota(created.quota);
      if (created.outcome === "forgotten") throw new Problem("not_found");
      const { task } = created;
      const headers = { ETag: entityTag(task.revision), Location: `${c.req.path}/${task.id}` };
      return c.json(task, 201, { ...headers, ...(created.outcome === "replayed" && IDEMPOTENCY_REPLAYED) });
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
        304: { description: "It has this ETag", headers: headers(ETAG) },
        ...problems(400, 401, 403, 404, 412, 429, 503),
      },
    }),
    async (c) => {
      const { ifMatch, ifNoneMatch } = preconditionOf(c.req.valid("header"));
      const task = await c.var.tasks.find(c.req.valid("param").id);
      if (!task) throw new Problem("not_found");
      if (!holds(task.revision, { ifMatch })) throw stale(task.revision);
      const headers = { ETag: entityTag(task.revision) };
      return holds(task.revision, { ifNoneMatch }) ? c.json(task, 200, headers) : c.body(null, 304, headers);
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
    async (c) => {
      const { id } = c.req.valid("param");
      const condition = preconditionOf(c.req.valid("header"));
      const task = requireDone(await c.var.tasks.update(id, c.req.valid("json"), condition));
      return c.json(task, 200, { ETag: entityTag(task.revision) });
    },
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
    async (c) => {
      const { id } = c.req.valid("param");
      const condition = preconditionOf(c.req.valid("header"));
      const task = requireDone(await c.var.tasks.update(id, c.req.valid("json"), condition));
      return c.json(task, 200, { ETag: entityTag(task.revision) });
    },
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
    async (c) => {
      const { id } = c.req.valid("param");
      const condition = preconditionOf(c.req.valid("header"));
      const task = requireDone(await c.var.tasks.update(id, c.req.valid("json"), condition));
      return c.json(task, 200, { ETag: entityTag(task.revision) });
    },
  )
  .openapi(
    createRoute({
      method: "delete",
      path: "/{id}",
      operationId: "deleteTask",
      tags: ["Tasks"],
      summary: "Delete a task: into the trash for 30 days",
      request: { params: taskPath, headers: precondition },
      responses: {
        204: { description: "Deleted", headers: headers({}) },
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
      summary: "Take a task out of the trash",
      request: { params: taskPath, headers: precondition },
      responses: { 200: oneTask, ...problems(400, 401, 403, 404, 412, 429, 503) },
    }),
    async (c) => {
      const { id } = c.req.valid("param");
      const task = requireDone(await c.var.tasks.restore(id, preconditionOf(c.req.valid("header"))));
      return c.json(task, 200, { ETag: entityTag(task.revision) });
    },
  );

function preconditionOf(headers: z.output<typeof precondition>) {
  return { ifMatch: headers["if-match"], ifNoneMatch: headers["if-none-match"] };
}

function requireDone(written: Written): Task {
  if (written.outcome === "absent") throw new Problem("not_found");
  if (written.outcome === "stale") throw stale(written.revision);
  if (written.outcome === "over-quota") throw overQuota(written.quota);
  return written.task;
}

function stale(revision: number): Problem {
  return new Problem("precondition_failed", { revision }, { ETag: entityTag(revision) });
}
