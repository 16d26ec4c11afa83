/**
 * The change feed: every task that was changed or deleted since a token, oldest change first. A token is a sealed revision,
 * with the time up to which its holder has seen every deletion.
 */
import { sql } from "drizzle-orm";
import { DAY_MS } from "../../time.ts";
import type { Change } from "../model.ts";
import type { ChangesResult } from "../outcomes.ts";
import { FEED_DAYS } from "../retention.ts";
import type { TaskQueryContext } from "./context.ts";
import { openCursor, sealCursor } from "./cursor.ts";
import { columns, toTask } from "./row.ts";
import { task } from "./table.ts";

export function createChangeFeed({ queryRows, userId, cursorKeys, now, whileSessionActive }: TaskQueryContext) {
  const list = JSON.stringify(["changes", userId]);

  /** Reads a page of changes. limit + 2 rows read. */
  return async function changes(limit: number, since?: string): Promise<ChangesResult> {
    const position = since === undefined ? undefined : await openCursor(cursorKeys, list, since);
    if (since !== undefined && position === undefined) return { outcome: "foreign-token" };
    const at = now();
    const [revision, seenAt]: [number, number] = position === undefined ? [0, at] : JSON.parse(position);
    if (seenAt < at - FEED_DAYS * DAY_MS) return { outcome: "expired-token" };
    const rows = await whileSessionActive(
      queryRows(sql`select ${columns} from ${task} where ${task.userId} = ${userId} and ${task.revision} > ${revision}
        order by ${task.revision} limit ${limit + 1}`),
    );
    const hasMore = rows.length > limit;
    const data = rows.slice(0, limit).map((row): Change => {
      const deleted = row.deletedAt !== null;
      return { id: row.id, revision: row.revision, deleted, task: deleted ? null : toTask(row) };
    });
    // Only the last page shows all deletions up to now. Until then the token keeps its age.
    const next = [data.at(-1)?.revision ?? revision, hasMore ? seenAt : at];
    const nextToken = await sealCursor(cursorKeys, list, JSON.stringify(next));
    return { outcome: "page", page: { data, nextToken, hasMore } };
  };
}
