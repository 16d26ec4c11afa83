/**
 * Entity tags, If-Match and If-None-Match (RFC 9110, sections 8.8.3, 13.1.1 and 13.1.2).
 * A task's entity tag is its revision, in quotes. A list's is the newest revision of all the user's tasks. It is weak,
 * since it stands for the list's content, not for its bytes.
 */
import { z } from "@hono/zod-openapi";

const LIST_OF_TAGS =
  /^(?:\*|(?:W\/)?"[\x21\x23-\x7e\x80-\xff]*"(?:[ \t]*,[ \t]*(?:W\/)?"[\x21\x23-\x7e\x80-\xff]*")*)$/;
const MAX_TAGS = 50;

export function entityTag(revision: number): string {
  return `"${revision}"`;
}

export function weakEntityTag(revision: number): string {
  return `W/"${revision}"`;
}

/** Reads If-Match as the revisions that it allows; undefined for `*`. Weak tags and foreign tags match nothing. */
export const ifMatch = z
  .string()
  .regex(LIST_OF_TAGS, 'must be * or a list of entity tags in quotes, such as "7"')
  .transform((header) => (header === "*" ? undefined : revisionsIn(header, false)))
  .refine(isShort, `must list at most ${MAX_TAGS} entity tags`)
  .optional()
  .openapi({ type: "string", description: "Continue only if the task has this ETag" });

/** Reads If-None-Match as the revisions that it excludes; `*` excludes all. Weak tags match like strong ones. */
export const ifNoneMatch = z
  .string()
  .regex(LIST_OF_TAGS, 'must be * or a list of entity tags in quotes, such as "7"')
  .transform((header) => (header === "*" ? ("*" as const) : revisionsIn(header, true)))
  .refine((revisions) => revisions === "*" || isShort(revisions), `must list at most ${MAX_TAGS} entity tags`)
  .optional()
  .openapi({ type: "string", description: "Continue only if the ETag is none of these" });

function revisionsIn(header: string, weakToo: boolean): number[] {
  return [...header.matchAll(/(W\/)?"([^"]*)"/g)].flatMap(([, weak, tag = ""]) => {
    return (weakToo || weak === undefined) && /^(?:0|[1-9]\d{0,14})$/.test(tag) ? [Number(tag)] : [];
  });
}

function isShort(revisions: number[] | undefined): boolean {
  return (revisions?.length ?? 0) <= MAX_TAGS;
}
