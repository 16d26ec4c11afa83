/** How much of each quota is used. */
import type { Usage } from "../model.ts";
import type { TaskQueryContext } from "./context.ts";
import { readSummary, startOfTomorrow } from "./totals.ts";

export function createUsage(context: TaskQueryContext) {
  const { quotas, now } = context;

  /** Reads how much of each quota is used. 2 rows read. */
  return async function usage(): Promise<Usage> {
    const { live, open, bytes, changes } = await readSummary(context);
    return {
      tasks: { used: live, limit: quotas.tasks, open },
      bytes: { used: bytes, limit: quotas.bytes },
      changesPerDay: { used: changes, limit: quotas.changesPerDay, renewsAt: startOfTomorrow(now()) },
    };
  };
}
