/**
 * The change feed: every task that was changed or deleted since a token, oldest change first. A token is a sealed revision,
 * with the time up to which its holder has seen every deletion.
 */
import { sql } from "drizzle-orm";
import { session } from "../../auth/tables.ts";
import { statement } from "../../db/statement.ts";
import { DAY_MS } from "../../time.ts";
import type { Change } from "../model.ts";
import type { ChangesResult } from "../outcomes.ts";
import { FEED_DAYS } from "../retention.ts";
import { userId, value } from "./bindings.ts";
import { sessionIsActive, type TaskQueryContext } from "./context.ts";
import { openCursor, sealCursor } from "./cursor.ts";
import { columns, type MaybeRow, taskIn, toTask } from "./row.ts";
import { task } from "./table.ts";

const PAGE = statement<MaybeRow>(
  sql`select ${columns} from ${session} left join ${task} on ${task.userId} = ${userId}
    and ${task.revision} > ${value("since")} where ${sessionIsActive} order by ${task.revision} limit ${value("limit")}`,
);

export function createChangeFeed({ runInSession, userId, cursorKeys, now }: TaskQueryContext) {
  const list = JSON.stringify(["changes", userId]);

  /** Reads a page of changes. limit + 2 rows read. */
  return async function changes(limit: number, token?: string): Promise<ChangesResult> {
    const position = token === undefined ? undefined : await openCursor(cursorKeys, list, token);
    if (token !== undefined && position === undefined) return { outcome: "foreign-token" };
    const at = now();
    const [since, seenAt]: [number, number] = position === undefined ? [0, at] : JSON.parse(position);
    if (seenAt < at - FEED_DAYS * DAY_MS) return { outcome: "expired-token" };
    const rows = (await runInSession(PAGE, { since, limit: limit + 1 })).flatMap(taskIn);
    const hasMore = rows.length > limit;
    const data = rows.slice(0, limit).map((row): Change => {
      const deleted = row.deletedAt !== null;
      return { id: row.id, revision: row.revision, deleted, task: deleted ? null : toTask(row) };
    });
    // Only the last page shows all deletions up to now. Until then the token keeps its age.
    const next = [data.at(-1)?.revision ?? since, hasMore ? seenAt : at];
    const nextToken = await sealCursor(cursorKeys, list, JSON.stringify(next));
    return { outcome: "page", page: { data, nextToken, hasMore } };
  };
}
