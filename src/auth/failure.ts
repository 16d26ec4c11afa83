/** Failures around Better Auth's endpoints, in Better Auth's own shape: `{ code, message }`. */
import type { Context } from "hono";
import { HTTPException } from "hono/http-exception";
import { databaseTrouble, secondsUntilMidnight, violates } from "../db/client.ts";
import { Problem } from "../http/problem.ts";
import { logFailure } from "../http/request-log.ts";
import { PasswordHasherTrouble } from "./passwords/hashing.ts";

const FAILURES = {
  bad_request: { status: 400, code: "BAD_REQUEST", message: "The request could not be read" },
  foreign_origin: {
    status: 403,
    code: "INVALID_ORIGIN",
    message: "Pages of this origin may not call; the operator lists those that may in TRUSTED_ORIGINS",
  },
  https_required: { status: 403, code: "HTTPS_REQUIRED", message: "Credentials are taken over https alone" },
  not_found: { status: 404, code: "NOT_FOUND", message: "There is no such endpoint" },
  body_too_large: { status: 413, code: "BODY_TOO_LARGE", message: "A request body may be 64 KiB at most" },
  unsupported_media_type: {
    status: 415,
    code: "UNSUPPORTED_MEDIA_TYPE",
    message: "Send JSON, with Content-Type: application/json",
  },
  address_taken: {
    status: 422,
    code: "USER_ALREADY_EXISTS_USE_ANOTHER_EMAIL",
    message: "User already exists. Use another email.",
  },
  too_many_requests: { status: 429, code: "TOO_MANY_REQUESTS", message: "Too many requests. Please try again later." },
  internal_error: { status: 500, code: "INTERNAL_ERROR", message: "The mistake is ours. It has been logged" },
  database_unavailable: { status: 503, code: "DATABASE_UNAVAILABLE", message: "Try again in a moment" },
  database_not_migrated: {
    status: 503,
    code: "DATABASE_NOT_MIGRATED",
    message: "Apply the migrations: npx wrangler d1 migrations apply DB, with --local or --remote; npm start does it",
  },
  database_daily_limit: {
    status: 503,
    code: "DATABASE_DAILY_LIMIT",
    message: "The operator's plan allows no more queries until midnight UTC",
  },
  hasher_unavailable: { status: 503, code: "PASSWORD_HASHER_UNAVAILABLE", message: "Try again in a moment" },
  email_not_configured: {
    status: 503,
    code: "EMAIL_NOT_CONFIGURED",
    message: "This deployment sends no mails with links: its operator has to set EMAIL_FROM and BETTER_AUTH_URL",
  },
  not_configured: { status: 503, code: "NOT_CONFIGURED", message: "The operator has to set this Worker up" },
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

export function authFailure(c: Context, failure: Failure, retryAfter?: string | null): Response {
  const { status, code, message } = FAILURES[failure];
  const seconds = retryAfter ?? RETRY_AFTER_SECONDS[failure];
  return c.json({ code, message }, status, seconds === undefined ? {} : { "Retry-After": seconds });
}

/** Some of Better Auth's refusals come with a message alone. */
export async function withCode(refusal: Response): Promise<Response> {
  const body: unknown = await refusal
    .clone()
    .json()
    .catch(() => null);
  const told = typeof body === "object" && body !== null ? body : {};
  if ("code" in told) return refusal;
  const code = refusal.status < 500 ? "BAD_REQUEST" : "INTERNAL_ERROR";
  const headers = new Headers(refusal.headers);
  headers.delete("content-length");
  return Response.json({ code, message: "The request was refused", ...told }, { status: refusal.status, headers });
}

export function authFailureEdge(error: Error, c: Context): Response {
  const failure = failureOf(error);
  if (FAILURES[failure].status >= 500) logFailure(c, failure, error);
  const isForToday = failure === "database_daily_limit";
  return authFailure(c, failure, isForToday ? String(secondsUntilMidnight(Date.now())) : undefined);
}

function failureOf(error: Error): Failure {
  if (error instanceof Problem && error.code === "malformed_request") return "bad_request";
  if (error instanceof HTTPException && error.status === 413) return "body_too_large";
  if (error instanceof PasswordHasherTrouble) return "hasher_unavailable";
  if (violates(error, "user.email")) return "address_taken";
  const trouble = databaseTrouble(error);
  return trouble ? `database_${trouble}` : "internal_error";
}
