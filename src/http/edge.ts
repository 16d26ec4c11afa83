/** What surrounds every request, whoever answers it: its id, its log line, security headers, CORS and the error edge. */
import { OpenAPIHono } from "@hono/zod-openapi";
import { cors } from "hono/cors";
import { createMiddleware } from "hono/factory";
import { type RequestIdVariables, requestId } from "hono/request-id";
import { secureHeaders } from "hono/secure-headers";
import { errorEdge } from "./error-edge.ts";
import { Problem, problemResponse } from "./problem.ts";
import { requestLog } from "./request-log.ts";

const MAX_REQUEST_ID_CHARACTERS = 128;
const PREFLIGHT_SECONDS = 600;
const READABLE_HEADERS = [
  "Content-Disposition",
  "ETag",
  "Idempotency-Replayed",
  "Location",
  "Retry-After",
  "set-auth-jwt",
  "set-auth-token",
  "x-d1-bookmark",
  "X-Request-Id",
];

/** For answers that are no pages: nothing in them is to run, be framed or be guessed at. A page brings its own policy. */
const policy = secureHeaders({
  contentSecurityPolicy: { defaultSrc: ["'none'"], frameAncestors: ["'none'"] },
  strictTransportSecurity: "max-age=31536000; includeSubDomains",
  xFrameOptions: "DENY",
  overwrite: false,
});

/** Answers to callers are theirs alone; no cache may keep one. */
const noStore = createMiddleware(async (c, next) => {
  await next();
  c.header("Cache-Control", "no-store");
});

/** An application in which everything but the features is in place. */
export function createEdge(trustedOrigins: string[]) {
  const edge = new OpenAPIHono<{ Variables: RequestIdVariables }>();
  edge.use(requestId({ limitLength: MAX_REQUEST_ID_CHARACTERS }), requestLog, policy);
  edge.use("/api/*", noStore);
  edge.use(
    "/api/*",
    cors({
      origin: trustedOrigins,
      credentials: true,
      allowMethods: ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"],
      exposeHeaders: READABLE_HEADERS,
      maxAge: PREFLIGHT_SECONDS,
    }),
  );
  edge.onError(errorEdge);
  edge.notFound((c) => problemResponse(c, new Problem("not_found")));
  return edge;
}
