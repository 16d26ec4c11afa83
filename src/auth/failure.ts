/** Failures around Better Auth's endpoints, in Better Auth's own shape: `{ code, message }`. */
import type { Context } from "hono";
import { isDatabaseTrouble } from "../db/client.ts";
import { logFailure } from "../http/request-log.ts";

const FAILURES = {
  not_found: { status: 404, code: "NOT_FOUND", message: "There is no such endpoint" },
  body_too_large: { status: 413, code: "BODY_TOO_LARGE", message: "A request body may be 64 KiB at most" },
  too_many_requests: { status: 429, code: "TOO_MANY_REQUESTS", message: "Too many requests. Please try again later." },
  internal_error: { status: 500, code: "INTERNAL_ERROR", message: "The mistake is ours. It has been logged" },
  database_unavailable: { status: 503, code: "DATABASE_UNAVAILABLE", message: "Try again in a moment" },
  not_configured: { status: 503, code: "NOT_CONFIGURED", message: "The operator has to set this Worker up" },
} as const;

const DEFAULT_RETRY_AFTER_SECONDS = "2";

export function authFailure(c: Context, failure: keyof typeof FAILURES, retryAfter?: string | null): Response {
  const { status, code, message } = FAILURES[failure];
  const comeBack = status === 429 || status === 503;
  const headers = comeBack ? { "Retry-After": retryAfter ?? DEFAULT_RETRY_AFTER_SECONDS } : {};
  return c.json({ code, message }, status, headers);
}

export function authFailureEdge(error: Error, c: Context): Response {
  const failure = isDatabaseTrouble(error) ? "database_unavailable" : "internal_error";
  logFailure(c, failure, error);
  return authFailure(c, failure);
}
