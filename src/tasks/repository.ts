/**
 * One user's tasks. Every statement is bound to the user and runs only while the caller's session is live, so ownership
 * and revocation are decided where the work is done; whatever finds no live session throws SessionEnded.
 */
import { sql } from "drizzle-orm";
import { createBatches } from "./batch.ts";
import { createChanges } from "./changes.ts";
import { createImports } from "./imports.ts";
import { createLists } from "./lists.ts";
import type { Task, Usage } from "./model.ts";
import { createReceipts } from "./receipts.ts";
import { toTask } from "./row.ts";
import { createTaskScope, type Dependencies } from "./scope.ts";
import { createStatements } from "./statements.ts";
import { startOfTomorrow, type Totals } from "./totals.ts";
import { createWrites } from "./writes.ts";

export type TaskRepository = ReturnType<typeof createTaskRepository>;

/** Builds the repository of one user. Only a verified access token yields a `Caller`. */
export function createTaskRepository(dependencies: Dependencies) {
  const scope = createTaskScope(dependencies);
  const statements = createStatements(scope);
  const receipts = createReceipts(scope);
  return {
    /** Reads one task. 2 rows read. */
    async find(id: string): Promise<Task | undefined> {
      const [row] = await scope.whileLive(statements.select(id));
      return row && row.deletedAt === null ? toTask(row) : undefined;
    },

    /** Tells what is used of each quota. 2 rows read. */
    async usage(): Promise<Usage> {
      const [found] = await scope.whileLive(
        scope.raw<Totals>(sql`select before.* from ${scope.totals.before()} as before`),
      );
      const { live = 0, open = 0, bytes = 0, changes = 0 } = found ?? {};
      const { tasks, bytes: maxBytes, changesPerDay } = scope.totals.quotas;
      return {
        tasks: { used: live, limit: tasks, open },
        bytes: { used: bytes, limit: maxBytes },
        changesPerDay: { used: changes, limit: changesPerDay, renewsAt: startOfTomorrow(scope.now()) },
      };
    },

    ...createLists(scope),
    ...createChanges(scope),
    ...createWrites(scope, statements, receipts),
    ...createBatches(scope, statements, receipts),
    ...createImports(scope),
  };
}
