/** The fields of a task: one schema each, which validates, documents and types. */
import { z } from "@hono/zod-openapi";
import { foldText } from "./text.ts";

export const MAX_TITLE_CHARACTERS = 255;
export const MAX_DESCRIPTION_CHARACTERS = 1000;
export const MAX_TAGS = 20;
export const MAX_TAG_CHARACTERS = 40;

/** From least to most urgent. */
export const PRIORITIES = ["none", "low", "medium", "high"] as const;

const RFC_3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,3})?(?:Z|[+-]\d\d:\d\d)$/;

/** Text that JSON and SQLite both store unchanged. Lengths count Unicode code points, as JSON Schema does. */
export function bounded(schema: z.ZodString, max: number) {
  return schema
    .refine((text) => text.isWellFormed() && !text.includes("\0"), "must not contain NUL or lone surrogates")
    .refine((text) => [...text].length <= max, `must be at most ${max} characters long`)
    .openapi({ maxLength: max });
}

export const title = bounded(z.string().trim().min(1, "must not be blank"), MAX_TITLE_CHARACTERS).openapi({
  example: "Buy oat milk",
});
export const description = bounded(z.string(), MAX_DESCRIPTION_CHARACTERS)
  .nullable()
  .openapi({ example: "Two cartons" });
export const completed = z.boolean().openapi({ example: false });
export const instant = z.iso.datetime({ precision: 3 }).openapi({ example: "2026-03-01T09:30:00.000Z" });

export const priority = z.enum(PRIORITIES).openapi({ example: "medium" });

/** An RFC 3339 instant in any zone. It is stored in UTC, to the millisecond. */
export const moment = z
  .string()
  .transform((text, c) => {
    const date =
      RFC_3339.test(text) && z.iso.datetime({ offset: true }).safeParse(text).success ? new Date(text) : null;
    const inUtc = date?.toISOString();
    if (inUtc && RFC_3339.test(inUtc)) return inUtc;
    c.addIssue({
      code: "custom",
      message: "must be an RFC 3339 instant with at most 3 fraction digits, such as 2026-03-01T09:30:00Z",
    });
    return z.NEVER;
  })
  .openapi({ type: "string", format: "date-time", example: "2026-03-01T09:30:00.000Z" });

/** A day or an instant. Sorted as text, a day comes before all of its instants. */
export const dayOrMoment = z
  .string()
  .transform((text, c) => {
    if (z.iso.date().safeParse(text).success) return text;
    const parsed = moment.safeParse(text);
    if (parsed.success) return parsed.data;
    c.addIssue({
      code: "custom",
      message:
        "must be a date (YYYY-MM-DD) or an RFC 3339 instant with at most 3 fraction digits, such as 2026-03-01T09:30:00Z",
    });
    return z.NEVER;
  })
  .openapi({ type: "string", description: "`YYYY-MM-DD`, or an RFC 3339 instant", example: "2026-03-01" });

export const due = dayOrMoment.nullable();

export const tag = bounded(z.string().min(1, "must not be empty"), MAX_TAG_CHARACTERS)
  .refine((text) => text.trim() === text, "must not begin or end with a space")
  .openapi({ example: "errands" });

export const tags = z
  .array(tag)
  .max(MAX_TAGS, `must be at most ${MAX_TAGS} tags`)
  .superRefine((list, c) => {
    // Folding takes time that grows faster than the text. Tags that are too long are refused already.
    if (list.some((text) => text.length > 2 * MAX_TAG_CHARACTERS)) return;
    const seen = new Set<string>();
    for (const [index, text] of list.entries()) {
      const key = foldText(text);
      if (seen.has(key)) c.addIssue({ code: "custom", path: [index], message: "is a duplicate of an earlier tag" });
      seen.add(key);
    }
  })
  .openapi({ uniqueItems: true, description: "A set: unique without regard to case, in no order" });

export const id = z.uuid().openapi({ description: "UUIDv7", example: "0195a3c0-7b1e-7c3a-9d41-0a52f3b7c1de" });

/** Tells whether a text has the form of a task's id. */
export function isTaskId(text: string): boolean {
  return z.uuid().safeParse(text).success;
}
