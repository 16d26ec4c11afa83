/**
 * Entity tags and If-Match (RFC 9110, sections 8.8.3 and 13.1.1).
 * A task's entity tag is its revision, in quotes.
 */
import { z } from "@hono/zod-openapi";

const LIST_OF_TAGS =
  /^(?:\*|(?:W\/)?"[\x21\x23-\x7e\x80-\xff]*"(?:[ \t]*,[ \t]*(?:W\/)?"[\x21\x23-\x7e\x80-\xff]*")*)$/;
const MAX_TAGS = 50;

export function entityTag(revision: number): string {
  return `"${revision}"`;
}

/** The revisions that If-Match allows; undefined for `*`. Weak tags and tags that are not ours match nothing. */
export const ifMatch = z
  .string()
  .regex(LIST_OF_TAGS, 'must be "*" or a list of entity tags')
  .transform((header) => {
    if (header === "*") return undefined;
    return [...header.matchAll(/(W\/)?"([^"]*)"/g)].flatMap(([, weak, tag = ""]) => {
      return weak === undefined && /^[1-9]\d{0,14}$/.test(tag) ? [Number(tag)] : [];
    });
  })
  .refine((revisions) => (revisions?.length ?? 0) <= MAX_TAGS, `must list at most ${MAX_TAGS} entity tags`)
  .optional()
  .openapi({ type: "string", description: "Write only if the task still has this ETag", example: '"7"' });
