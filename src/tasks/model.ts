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
  MAX_UID_CHARACTERS,
  moment,
  parseInstant,
  priority,
  tag,
  tags,
  title,
} from "./fields.ts";
import { areKeepable } from "./kept-lines.ts";
import { isTimeZone } from "./local-time.ts";
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
const newTask = {
  title,
  description: description.default(null),
  completed: completed.default(false),
  priority: priority.default("none"),
  due: due.default(null),
  tags: tags.default([]),
};
export const newTaskSchema = z.strictObject(newTask).openapi("NewTask", { example: NEW_TASK });
export type NewTask = z.output<typeof newTaskSchema>;

/** The body of POST. */
const createTask = {
  id: id
    .toLowerCase()
    .optional()
    .openapi({
      description: "A UUID that you choose, such as a UUIDv7. Left out, the server makes one",
      ...NO_EXAMPLE,
    }),
  ...newTask,
};
export const createTaskSchema = z.strictObject(createTask).openapi("CreateTask", { example: NEW_TASK });
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
const DAY_BOUND =
  "A day, or an instant. A day begins at midnight in `timeZone`; else at the instant's own offset; else in UTC";

/** A bound of due dates: a day, or an instant in UTC with the offset that it was written with. */
export type Bound = { day: string } | { moment: string; offsetMs: number };

const bound = z
  .string()
  .transform((text, c): Bound => {
    // A plus sign that is not encoded arrives as a space.
    const written = text.replace(/ (?=\d\d:\d\d$)/, "+");
    const instant = parseInstant(written);
    if (instant) return instant;
    const day = dayOrMoment.safeParse(written);
    if (day.success) return { day: day.data };
    for (const { message } of day.error.issues) c.addIssue({ code: "custom", message });
    return z.NEVER;
  })
  .openapi({ type: "string" });

const MAX_ZONE_CHARACTERS = 64;

const timeZone = z
  .string()
  .refine(
    (name) => name.length <= MAX_ZONE_CHARACTERS && isTimeZone(name),
    "must be a name of the IANA list, such as America/Los_Angeles",
  )
  .openapi({ description: "Where days begin and end, for `dueAfter` and `dueBefore`: an IANA name", ...NO_EXAMPLE });

/** What a list can be asked for, besides its page. */
export const listQuerySchema = z.strictObject({
  status: z.enum(STATUSES).default("all").openapi({ description: "`deleted` lists the trash" }),
  sort: z.enum(SORTS).optional().openapi({ default: "-createdAt", description: "A minus sign reverses the order" }),
  dueAfter: bound.optional().openapi({ description: `Due at this time or later. ${DAY_BOUND}` }),
  dueBefore: bound.optional().openapi({ description: `Due before this time. ${DAY_BOUND}` }),
  timeZone: timeZone.optional(),
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

const OPERATIONS = ["create", "replace", "patch", "complete", "delete", "restore"] as const;

/** Of a result: empty for what was no operation. */
export const operationName = z
  .enum([...OPERATIONS, ""])
  .openapi({ description: "The operation's `op`; empty if it was none of these", example: "create" });

export const operationSchema = z
  .discriminatedUnion("op", [
    z
      .strictObject({ op: z.literal("create"), id: createTask.id, task: createTaskSchema })
      .refine(({ id, task }) => id === undefined || task.id === undefined || id === task.id, {
        path: ["id"],
        message: "must be left out, or equal `task.id`",
      })
      .openapi("CreateOperation"),
    z.strictObject({ op: z.literal("replace"), ...onTask, task: newTaskSchema }).openapi("ReplaceOperation"),
    z.strictObject({ op: z.literal("patch"), ...onTask, task: taskChangesSchema }).openapi("PatchOperation"),
    z.strictObject({ op: z.literal("complete"), ...onTask, completed: z.boolean() }).openapi("CompleteOperation"),
    z.strictObject({ op: z.literal("delete"), ...onTask }).openapi("DeleteOperation"),
    z.strictObject({ op: z.literal("restore"), ...onTask }).openapi("RestoreOperation"),
  ])
  .openapi("Operation");
/** One operation of a batch. `ifMatch` holds the revisions that it may replace. */
export type Operation = z.output<typeof operationSchema>;

export const changeSchema = z.object({
  id: z.string(),
  revision: z.int(),
  deleted: z.boolean(),
  task: z.union([taskSchema, z.null()]).openapi({ description: "The task as it is now; null if it was deleted" }),
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

/** The most text that is kept beside a task, in characters. */
export const MAX_KEPT_CHARACTERS = 8 * 1024;
export const MAX_KEPT_LINES = 200;

const ONE_LINE = /^[^\p{Cc}]*$/u;

const fromElsewhere = {
  uid: bounded(z.string().min(1, "must not be empty"), MAX_UID_CHARACTERS)
    .refine((uid) => ONE_LINE.test(uid) && uid.trim() === uid, "must be one line without spaces around it")
    .optional()
    .openapi({ description: "What names the task in the program that it came from", ...NO_EXAMPLE }),
  iCalendar: z
    .array(bounded(z.string(), MAX_KEPT_CHARACTERS))
    .max(MAX_KEPT_LINES, `must be at most ${MAX_KEPT_LINES} lines`)
    .refine((lines) => lines.join("").length <= MAX_KEPT_CHARACTERS, {
      error: `must be at most ${MAX_KEPT_CHARACTERS} characters together`,
    })
    .refine(areKeepable, "must be properties of a to-do, and behind them whole components such as alarms")
    .optional()
    .openapi({ description: "iCalendar lines that no field stands for. An export writes them again", ...NO_EXAMPLE }),
};

/** A task of an export. */
export const exportedTaskSchema = taskSchema.extend(fromElsewhere).openapi("ExportedTask");
export type ExportedTask = z.output<typeof exportedTaskSchema>;

/** Fields of an export that an import ignores. */
const ignored = z.union([z.string(), z.number(), z.null()]).optional();

/** A task of an imported file. Without an id, its contents identify it. */
export const importedTaskSchema = z
  .strictObject({
    ...createTask,
    ...fromElsewhere,
    createdAt: moment.optional(),
    completedAt: moment
      .nullable()
      .openapi({ type: ["string", "null"] })
      .optional(),
    updatedAt: ignored,
    deletedAt: ignored,
    revision: ignored,
  })
  .openapi("ImportedTask", { example: { title: "Buy oat milk" } });
export type ImportedTask = z.output<typeof importedTaskSchema> & { id: string };

/** What was left out or changed: at which line of the file, under which name, and why. */
export const importNoteSchema = fieldErrorSchema.extend({ line: z.int() });

export const importLineSchema = z.object({
  task: z.int().openapi({ description: "The task's number in the file, counted from 1" }),
  line: z.int().openapi({ description: "The line of the file at which the task begins, counted from 1" }),
  status: z.enum(["created", "exists", "invalid"]),
  id: z.string().optional(),
  errors: z.array(fieldErrorSchema).optional(),
  notes: z
    .array(importNoteSchema)
    .optional()
    .openapi({ description: "What was changed or left out, and at which line of the file" }),
});
export type ImportLine = z.output<typeof importLineSchema>;
