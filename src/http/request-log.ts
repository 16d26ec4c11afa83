/**
 * Logs one line for each request. It holds the route's pattern, but no path, token, cookie, address, body or query.
 */
import type { Context } from "hono";
import { matchedRoutes } from "hono/route";
import { describeD1 } from "../db/client.ts";
import { logEvent } from "../log.ts";

/** Logs a request that has been answered. */
export function logRequest(c: Context, durationMs: number): void {
  const { status } = c.res;
  logEvent(status < 500 ? "info" : "error", "request", {
    requestId: c.get("requestId"),
    method: c.req.method,
    route: routePattern(c),
    status,
    durationMs,
    userId: c.get("caller")?.userId,
  });
}

/** Logs why a request failed: the error's class, D1's codes, and the stack. Messages may quote data, so none is logged. */
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

/** The pattern of the route that answered. Middleware has wildcard patterns. */
function routePattern(c: Context): string {
  return matchedRoutes(c).findLast((route) => !route.path.endsWith("*"))?.path ?? "unmatched";
}
