/** What surrounds every request, whichever feature answers it: id, log line, security headers, CORS and error handling. */
import { OpenAPIHono } from "@hono/zod-openapi";
import { cors } from "hono/cors";
import { createMiddleware } from "hono/factory";
import { handleError } from "./error-handler.ts";
import { ACCESS_TOKEN_HEADER, BOOKMARK_HEADER, IDEMPOTENCY_REPLAYED_HEADER, SESSION_HEADER } from "./headers.ts";
import { refuse } from "./problem.ts";
import { logRequest } from "./request-log.ts";

/** What every handler can read. */
export type RequestVariables = { Variables: { requestId: string } };

const PREFLIGHT_SECONDS = 600;
/** The headers that a script of another origin may read. */
const EXPOSED_HEADERS = [
  "Content-Disposition",
  "ETag",
  IDEMPOTENCY_REPLAYED_HEADER,
  "Location",
  "Retry-After",
  ACCESS_TOKEN_HEADER,
  SESSION_HEADER,
  BOOKMARK_HEADER,
  "X-Request-Id",
];

/**
 * On every answer. None but those of `src/docs`, which have a policy of their own, is a page, and each is for its caller only: a browser must not run, frame or sniff it, and no cache
 * may keep it.
 * @see https://cheatsheetseries.owasp.org/cheatsheets/REST_Security_Cheat_Sheet.html
 */
const HEADERS = Object.entries({
  "Cache-Control": "no-store",
  "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
  "Cross-Origin-Resource-Policy": "same-origin",
  "Referrer-Policy": "no-referrer",
  "Strict-Transport-Security": "max-age=31536000; includeSubDomains",
  "X-Content-Type-Options": "nosniff",
  "X-Frame-Options": "DENY",
});

/** Returns an application that has everything but the features. */
export function createAppWithDefaults(trustedOrigins: string[]) {
  const allowTrustedOrigins = cors({
    origin: trustedOrigins,
    credentials: true,
    allowMethods: ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"],
    exposeHeaders: EXPOSED_HEADERS,
    maxAge: PREFLIGHT_SECONDS,
  });

  const surround = createMiddleware<RequestVariables>(async (c, next) => {
    const start = Date.now();
    const requestId = requestIdOf(c.req.raw.headers.get("x-request-id"));
    c.set("requestId", requestId);
    if (isApi(c.req.path) && (c.req.raw.headers.has("origin") || c.req.method === "OPTIONS")) {
      const preflight = await allowTrustedOrigins(c, next);
      if (preflight) c.res = preflight;
    } else {
      await next();
    }
    // On the answer that there is: Hono would copy it for each header.
    const { headers } = c.res;
    headers.set("X-Request-Id", requestId);
    for (const [name, value] of HEADERS) {
      if (name !== "Content-Security-Policy" || !headers.has(name)) headers.set(name, value);
    }
    logRequest(c, Date.now() - start);
  });

  // A slash at the end of a path means the same resource.
  const app = new OpenAPIHono<RequestVariables>({ strict: false });
  app.use(surround);
  app.onError(handleError);
  app.notFound((c) => refuse(c, "not_found"));
  return app;
}

function isApi(path: string): boolean {
  return path === "/api" || path.startsWith("/api/");
}

/** The caller's own id for the request, if it is short and plain; else a new one. */
function requestIdOf(given: string | null): string {
  return given !== null && /^[\w=-]{1,128}$/.test(given) ? given : crypto.randomUUID();
}
