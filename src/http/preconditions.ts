/**
 * Entity tags, If-Match and If-None-Match (RFC 9110, sections 8.8.3, 13.1.1 and 13.1.2).
 * A task's entity tag is its revision, in quotes. Weak tags match like strong ones, also in If-Match: a revision names one
 * state of the task, whatever was done to the bytes on the way. Cloudflare's edge weakens the tag of what it compresses. A list's is the newest revision of all the user's tasks. It is weak,
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

const listOfTags = z.string().superRefine((header, c) => {
  if (LIST_OF_TAGS.test(header)) return;
  const [, tag] = /^(?:W\/)?([\w-]{1,40})$/.exec(header) ?? [];
  const message = tag
    ? `must be in quotes: "${tag}", not ${tag}`
    : 'must be * or a list of entity tags in quotes, such as "7"';
  c.addIssue({ code: "custom", message });
});

/** Reads If-Match as the revisions that it allows; undefined for `*`. Foreign tags match nothing. */
export const ifMatch = listOfTags
  .transform((header) => (header === "*" ? undefined : revisionsIn(header)))
  .refine(isShort, `must list at most ${MAX_TAGS} entity tags`)
  .optional()
  .openapi({ type: "string", description: "Continue only if the task has this ETag" });

/** Reads If-None-Match as the revisions that it excludes; `*` excludes all. */
export const ifNoneMatch = listOfTags
  .transform((header) => (header === "*" ? ("*" as const) : revisionsIn(header)))
  .refine((revisions) => revisions === "*" || isShort(revisions), `must list at most ${MAX_TAGS} entity tags`)
  .optional()
  .openapi({ type: "string", description: "Continue only if the ETag is none of these" });

function revisionsIn(header: string): number[] {
  return [...header.matchAll(/"([^"]*)"/g)].flatMap(([, tag = ""]) =>
    /^(?:0|[1-9]\d{0,14})$/.test(tag) ? [Number(tag)] : [],
  );
}

function isShort(revisions: number[] | undefined): boolean {
  return (revisions?.length ?? 0) <= MAX_TAGS;
}
