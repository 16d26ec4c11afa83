/** Bounds and checks bodies: one that is too large is 413 before it is read, and one that is not UTF-8 is 400. */
import type { Context, MiddlewareHandler } from "hono";
import { bodyLimit } from "hono/body-limit";
import { createMiddleware } from "hono/factory";
import { Problem } from "./problem.ts";

export const MAX_BODY_BYTES = 64 * 1024;
export const MAX_IMPORT_BYTES = 10 * 1024 * 1024;

/** Refuses a body that is not UTF-8, as JSON has to be (RFC 8259, section 8.1). A lenient reader would change it. */
export async function requireUtf8(c: Context): Promise<void> {
  try {
    new TextDecoder("utf-8", { fatal: true, ignoreBOM: false }).decode(await c.req.arrayBuffer());
  } catch {
    throw new Problem("malformed_request", { errors: [{ path: "body", message: "must be UTF-8" }] });
  }
}

/** Tells whether a request has a body. That of GET or HEAD is ignored (RFC 9110, section 9.3.1). */
export function hasBody(c: Context): boolean {
  return c.req.raw.body !== null && c.req.method !== "GET" && c.req.method !== "HEAD";
}

/** Refuses a body that is larger, before it is read. */
export function limitBody(maxSize: number): MiddlewareHandler {
  const limit = bodyLimit({ maxSize });
  return (c, next) => (hasBody(c) ? limit(c, next) : next());
}

const limitJson = limitBody(MAX_BODY_BYTES);

/**
 * Refuses a body that is longer than 64 KiB, or is not UTF-8.
 * @param path a path that bounds its own body
 */
export function limitBodiesExcept(path: RegExp) {
  return createMiddleware(async (c, next) => {
    if (!hasBody(c) || path.test(c.req.path)) return next();
    return limitJson(c, async () => {
      await requireUtf8(c);
      await next();
    });
  });
}

/** An import may be large, and need not be JSON. Its bytes are checked while they are read. */
export const importBody = limitBody(MAX_IMPORT_BYTES);
