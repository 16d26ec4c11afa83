/** The rules that erase and delete tasks and idempotency records. */
import { getTableConfig, type SQLiteTable } from "drizzle-orm/sqlite-core";
import type { CleanupRule } from "../../db/cleanup.ts";
import { DAY_MS } from "../../time.ts";
import { IDEMPOTENCY_KEY_DAYS, TOMBSTONE_DAYS, TRASH_DAYS } from "../retention.ts";
import { emptyContents } from "./erasure.ts";
import { task } from "./table.ts";

/** @param table the table of tasks; its columns decide what is erased */
export function taskCleanup(table: SQLiteTable = task): CleanupRule[] {
  const { name } = getTableConfig(table);
  return [
    {
      name: "receipt",
      table: "receipt",
      key: "user_id",
      start: "",
      keepMs: IDEMPOTENCY_KEY_DAYS * DAY_MS,
      candidateWhere: "created_at < ?2",
    },
    {
      name: "trash",
      table: name,
      key: "deleted_at",
      start: 0,
      keepMs: TRASH_DAYS * DAY_MS,
      candidateWhere: "deleted_at < ?2 and title <> ''",
      update: {
        set: Object.entries(emptyContents(table))
          .map(([column, empty]) => `${column} = ${empty}`)
          .join(", "),
        // The trash has room again. The row with the user's newest revision holds the total.
        first: `with erased as materialized (select user_id, bytes from ${name} where @chunk)
          update ${name} set trash_total = max(0, trash_total - (
            select sum(erased.bytes) from erased where erased.user_id = ${name}.user_id))
          where (user_id, revision) in (
            select owner.user_id,
              (select max(newest.revision) from ${name} as newest where newest.user_id = owner.user_id)
            from (select distinct user_id from erased) as owner)`,
      },
    },
    {
      // The tombstone with a user's newest revision stays: the next revision is counted from it.
      name: "task",
      table: name,
      key: "deleted_at",
      start: 0,
      keepMs: TOMBSTONE_DAYS * DAY_MS,
      candidateWhere: "deleted_at < ?2",
      deleteWhere: `revision < (select max(newest.revision) from ${name} as newest where newest.user_id = ${name}.user_id)`,
    },
  ];
}
