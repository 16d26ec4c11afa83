/** Tells which field of a request is wrong, and how. */
import type { z } from "@hono/zod-openapi";
import { Problem } from "./problem.ts";

/** Refuses what did not fit its schema; every unknown key is named by itself. */
export function refuseInvalid(result: { success: true } | { success: false; error: z.ZodError }): void {
  if (result.success) return;
  const errors = result.error.issues.flatMap((issue) => {
    const at = issue.path.map(String);
    if (issue.code !== "unrecognized_keys") return [{ path: at.join("."), message: issue.message }];
    return issue.keys.map((key) => ({ path: [...at, key].join("."), message: "is not a field that can be set" }));
  });
  throw new Problem("invalid_request", { errors });
}
