/**
 * The change feed: every task that was changed or deleted since, in the order of the changes. A token is a sealed
 * revision, and the time up to which its holder is known to have seen every deletion.
 */
import { and, asc, gt } from "drizzle-orm";
import { DAY_MS } from "../time.ts";
import { openCursor, sealCursor } from "./cursor.ts";
import type { Task } from "./model.ts";
import { toTask } from "./row.ts";
import type { TaskScope } from "./scope.ts";
import { task } from "./table.ts";

/** How long a deletion can be learned of. */
export const FEED_DAYS = 90;

export type Change = { id: string; revision: number; deleted: boolean; task: Task | null };

/** What came of asking for changes. */
export type Changed =
  | { outcome: "changes"; changes: Change[]; nextToken: string; hasMore: boolean }
  | { outcome: "foreign-token" }
  | { outcome: "expired-token" };

export function createChanges({ db, userId, cursorKeys, now, isOwn, whileLive }: TaskScope) {
  const list = JSON.stringify(["changes", userId]);

  return {
    /** Reads changes, oldest first. limit + 2 rows read. */
    async changes(limit: number, since?: string): Promise<Changed> {
      const position = since === undefined ? undefined : await openCursor(cursorKeys, list, since);
      if (since !== undefined && position === undefined) return { outcome: "foreign-token" };
      const at = now();
      const [revision, seenAt]: [number, number] = position === undefined ? [0, at] : JSON.parse(position);
      if (seenAt < at - FEED_DAYS * DAY_MS) return { outcome: "expired-token" };
      const rows = await whileLive(
        db
          .select()
          .from(task)
          .where(and(isOwn(), gt(task.revision, revision)))
          .orderBy(asc(task.revision))
          .limit(limit + 1),
      );
      const hasMore = rows.length > limit;
      const changes = rows.slice(0, limit).map((row): Change => {
        const deleted = row.deletedAt !== null;
        return { id: row.id, revision: row.revision, deleted, task: deleted ? null : toTask(row) };
      });
      // Only at the end has the caller seen all deletions so far; until then what they have seen is as old as before.
      const next = [changes.at(-1)?.revision ?? revision, hasMore ? seenAt : at];
      const nextToken = await sealCursor(cursorKeys, list, JSON.stringify(next));
      return { outcome: "changes", changes, nextToken, hasMore };
    },
  };
}
