/** What a task is to its callers: one definition that validates, documents and types. */
import { z } from "@hono/zod-openapi";
import { foldText } from "./text.ts";

export const MAX_TITLE_CHARACTERS = 255;
export const MAX_DESCRIPTION_CHARACTERS = 1000;
export const MAX_TAGS = 20;
export const MAX_TAG_CHARACTERS = 40;

/** From least to most urgent. */
export const PRIORITIES = ["none", "low", "medium", "high"] as const;

export const SORTS = [
  "createdAt",
  "-createdAt",
  "due",
  "-due",
  "priority",
  "-priority",
  "updatedAt",
  "-updatedAt",
  "title",
] as const;
export const STATUSES = ["open", "completed", "all", "deleted"] as const;

/** How long a deleted task can be restored. */
export const TRASH_DAYS = 30;

const RFC_3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,3})?(?:Z|[+-]\d\d:\d\d)$/;

/** Text that JSON and SQLite both carry unaltered. Lengths count Unicode code points, as JSON Schema does. */
export function bounded(schema: z.ZodString, max: number) {
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

export const priority = z.enum(PRIORITIES).openapi({ example: "medium" });

/** A moment as RFC 3339 writes it, in any zone; kept in UTC, to the millisecond. */
export const moment = z
  .string()
  .transform((text, c) => {
    const date =
      RFC_3339.test(text) && z.iso.datetime({ offset: true }).safeParse(text).success ? new Date(text) : null;
    const inUtc = date?.toISOString();
    if (inUtc && RFC_3339.test(inUtc)) return inUtc;
    c.addIssue({ code: "custom", message: "must be an RFC 3339 instant, to the millisecond at most" });
    return z.NEVER;
  })
  .openapi({ type: "string", format: "date-time", example: "2026-03-01T09:30:00.000Z" });

/** A day, or a moment. As texts they sort: a day before all of its moments. */
export const dayOrMoment = z
  .string()
  .transform((text, c) => {
    if (z.iso.date().safeParse(text).success) return text;
    const parsed = moment.safeParse(text);
    if (parsed.success) return parsed.data;
    c.addIssue({ code: "custom", message: "must be a date (YYYY-MM-DD) or an RFC 3339 instant" });
    return z.NEVER;
  })
  .openapi({ type: "string", description: "`YYYY-MM-DD`, or an RFC 3339 instant", example: "2026-03-01" });

export const tag = bounded(z.string().min(1, "must not be empty"), MAX_TAG_CHARACTERS)
  .refine((text) => text.trim() === text, "must not begin or end with a space")
  .openapi({ example: "errands" });

const tags = z
  .array(tag)
  .max(MAX_TAGS, `must be at most ${MAX_TAGS} tags`)
  .superRefine((list, c) => {
    // Folding takes time that grows faster than the text: what is too long is refused already.
    if (list.some((text) => text.length > 2 * MAX_TAG_CHARACTERS)) return;
    const seen = new Set<string>();
    for (const [index, text] of list.entries()) {
      const key = foldText(text);
      if (seen.has(key)) c.addIssue({ code: "custom", path: [index], message: "is there already" });
      seen.add(key);
    }
  })
  .openapi({ uniqueItems: true, description: "Unique without regard to case, and in no order" });

const due = dayOrMoment.nullable();

const NEW_TASK = {
  title: "Buy oat milk",
  description: "Two cartons",
  priority: "medium" as const,
  due: "2026-03-01",
  tags: ["errands"],
};

/** The body of POST and PUT: every field that a caller may set; what is left out takes its default. */
export const newTaskSchema = z
  .strictObject({
    title,
    description: description.default(null),
    completed: completed.default(false),
    priority: priority.default("none"),
    due: due.default(null),
    tags: tags.default([]),
  })
  .openapi("NewTask", { example: NEW_TASK });

/** The body of PATCH, a JSON merge patch (RFC 7396): what is left out stays, null clears. */
export const taskChangesSchema = z
  .strictObject({
    title: title.optional(),
    description: description.optional(),
    completed: completed.optional(),
    priority: priority.optional(),
    due: due.optional(),
    tags: tags.optional(),
  })
  .openapi("TaskChanges", { example: { title: "Buy two", due: null } });

export const completionSchema = z.strictObject({ completed }).openapi("Completion", { example: { completed: true } });

const id = z.uuid().openapi({ description: "UUIDv7", example: "0195a3c0-7b1e-7c3a-9d41-0a52f3b7c1de" });

/** Whether a text can be a task's id. */
export function isTaskId(text: string): boolean {
  return z.uuid().safeParse(text).success;
}

export const taskSchema = z
  .object({
    id,
    title,
    description,
    completed,
    completedAt: instant.nullable(),
    priority,
    due: z.string().nullable().openapi({ description: "`YYYY-MM-DD`, or an instant in UTC", example: "2026-03-01" }),
    tags: z.array(z.string()).openapi({ example: ["errands"] }),
    createdAt: instant,
    updatedAt: instant,
    deletedAt: instant.nullable().openapi({ description: "When it went to the trash; null anywhere else" }),
    revision: z.int().positive().openapi({ description: "The task's ETag, and its place in the user's sequence" }),
  })
  .openapi("Task");

export const taskPageSchema = z
  .object({
    data: z.array(taskSchema),
    nextCursor: z.string().nullable(),
    total: z
      .object({ live: z.int(), open: z.int() })
      .openapi({ description: "Of all tasks, whatever the page shows: those not deleted, and the open ones of them" }),
  })
  .openapi("TaskPage");

const used = z.int().nonnegative();
const limit = z.int().positive();

/** What is used of each quota. */
export const usageSchema = z
  .object({
    tasks: z.object({ used, limit, open: used }),
    bytes: z.object({ used, limit }).openapi({ description: "Of text, as it is stored; without the trash" }),
    changesPerDay: z.object({ used, limit, renewsAt: instant }),
  })
  .openapi("Usage");

/** What an export says besides, and an import does not heed. */
const ignored = z.union([z.string(), z.number(), z.null()]).optional();

/** What an import takes: a task as an export wrote it. Who has no id is known by what is written in it. */
export const importedTaskSchema = newTaskSchema.extend({
  id: z.uuid().toLowerCase().optional(),
  createdAt: moment.optional(),
  completedAt: moment.nullable().optional(),
  updatedAt: ignored,
  deletedAt: ignored,
  revision: ignored,
});

export type NewTask = z.output<typeof newTaskSchema>;
export type TaskChanges = z.output<typeof taskChangesSchema>;
export type Task = z.output<typeof taskSchema>;
export type Usage = z.output<typeof usageSchema>;
export type ImportedTask = z.output<typeof importedTaskSchema>;
