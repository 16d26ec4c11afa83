/** Deletes what the features no longer keep. Each feature states its rules beside its tables; the cron trigger runs them. */
import { accountCleanup } from "./auth/retention.ts";
import { cleanUp } from "./db/cleanup.ts";
import { logEvent } from "./log.ts";
import { taskCleanup } from "./tasks/repository/cleanup.ts";
import { renewKeys } from "./tasks/repository/keys.ts";

/** A chore returns how many rows it deleted or updated. */
type Chore = { name: string; run: (d1: D1Database, now: number) => Promise<number> };

const CHORES: Chore[] = [
  ...[...accountCleanup, ...taskCleanup()].map(
    (rule): Chore => ({ name: rule.name, run: (d1, now) => cleanUp(d1, rule, now) }),
  ),
  { name: "task_keys", run: renewKeys },
];

/**
 * Does all chores. One that fails does not keep the others from running.
 * @param now Unix milliseconds
 * @returns how many rows were deleted or updated, by the chore's name
 * @throws the first failure, once all chores have run
 */
export async function runCleanup(d1: D1Database, now: number): Promise<Record<string, number>> {
  const cleared: Record<string, number> = {};
  const failures: unknown[] = [];
  for (const { name, run } of CHORES) {
    try {
      cleared[name] = await run(d1, now);
    } catch (error) {
      failures.push(error);
    }
  }
  logEvent("info", "housekeeping", { cleared });
  if (failures.length > 0) throw failures[0];
  return cleared;
}
