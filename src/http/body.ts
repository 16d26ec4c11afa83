/** Reads a body once, bounded and strictly: too much is 413 before it is read, bytes that are not UTF-8 are 400. */

import { bodyLimit } from "hono/body-limit";
import { every } from "hono/combine";
import { createMiddleware } from "hono/factory";
import { Problem } from "./problem.ts";

export const MAX_BODY_BYTES = 64 * 1024;
export const MAX_IMPORT_BYTES = 10 * 1024 * 1024;

/** JSON is UTF-8 (RFC 8259, section 8.1). A lenient reader would alter what was sent. */
const strictUtf8 = createMiddleware(async (c, next) => {
  if (c.req.raw.body) {
    try {
      new TextDecoder("utf-8", { fatal: true, ignoreBOM: false }).decode(await c.req.arrayBuffer());
    } catch {
      throw new Problem("malformed_request");
    }
  }
  await next();
});

export const jsonBody = every(bodyLimit({ maxSize: MAX_BODY_BYTES }), strictUtf8);

/** The body of an import may be long, and other than JSON. */
export const importBody = every(bodyLimit({ maxSize: MAX_IMPORT_BYTES }), strictUtf8);
