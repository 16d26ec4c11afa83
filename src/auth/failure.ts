/** Failures of account endpoints, in Better Auth's shape: `{ code, message }`. */
import type { Context } from "hono";
import { HTTPException } from "hono/http-exception";
import { databaseFailure, secondsUntilMidnight, violates } from "../db/client.ts";
import { Problem } from "../http/problem.ts";
import { logFailure } from "../http/request-log.ts";
import { PasswordHasherUnavailable } from "./passwords/plugin.ts";

const FAILURES = {
  bad_request: {
    status: 400,
    code: "BAD_REQUEST",
    message: "The body could not be read. Send a complete body of valid JSON in UTF-8",
  },
  foreign_origin: {
    status: 403,
    code: "INVALID_ORIGIN",
    message: "This origin is not trusted. The operator can add it to TRUSTED_ORIGINS",
  },
  https_required: {
    status: 403,
    code: "HTTPS_REQUIRED",
    message: "Credentials are not accepted over plain http. Use https",
  },
  not_found: { status: 404, code: "NOT_FOUND", message: "This endpoint does not exist" },
  method_not_allowed: { status: 405, code: "METHOD_NOT_ALLOWED", message: "This endpoint has another method" },
  body_too_large: { status: 413, code: "BODY_TOO_LARGE", message: "A body may be at most 64 KiB" },
  unsupported_media_type: {
    status: 415,
    code: "UNSUPPORTED_MEDIA_TYPE",
    message: "Send JSON with `Content-Type: application/json`",
  },
  address_taken: {
    status: 422,
    code: "USER_ALREADY_EXISTS_USE_ANOTHER_EMAIL",
    message: "User already exists. Use another email.",
  },
  too_many_requests: {
    status: 429,
    code: "TOO_MANY_REQUESTS",
    message: "Too many requests. Retry after the number of seconds in Retry-After",
  },
  internal_error: { status: 500, code: "INTERNAL_ERROR", message: "Internal error; it has been logged" },
  database_unavailable: {
    status: 503,
    code: "DATABASE_UNAVAILABLE",
    message: "The database did not answer. Retry shortly",
  },
  database_not_migrated: {
    status: 503,
    code: "DATABASE_NOT_MIGRATED",
    message:
      "The operator has to apply the migrations: npx wrangler d1 migrations apply DB, with --local or --remote. npm start applies them locally",
  },
  database_daily_limit: {
    status: 503,
    code: "DATABASE_DAILY_LIMIT",
    message: "The operator's Cloudflare plan allows no more database queries today. Retry after midnight UTC",
  },
  hasher_unavailable: {
    status: 503,
    code: "PASSWORD_HASHER_UNAVAILABLE",
    message: "Passwords cannot be checked at the moment. Retry shortly",
  },
  email_not_configured: {
    status: 503,
    code: "EMAIL_NOT_CONFIGURED",
    message: "This deployment cannot send mail. Its operator has to set EMAIL_FROM and BETTER_AUTH_URL",
  },
  not_configured: {
    status: 503,
    code: "NOT_CONFIGURED",
    message: "The operator has to configure this Worker; its log names the variables that are missing or invalid",
  },
} as const;

type Failure = keyof typeof FAILURES;

const RETRY_AFTER_SECONDS: Partial<Record<Failure, string>> = {
  too_many_requests: "10",
  database_unavailable: "2",
  database_not_migrated: "60",
  hasher_unavailable: "2",
  email_not_configured: "3600",
  not_configured: "60",
};

/** @param more seconds to wait, or words, in place of the failure's own */
export function authFailure(
  c: Context,
  failure: Failure,
  more: { retryAfter?: string | undefined; message?: string } = {},
): Response {
  const { status, code } = FAILURES[failure];
  const { message = FAILURES[failure].message, retryAfter: seconds = RETRY_AFTER_SECONDS[failure] } = more;
  return c.json({ code, message }, status, seconds === undefined ? {} : { "Retry-After": seconds });
}

/** Adds a code to a refusal of Better Auth that has only a message. */
export async function withCode(refusal: Response): Promise<Response> {
  const body: unknown = await refusal
    .clone()
    .json()
    .catch(() => null);
  const given = typeof body === "object" && body !== null ? body : {};
  if ("code" in given) return refusal;
  const code = refusal.status < 500 ? "BAD_REQUEST" : "INTERNAL_ERROR";
  const headers = new Headers(refusal.headers);
  headers.delete("content-length");
  return Response.json({ code, message: "Invalid request", ...given }, { status: refusal.status, headers });
}

export function handleAuthError(error: Error, c: Context): Response {
  const failure = failureOf(error);
  if (FAILURES[failure].status >= 500) logFailure(c, failure, error);
  const isDailyLimit = failure === "database_daily_limit";
  return authFailure(c, failure, isDailyLimit ? { retryAfter: String(secondsUntilMidnight(Date.now())) } : {});
}

function failureOf(error: Error): Failure {
  if (error instanceof Problem && error.code === "malformed_request") return "bad_request";
  if (error instanceof HTTPException && error.status === 413) return "body_too_large";
  if (error instanceof PasswordHasherUnavailable) return "hasher_unavailable";
  if (violates(error, "user.email")) return "address_taken";
  const databaseKind = databaseFailure(error);
  return databaseKind ? `database_${databaseKind}` : "internal_error";
}
