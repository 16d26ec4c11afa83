/** The parameters that task routes share. */
import { z } from "@hono/zod-openapi";
import { bounded, dayOrMoment, priority, SORTS, STATUSES, tag } from "./model.ts";
import { foldText } from "./text.ts";

const DEFAULT_PAGE_SIZE = 20;
const MAX_PAGE_SIZE = 100;
const MAX_SEARCH_CHARACTERS = 255;
/** Of the text that is looked for, which may be longer than what was sent: D1 compares it with every place of a task. */
const MAX_SEARCH_BYTES = 512;

export const userPath = z.object({
  userId: z.string().openapi({ description: "The caller's id, or `me`", example: "me" }),
});
export const taskPath = userPath.extend({ id: z.string().openapi({ description: "The task's id" }) });

const limit = z
  .string()
  .regex(/^\d{1,3}$/, `must be a whole number from 1 to ${MAX_PAGE_SIZE}`)
  .transform(Number)
  .pipe(z.int().min(1).max(MAX_PAGE_SIZE))
  .default(DEFAULT_PAGE_SIZE)
  .openapi({ type: "integer", minimum: 1, maximum: MAX_PAGE_SIZE, default: DEFAULT_PAGE_SIZE });

/** A page to try operations on would fill in what it is for the reader to choose. */
const NO_EXAMPLE = { example: undefined };
const DUE_BOUND = "A day counts as its start in UTC";

/** A day and its first moment are the same bound. */
const dueBound = dayOrMoment.transform((text) => text.replace("T00:00:00.000Z", ""));

export const listQuery = z
  .strictObject({
    status: z.enum(STATUSES).default("all").openapi({ description: "`deleted` lists what can be restored" }),
    sort: z.enum(SORTS).optional().openapi({ default: "-createdAt", description: "A minus sign turns it around" }),
    dueAfter: dueBound.optional().openapi({ description: `Due then or later. ${DUE_BOUND}`, ...NO_EXAMPLE }),
    dueBefore: dueBound.optional().openapi({ description: `Due earlier. ${DUE_BOUND}`, ...NO_EXAMPLE }),
    priority: priority.optional().openapi(NO_EXAMPLE),
    tag: tag.optional().openapi(NO_EXAMPLE),
    q: bounded(z.string().min(1, "must not be empty"), MAX_SEARCH_CHARACTERS)
      .refine((text) => Buffer.byteLength(foldText(text)) <= MAX_SEARCH_BYTES, {
        error: `must be at most ${MAX_SEARCH_BYTES} bytes long, in compatible letters`,
        // What is too long already is told so alone.
        when: ({ issues }) => issues.length === 0,
      })
      .optional()
      .openapi({ description: "Text in the title or description, in whatever case" }),
    limit,
    cursor: z.string().optional().openapi({ description: "`nextCursor` of the page before" }),
  })
  .refine(({ status, sort }) => status !== "deleted" || sort === undefined, {
    path: ["sort"],
    message: "must be left out: deleted tasks are listed by their deletion, newest first",
  });

export const changesQuery = z.strictObject({
  since: z.string().optional().openapi({ description: "`nextToken` of the answer before; left out, all is new" }),
  limit,
});
