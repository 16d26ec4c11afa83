/** Tells which field of a request is wrong, and how. */
import type { z } from "@hono/zod-openapi";
import { Problem, type ProblemFacts } from "./problem.ts";

/** More errors are counted, not listed: an answer is not to outgrow its request. */
export const MAX_ERRORS = 100;
const MAX_PATH_CHARACTERS = 200;

/** Refuses what did not fit its schema. */
export function refuseInvalid(result: { success: true } | { success: false; error: z.ZodError }): void {
  if (!result.success) throw new Problem("invalid_request", errorsOf(result.error));
}

/** What is wrong, field by field; every unknown key is named by itself. */
export function errorsOf(error: z.ZodError, max = MAX_ERRORS): Pick<ProblemFacts, "errors" | "moreErrors"> {
  const errors: { path: string; message: string }[] = [];
  let count = 0;
  for (const issue of error.issues) {
    const at = issue.path.map(String);
    const isUnknown = issue.code === "unrecognized_keys";
    const paths = isUnknown ? issue.keys.slice(0, max).map((key) => [...at, key]) : [at];
    const message = isUnknown ? "is not a field that can be set" : issue.message;
    count += isUnknown ? issue.keys.length : 1;
    for (const path of paths) {
      if (errors.length < max) errors.push({ path: path.join(".").slice(0, MAX_PATH_CHARACTERS), message });
    }
  }
  return { errors, ...(count > errors.length && { moreErrors: count - errors.length }) };
}
