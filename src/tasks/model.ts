/** The shapes of tasks, stated once, for HTTP and for D1. */
import { z } from "@hono/zod-openapi";
import { ifMatch } from "../http/preconditions.ts";
import { fieldErrorSchema } from "../http/problem-details.ts";
import {
  bounded,
  completed,
  dayOrMoment,
  description,
  due,
  id,
  instant,
  moment,
  priority,
  tag,
  tags,
  title,
} from "./fields.ts";
import { foldText } from "./text.ts";

const NEW_TASK = {
  title: "Buy oat milk",
  description: "Two cartons",
  priority: "medium" as const,
  due: "2026-03-01",
  tags: ["errands"],
};

/** An example would fill in the field on the documents' page. */
const NO_EXAMPLE = { example: undefined };

/** The body of PUT: all writable fields. A field that is left out takes its default. */
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
export type NewTask = z.output<typeof newTaskSchema>;

/** The body of POST. */
export const createTaskSchema = newTaskSchema
  .extend({
    id: id
      .toLowerCase()
      .optional()
      .openapi({
        description: "A UUID that you choose, such as a UUIDv7. Left out, the server makes one",
        ...NO_EXAMPLE,
      }),
  })
  .openapi("CreateTask", { example: NEW_TASK });
export type CreateTask = z.output<typeof createTaskSchema>;

/** The body of PATCH, a JSON merge patch (RFC 7396): a field that is left out stays, null clears. */
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
export type TaskChanges = z.output<typeof taskChangesSchema>;

export const completionSchema = z.strictObject({ completed }).openapi("Completion", { example: { completed: true } });

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
    deletedAt: instant.nullable().openapi({ description: "When the task was deleted; null outside the trash" }),
    revision: z.int().positive().openapi({ description: "The task's ETag, and its place in the change feed" }),
  })
  .openapi("Task");
export type Task = z.output<typeof taskSchema>;

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

const MAX_SEARCH_CHARACTERS = 255;
/** Of the folded text, which may be longer than the text that was sent. D1 compares it with every position of a task's text. */
const MAX_SEARCH_BYTES = 512;
const DAY_BOUND = "A day counts as its start in UTC";

/** A day and its first instant are the same bound. */
const dueBound = dayOrMoment.transform((text) => text.replace("T00:00:00.000Z", ""));

/** What a list can be asked for, besides its page. */
export const listQuerySchema = z.strictObject({
  status: z.enum(STATUSES).default("all").openapi({ description: "`deleted` lists the trash" }),
  sort: z.enum(SORTS).optional().openapi({ default: "-createdAt", description: "A minus sign reverses the order" }),
  dueAfter: dueBound.optional().openapi({ description: `Due at this time or later. ${DAY_BOUND}`, ...NO_EXAMPLE }),
  dueBefore: dueBound.optional().openapi({ description: `Due before this time. ${DAY_BOUND}`, ...NO_EXAMPLE }),
  priority: priority.optional().openapi(NO_EXAMPLE),
  tag: tag.optional().openapi(NO_EXAMPLE),
  q: bounded(z.string().min(1, "must not be empty"), MAX_SEARCH_CHARACTERS)
    .refine((text) => Buffer.byteLength(foldText(text)) <= MAX_SEARCH_BYTES, {
      error: `must be at most ${MAX_SEARCH_BYTES} bytes long once its letters are normalized (NFKC)`,
      // A text that is too long already has its error.
      when: ({ issues }) => issues.length === 0,
    })
    .optional()
    .openapi({ description: "Text in the title or description, without regard to case" }),
});
export type ListQuery = z.output<typeof listQuerySchema>;

export const taskPageSchema = z
  .object({
    data: z.array(taskSchema),
    nextCursor: z.string().nullable(),
    total: z
      .object({ live: z.int(), open: z.int() })
      .openapi({ description: "All tasks that are not deleted, and those of them that are open, whatever the filter" }),
  })
  .openapi("TaskPage");
export type TaskPage = z.output<typeof taskPageSchema>;

const used = z.int().nonnegative();
const limit = z.int().positive();

export const usageSchema = z
  .object({
    tasks: z.object({ used, limit, open: used }),
    bytes: z.object({ used, limit }).openapi({ description: "Of text as it is stored, without the trash" }),
    changesPerDay: z.object({ used, limit, renewsAt: instant }),
  })
  .openapi("Usage");
export type Usage = z.output<typeof usageSchema>;

const onTask = { id: z.string().toLowerCase(), ifMatch };

export const operationSchema = z.discriminatedUnion("op", [
  z
    .strictObject({ op: z.literal("create"), id: createTaskSchema.shape.id, task: createTaskSchema })
    .refine(({ id, task }) => id === undefined || task.id === undefined || id === task.id, {
      path: ["id"],
      message: "must be left out, or equal `task.id`",
    }),
  z.strictObject({ op: z.literal("replace"), ...onTask, task: newTaskSchema }),
  z.strictObject({ op: z.literal("patch"), ...onTask, task: taskChangesSchema }),
  z.strictObject({ op: z.literal("complete"), ...onTask, completed: z.boolean() }),
  z.strictObject({ op: z.literal("delete"), ...onTask }),
  z.strictObject({ op: z.literal("restore"), ...onTask }),
]);
/** One operation of a batch. `ifMatch` holds the revisions that it may replace. */
export type Operation = z.output<typeof operationSchema>;

export const changeSchema = z.object({
  id: z.string(),
  revision: z.int(),
  deleted: z.boolean(),
  task: taskSchema.nullable().openapi({ description: "The task as it is now; null if it was deleted" }),
});
export type Change = z.output<typeof changeSchema>;

export const changePageSchema = z
  .object({
    data: z.array(changeSchema),
    nextToken: z.string(),
    hasMore: z.boolean().openapi({ description: "Whether more changes can be fetched now" }),
  })
  .openapi("Changes");
export type ChangePage = z.output<typeof changePageSchema>;

/** Fields of an export that an import ignores. */
const ignored = z.union([z.string(), z.number(), z.null()]).optional();

/** A task of an imported file. Without an id, its contents identify it. */
export const importedTaskSchema = createTaskSchema.extend({
  createdAt: moment.optional(),
  completedAt: moment.nullable().optional(),
  updatedAt: ignored,
  deletedAt: ignored,
  revision: ignored,
});
export type ImportedTask = z.output<typeof importedTaskSchema> & { id: string };

export const importLineSchema = z.object({
  line: z.int().openapi({ description: "The task's number in the file, counted from 1" }),
  status: z.enum(["imported", "exists", "invalid"]),
  id: z.string().optional(),
  errors: z.array(fieldErrorSchema).optional(),
  notes: z.array(fieldErrorSchema).optional().openapi({ description: "Values that were changed by the import" }),
});
export type ImportLine = z.output<typeof importLineSchema>;
