/** What a task is to its callers: one definition that validates, documents and types. */
import { z } from "@hono/zod-openapi";

export const MAX_TITLE_CHARACTERS = 255;
export const MAX_DESCRIPTION_CHARACTERS = 1000;

/** Text that JSON and SQLite both carry unaltered. Lengths count Unicode code points, as JSON Schema does. */
function bounded(schema: z.ZodString, max: number) {
  return schema
    .refine((text) => text.isWellFormed() && !text.includes("\0"), "must not contain NUL or lone surrogates")
    .refine((text) => [...text].length <= max, `must be at most ${max} characters long`)
    .openapi({ maxLength: max });
}

const title = bounded(z.string().trim().min(1, "must not be blank"), MAX_TITLE_CHARACTERS).openapi({
  example: "Buy oat milk",
});
const description = bounded(z.string(), MAX_DESCRIPTION_CHARACTERS).nullable().openapi({ example: "Two cartons" });
const completed = z.boolean().openapi({ example: false });
const instant = z.iso.datetime({ precision: 3 }).openapi({ example: "2026-03-01T09:30:00.000Z" });

/** The body of POST and PUT: every field that a caller may set; what is left out takes its default. */
export const newTaskSchema = z
  .strictObject({ title, description: description.default(null), completed: completed.default(false) })
  .openapi("NewTask");

/** The body of PATCH, a JSON merge patch (RFC 7396): what is left out stays, null clears. */
export const taskChangesSchema = z
  .strictObject({ title: title.optional(), description: description.optional(), completed: completed.optional() })
  .openapi("TaskChanges");

export const completionSchema = z.strictObject({ completed }).openapi("Completion");

export const taskSchema = z
  .object({
    id: z.uuid().openapi({ description: "UUIDv7", example: "0195a3c0-7b1e-7c3a-9d41-0a52f3b7c1de" }),
    title,
    description,
    completed,
    completedAt: instant.nullable(),
    createdAt: instant,
    updatedAt: instant,
    revision: z.int().positive().openapi({ description: "The task's ETag, and its place in the user's sequence" }),
  })
  .openapi("Task");

export const taskPageSchema = z
  .object({ data: z.array(taskSchema), nextCursor: z.string().nullable() })
  .openapi("TaskPage");

export type NewTask = z.output<typeof newTaskSchema>;
export type TaskChanges = z.output<typeof taskChangesSchema>;
export type Task = z.output<typeof taskSchema>;
