/** The task routes: each validates, makes one repository call and picks a status. */
import { createRoute, OpenAPIHono, z } from "@hono/zod-openapi";
import type { UserScope } from "../access/user-scope.ts";
import { problems } from "../http/openapi.ts";
import { entityTag, ifMatch } from "../http/preconditions.ts";
import { invalidField, Problem } from "../http/problem.ts";
import { refuseInvalid } from "../http/validation.ts";
import { completionSchema, newTaskSchema, type Task, taskChangesSchema, taskPageSchema, taskSchema } from "./model.ts";
import type { Written } from "./repository.ts";

const DEFAULT_PAGE_SIZE = 20;
const MAX_PAGE_SIZE = 100;

const userPath = z.object({ userId: z.string().openapi({ description: "The caller's id, or `me`", example: "me" }) });
const taskPath = userPath.extend({ id: z.string().openapi({ description: "The task's id" }) });
const pageQuery = z.strictObject({
  limit: z
    .string()
    .regex(/^\d{1,3}$/, `must be a whole number from 1 to ${MAX_PAGE_SIZE}`)
    .transform(Number)
    .pipe(z.int().min(1).max(MAX_PAGE_SIZE))
    .default(DEFAULT_PAGE_SIZE)
    .openapi({ type: "integer", minimum: 1, maximum: MAX_PAGE_SIZE, default: DEFAULT_PAGE_SIZE }),
  cursor: z.string().optional().openapi({ description: "`nextCursor` of the page before" }),
});
const precondition = z.object({ "if-match": ifMatch });
const etag = { ETag: { schema: { type: "string" as const }, description: "The task's revision, as an entity tag" } };
const oneTask = { description: "The task", headers: etag, content: { "application/json": { schema: taskSchema } } };

function body<Schema extends z.ZodType>(schema: Schema) {
  return { required: true, content: { "application/json": { schema } } };
}

export const taskRoutes = new OpenAPIHono<UserScope>({ defaultHook: refuseInvalid })
  .openapi(
    createRoute({
      method: "get",
      path: "/",
      summary: "List tasks, newest first",
      request: { params: userPath, query: pageQuery },
      responses: {
        200: { description: "A page", content: { "application/json": { schema: taskPageSchema } } },
        ...problems(400, 401, 403, 429, 503),
      },
    }),
    async (c) => {
      const { limit, cursor } = c.req.valid("query");
      const listed = await c.var.tasks.list(limit, cursor);
      if (listed.outcome === "foreign-cursor") throw invalidField("cursor", "is not a cursor of this list");
      return c.json({ data: listed.tasks, nextCursor: listed.nextCursor }, 200);
    },
  )
  .openapi(
    createRoute({
      method: "post",
      path: "/",
      summary: "Create a task",
      request: { params: userPath, body: body(newTaskSchema) },
      responses: {
        201: { ...oneTask, headers: { ...etag, Location: { schema: { type: "string" }, description: "Its path" } } },
        ...problems(400, 401, 403, 413, 415, 429, 503),
      },
    }),
    async (c) => {
      const task = await c.var.tasks.create(c.req.valid("json"));
      return c.json(task, 201, { ETag: entityTag(task.revision), Location: `${c.req.path}/${task.id}` });
    },
  )
  .openapi(
    createRoute({
      method: "get",
      path: "/{id}",
      summary: "Read a task",
      request: { params: taskPath },
      responses: { 200: oneTask, ...problems(401, 403, 404, 429, 503) },
    }),
    async (c) => {
      const task = await c.var.tasks.find(c.req.valid("param").id);
      if (!task) throw new Problem("not_found");
      return c.json(task, 200, { ETag: entityTag(task.revision) });
    },
  )
  .openapi(
    createRoute({
      method: "put",
      path: "/{id}",
      summary: "Replace all writable fields",
      request: { params: taskPath, headers: precondition, body: body(newTaskSchema) },
      responses: { 200: oneTask, ...problems(400, 401, 403, 404, 412, 413, 415, 429, 503) },
    }),
    async (c) => {
      const { id } = c.req.valid("param");
      const task = requireDone(await c.var.tasks.update(id, c.req.valid("json"), c.req.valid("header")["if-match"]));
      return c.json(task, 200, { ETag: entityTag(task.revision) });
    },
  )
  .openapi(
    createRoute({
      method: "patch",
      path: "/{id}",
      summary: "Change the named fields",
      request: { params: taskPath, headers: precondition, body: body(taskChangesSchema) },
      responses: { 200: oneTask, ...problems(400, 401, 403, 404, 412, 413, 415, 429, 503) },
    }),
    async (c) => {
      const { id } = c.req.valid("param");
      const task = requireDone(await c.var.tasks.update(id, c.req.valid("json"), c.req.valid("header")["if-match"]));
      return c.json(task, 200, { ETag: entityTag(task.revision) });
    },
  )
  .openapi(
    createRoute({
      method: "patch",
      path: "/{id}/complete",
      summary: "Set whether a task is completed",
      request: { params: taskPath, headers: precondition, body: body(completionSchema) },
      responses: { 200: oneTask, ...problems(400, 401, 403, 404, 412, 413, 415, 429, 503) },
    }),
    async (c) => {
      const { id } = c.req.valid("param");
      const task = requireDone(await c.var.tasks.update(id, c.req.valid("json"), c.req.valid("header")["if-match"]));
      return c.json(task, 200, { ETag: entityTag(task.revision) });
    },
  )
  .openapi(
    createRoute({
      method: "delete",
      path: "/{id}",
      summary: "Delete a task",
      request: { params: taskPath, headers: precondition },
      responses: { 204: { description: "Deleted" }, ...problems(400, 401, 403, 404, 412, 429, 503) },
    }),
    async (c) => {
      const { id } = c.req.valid("param");
      requireDone(await c.var.tasks.delete(id, c.req.valid("header")["if-match"]));
      return c.body(null, 204);
    },
  );

function requireDone(written: Written): Task {
  if (written.outcome === "absent") throw new Problem("not_found");
  if (written.outcome === "stale") {
    const { revision } = written;
    throw new Problem("precondition_failed", { revision }, { ETag: entityTag(revision) });
  }
  return written.task;
}
