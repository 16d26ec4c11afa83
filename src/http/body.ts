/** Reads a body once, bounded and strictly: too much is 413 before it is read, bytes that are not UTF-8 are 400. */
import type { Context, MiddlewareHandler } from "hono";
import { bodyLimit } from "hono/body-limit";
import { every } from "hono/combine";
import { createMiddleware } from "hono/factory";
import { Problem } from "./problem.ts";

export const MAX_BODY_BYTES = 64 * 1024;
export const MAX_IMPORT_BYTES = 10 * 1024 * 1024;

/** JSON is UTF-8 (RFC 8259, section 8.1). A lenient reader would alter what was sent. */
export async function requireUtf8(c: Context): Promise<void> {
  try {
    new TextDecoder("utf-8", { fatal: true, ignoreBOM: false }).decode(await c.req.arrayBuffer());
  } catch {
    throw new Problem("malformed_request");
  }
}

/** Whether a request has a body that counts: that of GET or HEAD means nothing (RFC 9110, section 9.3.1). */
export function hasBody(c: Context): boolean {
  return c.req.raw.body !== null && c.req.method !== "GET" && c.req.method !== "HEAD";
}

/** Refuses a body that is longer, before it is read. */
export function limitBody(maxSize: number): MiddlewareHandler {
  const limit = bodyLimit({ maxSize });
  return (c, next) => (hasBody(c) ? limit(c, next) : next());
}

const strictUtf8 = createMiddleware(async (c, next) => {
  if (hasBody(c)) await requireUtf8(c);
  await next();
});

export const jsonBody = every(limitBody(MAX_BODY_BYTES), strictUtf8);

/** The body of an import may be long, and other than JSON. Its bytes are checked while they are read. */
export const importBody = limitBody(MAX_IMPORT_BYTES);
