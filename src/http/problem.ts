/**
 * Every way a request can fail, and the one shape in which it is told (RFC 9457).
 * A problem names the caller's mistake; of our own mistakes it tells nothing.
 */
import { z } from "@hono/zod-openapi";
import type { Context } from "hono";
import type { ContentfulStatusCode } from "hono/utils/http-status";

export type Kind = { status: ContentfulStatusCode; title: string; detail: string; headers?: Record<string, string> };

const challenge = (description: string) => ({
  "WWW-Authenticate": `Bearer realm="edge-tasks", error="invalid_token", error_description="${description}"`,
});
const comeBack = (seconds: number) => ({ "Retry-After": String(seconds) });

export const PROBLEMS = {
  malformed_request: { status: 400, title: "Malformed request", detail: "The request could not be read." },
  invalid_request: { status: 400, title: "Invalid request", detail: "Some of the request is not as it must be." },
  credentials_missing: {
    status: 401,
    title: "Credentials missing",
    detail: "Send an access token: GET /api/auth/token gives one.",
    headers: { "WWW-Authenticate": 'Bearer realm="edge-tasks"' },
  },
  token_invalid: {
    status: 401,
    title: "Access token invalid",
    detail: "The credentials are not an access token of this API.",
    headers: challenge("The access token is invalid"),
  },
  token_expired: {
    status: 401,
    title: "Access token expired",
    detail: "Exchange the session for a new one: GET /api/auth/token.",
    headers: challenge("The access token expired"),
  },
  session_ended: {
    status: 401,
    title: "Session ended",
    detail: "The session behind the access token has ended. Sign in again.",
    headers: challenge("The session ended"),
  },
  https_required: { status: 403, title: "HTTPS required", detail: "Credentials are taken over https alone." },
  quota_exceeded: {
    status: 403,
    title: "Quota exceeded",
    detail: "You have as much as one user may have; see `quota`. Delete tasks, or shorten their text, and try again.",
  },
  forbidden: { status: 403, title: "Forbidden", detail: "This path belongs to another user." },
  not_found: { status: 404, title: "Not found", detail: "There is nothing here, or it is not yours." },
  method_not_allowed: { status: 405, title: "Method not allowed", detail: "The Allow header lists what is." },
  changes_expired: {
    status: 410,
    title: "Changes no longer known",
    detail: "Deletions since this token are no longer all known. Start over without a token, from an empty copy.",
  },
  precondition_failed: {
    status: 412,
    title: "Precondition failed",
    detail: "The task has changed since. Read it again and decide anew.",
  },
  body_too_large: {
    status: 413,
    title: "Body too large",
    detail: "A request body may be 64 KiB at most, an import 10 MiB.",
  },
  unsupported_media_type: {
    status: 415,
    title: "Unsupported media type",
    detail: "Send application/json; an import may also be text/csv or text/calendar.",
  },
  idempotency_key_reused: {
    status: 422,
    title: "Idempotency key reused",
    detail: "This Idempotency-Key came with another request before. Use a new key for a new request.",
  },
  daily_quota_exceeded: {
    status: 429,
    title: "Daily quota exceeded",
    detail: "You have made as many changes today as one user may; see `quota`. Completing and deleting go on.",
  },
  too_many_requests: { status: 429, title: "Too many requests", detail: "Retry-After tells when to come back." },
  internal_error: { status: 500, title: "Internal error", detail: "The mistake is ours. It has been logged." },
  database_unavailable: {
    status: 503,
    title: "Database unavailable",
    detail: "Try again in a moment.",
    headers: comeBack(2),
  },
  database_not_migrated: {
    status: 503,
    title: "Database not migrated",
    detail:
      "Apply the migrations: `npx wrangler d1 migrations apply DB`, with --local or --remote; `npm start` does it.",
    headers: comeBack(60),
  },
  database_daily_limit: {
    status: 503,
    title: "Database limit of the day reached",
    detail: "The operator's plan allows no more queries until midnight UTC.",
    headers: comeBack(3600),
  },
  not_configured: {
    status: 503,
    title: "Not configured",
    detail: "The operator has to set this Worker up; its log names what is missing.",
    headers: comeBack(60),
  },
} as const satisfies Record<string, Kind>;

export type ProblemCode = keyof typeof PROBLEMS;

/** What a problem may tell beyond its kind. */
export type ProblemFacts = {
  errors?: { path: string; message: string }[];
  /** How many more there are. */
  moreErrors?: number;
  /** Which quota would be exceeded. */
  quota?: NonNullable<ProblemDetails["quota"]>;
  /** The task's revision, when a precondition failed. */
  revision?: number;
  /** Which operation of a batch was refused, counted from 0. */
  operation?: number;
};

/** Throw it to refuse a request. */
export class Problem extends Error {
  override readonly name = "Problem";

  readonly code: ProblemCode;
  readonly facts: ProblemFacts;
  readonly headers: Record<string, string>;

  constructor(code: ProblemCode, facts: ProblemFacts = {}, headers: Record<string, string> = {}) {
    super(code);
    this.code = code;
    this.facts = facts;
    this.headers = headers;
  }
}

/** The refusal of one named field, parameter or header. */
export function invalidField(path: string, message: string): Problem {
  return new Problem("invalid_request", { errors: [{ path, message }] });
}

/** Writes a problem as a response. `instance` names the occurrence by its request id, so equal problems are equal texts. */
export function problemResponse(c: Context, problem: Problem): Response {
  const kind: Kind = PROBLEMS[problem.code];
  const requestId = c.get("requestId");
  const body: ProblemDetails = {
    type: new URL(`/problems/${problem.code}`, c.req.url).href,
    title: kind.title,
    status: kind.status,
    detail: kind.detail,
    instance: `/requests/${requestId}`,
    code: problem.code,
    requestId,
    ...problem.facts,
  };
  return c.json(body, kind.status, {
    ...kind.headers,
    ...problem.headers,
    "Content-Type": "application/problem+json",
  });
}

export const problemSchema = z
  .object({
    type: z.url(),
    title: z.string(),
    status: z.int(),
    detail: z.string(),
    instance: z.string(),
    code: z.string().openapi({ description: "Stable; decide by this one" }),
    requestId: z.string(),
    errors: z.array(z.object({ path: z.string(), message: z.string() })).optional(),
    moreErrors: z.int().optional().openapi({ description: "How many errors are not listed" }),
    quota: z
      .object({
        name: z.enum(["tasks", "bytes", "changesPerDay"]),
        limit: z.int(),
        used: z.int(),
        renewsAt: z.string().nullable(),
      })
      .optional()
      .openapi({ description: "Which quota would be exceeded" }),
    revision: z.int().optional().openapi({ description: "The task's, when a precondition failed" }),
    operation: z.int().optional().openapi({ description: "Which one of a batch was refused, counted from 0" }),
  })
  .openapi("Problem");

type ProblemDetails = z.output<typeof problemSchema>;
