/** The fields of a task: one schema each, which validates, documents and types. */
import { z } from "@hono/zod-openapi";
import { foldText } from "./text.ts";

export const MAX_TITLE_CHARACTERS = 255;
export const MAX_DESCRIPTION_CHARACTERS = 1000;
export const MAX_TAGS = 20;
export const MAX_TAG_CHARACTERS = 40;
/** Of what names a task in another program: one line, without outer spaces. */
export const MAX_UID_CHARACTERS = 255;

/** From least to most urgent. */
export const PRIORITIES = ["none", "low", "medium", "high"] as const;

/** Small letters are allowed, and any number of fraction digits (RFC 3339, section 5.6). */
const RFC_3339 = /^(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)(?:\.(\d{1,3})\d*)?(Z|[+-]\d\d:\d\d)$/i;
const IN_UTC = /^\d{4}-\d\d-\d\dT/;
/** Whether a text shows anything: more than spaces, zero-width characters, fillers and empty Braille cells. */
export const HAS_VISIBLE = /[^\s\p{Default_Ignorable_Code_Point}\u2800]/u;

/** Text that JSON and SQLite both store unchanged. Lengths count Unicode code points, as JSON Schema does. */
export function bounded(schema: z.ZodString, max: number) {
  return schema
    .refine((text) => text.isWellFormed() && !text.includes("\0"), "must not contain NUL or lone surrogates")
    .refine((text) => [...text].length <= max, `must be at most ${max} characters long`)
    .openapi({ maxLength: max });
}

const visible = z
  .string()
  .trim()
  .min(1, "must not be blank")
  .refine((text) => text === "" || HAS_VISIBLE.test(text), "must not be blank");
export const title = bounded(visible, MAX_TITLE_CHARACTERS).openapi({ example: "Buy oat milk" });
export const description = bounded(z.string(), MAX_DESCRIPTION_CHARACTERS)
  .nullable()
  .openapi({ example: "Two cartons" });
export const completed = z.boolean().openapi({ example: false });
export const instant = z.iso.datetime({ precision: 3 }).openapi({ example: "2026-03-01T09:30:00.000Z" });

export const priority = z.enum(PRIORITIES).openapi({ example: "medium" });

/** An RFC 3339 instant in any zone. It is stored in UTC, cut to the millisecond. */
export const moment = z
  .string()
  .transform((text, c) => {
    const inUtc = parseInstant(text)?.moment;
    if (inUtc !== undefined) return inUtc;
    c.addIssue({ code: "custom", message: "must be an RFC 3339 instant with its zone, such as 2026-03-01T09:30:00Z" });
    return z.NEVER;
  })
  .openapi({ type: "string", format: "date-time", example: "2026-03-01T09:30:00.000Z" });

/**
 * Reads an RFC 3339 instant, cut to the millisecond.
 * @returns the instant in UTC, and the offset that it was written with; undefined for anything else
 */
export function parseInstant(text: string): { moment: string; offsetMs: number } | undefined {
  const [, day, time, fraction = "", zone = ""] = RFC_3339.exec(text) ?? [];
  if (day === undefined) return undefined;
  const plain = `${day}T${time}.${fraction.padEnd(3, "0")}${zone.toUpperCase()}`;
  if (!z.iso.datetime({ offset: true }).safeParse(plain).success) return undefined;
  const moment = new Date(plain).toISOString();
  const offsetMs = Date.parse(`${day}T${time}Z`) - Date.parse(`${day}T${time}${zone.toUpperCase()}`);
  return IN_UTC.test(moment) ? { moment, offsetMs } : undefined;
}

/** A day or an instant. Sorted as text, a day comes before all of its instants. */
export const dayOrMoment = z
  .string()
  .transform((text, c) => {
    if (z.iso.date().safeParse(text).success) return text;
    const parsed = moment.safeParse(text);
    if (parsed.success) return parsed.data;
    c.addIssue({
      code: "custom",
      message: "must be a date (YYYY-MM-DD), or an RFC 3339 instant with its zone, such as 2026-03-01T09:30:00Z",
    });
    return z.NEVER;
  })
  .openapi({ type: "string", description: "`YYYY-MM-DD`, or an RFC 3339 instant", example: "2026-03-01" });

export const due = dayOrMoment.nullable().openapi({ type: ["string", "null"] });

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
