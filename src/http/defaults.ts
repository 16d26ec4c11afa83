/** What surrounds every request, whichever feature answers it: id, log line, security headers, CORS and error handling. */
import { OpenAPIHono } from "@hono/zod-openapi";
import { cors } from "hono/cors";
import { createMiddleware } from "hono/factory";
import { type RequestIdVariables, requestId } from "hono/request-id";
import { secureHeaders } from "hono/secure-headers";
import { handleError } from "./error-handler.ts";
import { ACCESS_TOKEN_HEADER, BOOKMARK_HEADER, IDEMPOTENCY_REPLAYED_HEADER, SESSION_HEADER } from "./headers.ts";
import { Problem, problemResponse } from "./problem.ts";
import { requestLog } from "./request-log.ts";

const MAX_REQUEST_ID_CHARACTERS = 128;
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

/** For answers that are not pages: a browser must not run, frame or sniff them. A page brings its own policy. */
const policy = secureHeaders({
  contentSecurityPolicy: { defaultSrc: ["'none'"], frameAncestors: ["'none'"] },
  strictTransportSecurity: "max-age=31536000; includeSubDomains",
  xFrameOptions: "DENY",
  overwrite: false,
});

/** Answers are for their caller only: no cache may keep one. */
const noStore = createMiddleware(async (c, next) => {
  await next();
  c.header("Cache-Control", "no-store");
});

/** Returns an application that has everything but the features. */
export function createAppWithDefaults(trustedOrigins: string[]) {
  const app = new OpenAPIHono<{ Variables: RequestIdVariables }>();
  app.use(requestId({ limitLength: MAX_REQUEST_ID_CHARACTERS }), requestLog, policy);
  app.use("/api/*", noStore);
  app.use(
    "/api/*",
    cors({
      origin: trustedOrigins,
      credentials: true,
      allowMethods: ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"],
      exposeHeaders: EXPOSED_HEADERS,
      maxAge: PREFLIGHT_SECONDS,
    }),
  );
  app.onError(handleError);
  app.notFound((c) => problemResponse(c, new Problem("not_found")));
  return app;
}
