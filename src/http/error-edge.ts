/** The one place where a failure becomes an answer: rich reasons inside, dull answers outside. */
import type { Context } from "hono";
import { HTTPException } from "hono/http-exception";
import { SessionEnded } from "../access/session-ended.ts";
import { databaseTrouble, secondsUntilMidnight } from "../db/client.ts";
import { PROBLEMS, Problem, type ProblemCode, problemResponse } from "./problem.ts";
import { logFailure } from "./request-log.ts";

/** What a framework's own exceptions mean, by status; any other is a mistake of ours. */
const FRAMEWORK_EXCEPTIONS: Partial<Record<number, ProblemCode>> = {
  400: "malformed_request",
  413: "body_too_large",
  415: "unsupported_media_type",
};

export function errorEdge(error: Error, c: Context): Response {
  const problem = problemFor(error);
  if (!(error instanceof Problem) && PROBLEMS[problem.code].status >= 500) logFailure(c, problem.code, error);
  return problemResponse(c, problem);
}

function problemFor(error: Error): Problem {
  if (error instanceof Problem) return error;
  if (error instanceof SessionEnded) return new Problem("session_ended");
  if (error instanceof HTTPException) return new Problem(FRAMEWORK_EXCEPTIONS[error.status] ?? "internal_error");
  const trouble = databaseTrouble(error);
  if (!trouble) return new Problem("internal_error");
  const tomorrow = { "Retry-After": String(secondsUntilMidnight(Date.now())) };
  return new Problem(`database_${trouble}`, {}, trouble === "daily_limit" ? tomorrow : {});
}
