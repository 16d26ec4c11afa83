/**
 * One user's tasks. Every statement is bound to the user and runs only while the caller's session is active, so ownership
 * and revocation are decided where the work is done. A method throws SessionEnded when the session is not active.
 */
import { createBatch } from "./batch.ts";
import { createChangeFeed } from "./changes.ts";
import { createTaskQueryContext, type Dependencies } from "./context.ts";
import { createIdempotencyRecords } from "./idempotency-records.ts";
import { createImport } from "./imports.ts";
import { createLists } from "./lists.ts";
import { createUsage } from "./usage.ts";
import { createWrites } from "./writes.ts";

export type TaskRepository = ReturnType<typeof createTaskRepository>;

/** All that a task route can reach. */
export type TaskVariables = { Variables: { tasks: TaskRepository } };

/** Creates the repository of one user. Only a verified access token yields a `Caller`. */
export function createTaskRepository(dependencies: Dependencies) {
  const context = createTaskQueryContext(dependencies);
  const records = createIdempotencyRecords(context);
  const lists = createLists(context);
  const writes = createWrites(context, records);
  return {
    find: lists.find,
    list: lists.list,
    all: lists.all,
    changes: createChangeFeed(context),
    usage: createUsage(context),
    create: writes.create,
    update: writes.update,
    delete: writes.delete,
    restore: writes.restore,
    batch: createBatch(context, records),
    import: createImport(context),
  };
}
