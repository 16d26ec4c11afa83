/** Turns validation errors into a problem that names each field. */
import type { z } from "@hono/zod-openapi";
import { Problem } from "./problem.ts";
import type { FieldError, ProblemFacts } from "./problem-details.ts";

/** Further errors are counted, not listed: an answer must not outgrow its request. */
export const MAX_ERRORS = 100;
const MAX_PATH_CHARACTERS = 200;

/**
 * Refuses a request that does not match its schema.
 * @param parameters the query parameters that there are, where the request's are checked
 */
export function refuseInvalid(
  result: { success: true } | { success: false; error: z.ZodError },
  parameters?: string[],
): void {
  if (!result.success) throw new Problem("invalid_request", errorsOf(result.error, MAX_ERRORS, parameters));
}

/** Lists what is wrong, field by field. Every unknown field is named. */
export function errorsOf(
  error: z.ZodError,
  max = MAX_ERRORS,
  parameters?: string[],
): Pick<ProblemFacts, "errors" | "moreErrors"> {
  const errors: FieldError[] = [];
  let count = 0;
  for (const issue of error.issues) {
    const at = issue.path.map(String);
    const isUnknown = issue.code === "unrecognized_keys";
    const paths = isUnknown ? issue.keys.slice(0, max).map((key) => [...at, key]) : [at];
    const message = isUnknown ? unknown(parameters) : issue.message;
    count += isUnknown ? issue.keys.length : 1;
    for (const path of paths) {
      if (errors.length < max) errors.push({ path: path.join(".").slice(0, MAX_PATH_CHARACTERS), message });
    }
  }
  return { errors, ...(count > errors.length && { moreErrors: count - errors.length }) };
}

function unknown(parameters: string[] | undefined): string {
  return parameters
    ? `is not a parameter of this operation; its parameters are ${parameters.join(", ")}`
    : "is unknown or read-only";
}
