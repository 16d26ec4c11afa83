/** Turns every error into a problem. What was unexpected is logged; the caller learns only its kind. */
import type { Context } from "hono";
import { HTTPException } from "hono/http-exception";
import { databaseFailure, secondsUntilMidnight } from "../db/client.ts";
import { SessionEnded } from "../db/session-ended.ts";
import { Problem, problemResponse } from "./problem.ts";
import { PROBLEMS, type ProblemCode } from "./problem-kinds.ts";
import { logFailure } from "./request-log.ts";

/** The framework's own exceptions, by status. Any other is an internal error. */
const FRAMEWORK_EXCEPTIONS: Partial<Record<number, ProblemCode>> = {
  400: "malformed_request",
  413: "body_too_large",
  415: "unsupported_media_type",
};

export function handleError(error: Error, c: Context): Response {
  const problem = problemOf(error);
  if (!(error instanceof Problem) && PROBLEMS[problem.code].status >= 500) logFailure(c, problem.code, error);
  return problemResponse(c, problem);
}

function problemOf(error: Error): Problem {
  if (error instanceof Problem) return error;
  if (error instanceof SessionEnded) return new Problem("session_ended");
  if (error instanceof HTTPException) return new Problem(FRAMEWORK_EXCEPTIONS[error.status] ?? "internal_error");
  const failure = databaseFailure(error);
  if (!failure) return new Problem("internal_error");
  const tomorrow = { "Retry-After": String(secondsUntilMidnight(Date.now())) };
  return new Problem(`database_${failure}`, {}, failure === "daily_limit" ? tomorrow : {});
}
