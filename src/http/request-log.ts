/**
 * One line of JSON a request. It names the route's pattern, never the path, and carries
 * no token, cookie, address, body or query: nothing in it is secret or personal.
 */
import type { Context } from "hono";
import { createMiddleware } from "hono/factory";
import { matchedRoutes } from "hono/route";
import { describeD1 } from "../db/client.ts";

export const requestLog = createMiddleware(async (c, next) => {
  const start = Date.now();
  await next();
  const { status } = c.res;
  logEvent(status < 500 ? "info" : "error", "request", {
    requestId: c.get("requestId"),
    method: c.req.method,
    route: routePattern(c),
    status,
    durationMs: Date.now() - start,
    userId: c.get("caller")?.userId,
  });
});

/** Logs why a request failed: the error's class, D1's own, and where it arose. A message may quote data, so none is written. */
export function logFailure(c: Context, code: string, error: Error): void {
  const root = error.cause instanceof Error ? error.cause : error;
  logEvent("error", code, {
    requestId: c.get("requestId"),
    route: routePattern(c),
    error: error.name,
    cause: root.name,
    d1: describeD1(error),
    at: root.stack
      ?.split("\n")
      .filter((line) => /^\s+at /.test(line))
      .slice(0, 5),
  });
}

/** Logs what keeps the Worker from serving; `problems` name variables, never values. */
export function logMisconfiguration(problems: readonly string[]): void {
  logEvent("error", "not configured", { problems });
}

/** Writes one line. `facts` must hold nothing secret or personal. */
export function logEvent(level: "info" | "error", message: string, facts: Record<string, unknown>): void {
  console[level](JSON.stringify({ level, message, ...facts }));
}

/** The pattern of the handler that answered; middleware matches by wildcard. */
function routePattern(c: Context): string {
  return matchedRoutes(c).findLast((route) => !route.path.endsWith("*"))?.path ?? "unmatched";
}
