/** Refuses methods that a path does not support. */
import type { Context } from "hono";
import { Problem, problemResponse } from "./problem.ts";

/** Answers 405 with the methods that the path supports. */
export function refuseMethod(c: Context, allowed: string[]): Response {
  return problemResponse(c, new Problem("method_not_allowed", { allowed }, { Allow: allowed.join(", ") }));
}
