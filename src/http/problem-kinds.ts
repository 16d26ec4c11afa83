/**
 * Every way in which a request can fail. A problem names what the caller can change; of internal errors it says nothing
 * more.
 */
import type { ContentfulStatusCode } from "hono/utils/http-status";
import type { ProblemFacts } from "./problem-details.ts";

export type Kind = {
  status: ContentfulStatusCode;
  title: string;
  detail: string | ((facts: ProblemFacts) => string);
  headers?: Record<string, string>;
};

const challenge = (description: string) => ({
  "WWW-Authenticate": `Bearer realm="edge-tasks", error="invalid_token", error_description="${description}"`,
});
const retryAfter = (seconds: number) => ({ "Retry-After": String(seconds) });

export const PROBLEMS = {
  malformed_request: {
    status: 400,
    title: "Malformed request",
    detail: "The body could not be read; see `errors`. Send a complete body of valid JSON in UTF-8.",
  },
  invalid_request: {
    status: 400,
    title: "Invalid request",
    detail: "One or more fields are invalid; see `errors`.",
  },
  credentials_missing: {
    status: 401,
    title: "Credentials missing",
    detail: "Send an access token as `Authorization: Bearer <token>`. GET /api/auth/token returns one.",
    headers: { "WWW-Authenticate": 'Bearer realm="edge-tasks"' },
  },
  token_invalid: {
    status: 401,
    title: "Access token invalid",
    detail:
      "The Authorization header holds no valid access token of this address. Of the four values that sign-in returns, send the access token: the header `set-auth-jwt`, or `token` of GET /api/auth/token. The session cookie, the session's bearer value (`set-auth-token`) and `token` in the body of sign-in are no access tokens.",
    headers: challenge("The access token is invalid"),
  },
  token_expired: {
    status: 401,
    title: "Access token expired",
    detail: "The access token has expired. GET /api/auth/token returns a new one.",
    headers: challenge("The access token expired"),
  },
  session_ended: {
    status: 401,
    title: "Session ended",
    detail: "The session of this access token has ended. Sign in again.",
    headers: challenge("The session ended"),
  },
  https_required: {
    status: 403,
    title: "HTTPS required",
    detail: "Credentials are not accepted over plain http. Use https.",
  },
  quota_exceeded: {
    status: 403,
    title: "Quota exceeded",
    detail: ({ quota }: ProblemFacts) =>
      `This change would exceed your quota of ${quota?.limit} ${quota?.name} (${quota?.used} used). Delete tasks or shorten their text, then retry.`,
  },
  forbidden: {
    status: 403,
    title: "Forbidden",
    detail: "This path belongs to another user. Use your own user id, or `me`.",
  },
  not_found: {
    status: 404,
    title: "Not found",
    detail: "The path does not exist, or you have no task with this id.",
  },
  method_not_allowed: {
    status: 405,
    title: "Method not allowed",
    detail: ({ allowed = [] }: ProblemFacts) => `This path supports: ${allowed.join(", ")}.`,
  },
  id_taken: {
    status: 409,
    title: "Id taken",
    detail: "You already have a task with this id, and it has other contents or is deleted. Use a new id.",
  },
  changes_expired: {
    status: 410,
    title: "Token too old",
    detail: "This token is older than 90 days. Discard your copy and sync again without a token.",
  },
  precondition_failed: {
    status: 412,
    title: "Precondition failed",
    detail: ({ revision }: ProblemFacts) =>
      `The task is at revision ${revision}, which your If-Match or If-None-Match excludes. Read it again and retry with its current ETag.`,
  },
  body_too_large: {
    status: 413,
    title: "Body too large",
    detail: "A body may be at most 64 KiB, an import at most 10 MiB. Send it in parts.",
  },
  unsupported_media_type: {
    status: 415,
    title: "Unsupported media type",
    detail:
      "Send `Content-Type: application/json`. An import may also be text/calendar, text/csv or text/plain (todo.txt).",
  },
  idempotency_key_reused: {
    status: 422,
    title: "Idempotency key reused",
    detail: "This Idempotency-Key was already used with a different request. Use a new key.",
  },
  daily_quota_exceeded: {
    status: 429,
    title: "Daily quota exceeded",
    detail: ({ quota }: ProblemFacts) =>
      `This would exceed your quota of ${quota?.limit} changes a day (${quota?.used} made). Retry after ${quota?.renewsAt}. Until then you can still complete and delete tasks.`,
  },
  too_many_requests: {
    status: 429,
    title: "Too many requests",
    detail: "You have sent too many requests. Retry after the number of seconds in `Retry-After`.",
  },
  internal_error: {
    status: 500,
    title: "Internal error",
    detail: "Internal error; it has been logged under this `requestId`.",
  },
  database_unavailable: {
    status: 503,
    title: "Database unavailable",
    detail: "The database did not answer. Retry after the number of seconds in `Retry-After`.",
    headers: retryAfter(2),
  },
  database_not_migrated: {
    status: 503,
    title: "Database not migrated",
    detail:
      "The operator has to apply the migrations: `npx wrangler d1 migrations apply DB`, with --local or --remote. `npm start` applies them locally.",
    headers: retryAfter(60),
  },
  database_daily_limit: {
    status: 503,
    title: "Daily database limit reached",
    detail: "The operator's Cloudflare plan allows no more database queries today. Retry after midnight UTC.",
    headers: retryAfter(3600),
  },
  not_configured: {
    status: 503,
    title: "Not configured",
    detail: "The operator has to configure this Worker; its log names the variables that are missing or invalid.",
    headers: retryAfter(60),
  },
} as const satisfies Record<string, Kind>;

export type ProblemCode = keyof typeof PROBLEMS;

/** The text of a problem. */
export function detailOf(kind: Kind, facts: ProblemFacts): string {
  return typeof kind.detail === "string" ? kind.detail : kind.detail(facts);
}
