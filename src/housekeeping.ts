/** Deletes what the features no longer keep. Each feature states its rules beside its tables; the cron trigger runs them. */
import { accountCleanup } from "./auth/retention.ts";
import { cleanUp } from "./db/cleanup.ts";
import { logEvent } from "./log.ts";
import { taskCleanup } from "./tasks/repository/cleanup.ts";

const RULES = [...accountCleanup, ...taskCleanup()];

/**
 * Applies all rules. A rule that fails does not keep the others from running.
 * @param now Unix milliseconds
 * @returns how many rows were deleted or updated, by the rule's name
 * @throws the first failure, once all rules have run
 */
export async function runCleanup(d1: D1Database, now: number): Promise<Record<string, number>> {
  const cleared: Record<string, number> = {};
  const failures: unknown[] = [];
  for (const rule of RULES) {
    try {
      cleared[rule.name] = await cleanUp(d1, rule, now);
    } catch (error) {
      failures.push(error);
    }
  }
  logEvent("info", "housekeeping", { cleared });
  if (failures.length > 0) throw failures[0];
  return cleared;
}
