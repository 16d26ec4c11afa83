/** Tells which field of a request is wrong, and how. */
import type { z } from "@hono/zod-openapi";
import { Problem } from "./problem.ts";

/** Refuses what did not fit its schema. */
export function refuseInvalid(result: { success: true } | { success: false; error: z.ZodError }): void {
  if (!result.success) throw new Problem("invalid_request", { errors: errorsOf(result.error) });
}

/** What is wrong, field by field; every unknown key is named by itself. */
export function errorsOf(error: z.ZodError): { path: string; message: string }[] {
  return error.issues.flatMap((issue) => {
    const at = issue.path.map(String);
    if (issue.code !== "unrecognized_keys") return [{ path: at.join("."), message: issue.message }];
    return issue.keys.map((key) => ({ path: [...at, key].join("."), message: "is not a field that can be set" }));
  });
}
