/** How much of each quota is used. */
import { sql } from "drizzle-orm";
import type { Usage } from "../model.ts";
import type { TaskQueryContext } from "./context.ts";
import { startOfTomorrow, type Totals } from "./totals.ts";

export function createUsage({ query, totals, now, whileSessionActive }: TaskQueryContext) {
  /** Reads how much of each quota is used. 2 rows read. */
  return async function usage(): Promise<Usage> {
    const [found] = await whileSessionActive(query<Totals>(sql`select before.* from ${totals.before()} as before`));
    const { live = 0, open = 0, bytes = 0, changes = 0 } = found ?? {};
    const { tasks, bytes: maxBytes, changesPerDay } = totals.quotas;
    return {
      tasks: { used: live, limit: tasks, open },
      bytes: { used: bytes, limit: maxBytes },
      changesPerDay: { used: changes, limit: changesPerDay, renewsAt: startOfTomorrow(now()) },
    };
  };
}
