/**
 * The tables of tasks. Migrations create them STRICT and WITHOUT ROWID: a user's tasks lie side by side.
 * A deleted task stays as a tombstone with a revision of its own, so that a device which was offline can learn of it.
 */
import { isNotNull, isNull, sql } from "drizzle-orm";
import { index, integer, primaryKey, sqliteTable, text, uniqueIndex } from "drizzle-orm/sqlite-core";
import { user } from "../../auth/tables.ts";

/** Sorts after every date. */
export const NO_DUE = "~";

const BYTES = `length(cast(title as blob)) + length(cast(title_key as blob)) + length(cast(sort_key as blob))
  + length(cast(tags as blob)) + coalesce(length(cast(description as blob)), 0)
  + coalesce(length(cast(description_key as blob)), 0) + coalesce(length(cast(uid as blob)), 0)
  + coalesce(length(cast(kept as blob)), 0)`;

export const task = sqliteTable(
  "task",
  {
    userId: text("user_id")
      .notNull()
      .references(() => user.id, { onDelete: "cascade" }),
    /** UUIDv7, unless it came with an import. */
    id: text("id").notNull(),
    /** The user's own sequence: each change to any of their tasks takes the next number. */
    revision: integer("revision").notNull(),
    title: text("title").notNull(),
    description: text("description"),
    /** Times are Unix milliseconds. */
    completedAt: integer("completed_at"),
    createdAt: integer("created_at").notNull(),
    updatedAt: integer("updated_at").notNull(),
    deletedAt: integer("deleted_at"),
    /** Index into PRIORITIES. */
    priority: integer("priority").notNull().default(0),
    /** A day or an instant in UTC: as text, in order of time. */
    due: text("due"),
    dueKey: text("due_key").generatedAlwaysAs(sql.raw(`coalesce(due, '${NO_DUE}')`), { mode: "virtual" }),
    /** A JSON object: from each tag without its case to the tag as it was written. */
    tags: text("tags").notNull().default("{}"),
    titleKey: text("title_key").notNull().default(""),
    descriptionKey: text("description_key"),
    sortKey: text("sort_key").notNull().default(""),
    /** By which rules the keys were made (../text.ts). */
    keysVersion: integer("keys_version").notNull().default(0),
    /** What names the task in the program that it came from. */
    uid: text("uid"),
    /** A JSON list of iCalendar lines that no field stands for. An export writes them again. */
    kept: text("kept"),
    /** The totals of all the user's tasks after this row's change (totals.ts). */
    liveTotal: integer("live_total").notNull().default(0),
    openTotal: integer("open_total").notNull().default(0),
    bytesTotal: integer("bytes_total").notNull().default(0),
    trashTotal: integer("trash_total").notNull().default(0),
    changesTotal: integer("changes_total").notNull().default(0),
    changesDay: integer("changes_day").notNull().default(0),
    /** The text of this task, as it is stored. */
    bytes: integer("bytes").generatedAlwaysAs(sql.raw(BYTES), { mode: "virtual" }),
  },
  (table) => {
    const isCompleted = sql`completed_at is not null`;
    const isNotDeleted = isNull(table.deletedAt);
    return [
      primaryKey({ columns: [table.userId, table.id] }),
      uniqueIndex("task_revision").on(table.userId, table.revision),
      index("task_status_creation").on(table.userId, isCompleted, table.createdAt, table.id).where(isNotDeleted),
      index("task_open_due")
        .on(table.userId, table.dueKey, table.id)
        .where(sql`deleted_at is null and (completed_at is not null) = 0`),
      index("task_trash")
        .on(table.userId, table.deletedAt, table.id)
        .where(sql`deleted_at is not null and title <> ''`),
      index("task_old_keys").on(table.userId, table.id).where(sql`keys_version < 1`),
      index("task_tombstone").on(table.deletedAt, table.userId, table.id).where(isNotNull(table.deletedAt)),
    ];
  },
);

/** Idempotency records: the results of requests with an Idempotency-Key. */
export const idempotencyRecord = sqliteTable(
  "receipt",
  {
    userId: text("user_id")
      .notNull()
      .references(() => user.id, { onDelete: "cascade" }),
    key: text("key").notNull(),
    /** A digest of the request, which tells a repetition from another request. */
    requestDigest: text("request_digest").notNull(),
    /** A JSON array of the results (idempotency-records.ts). */
    results: text("results").notNull(),
    createdAt: integer("created_at").notNull(),
  },
  (table) => [primaryKey({ columns: [table.userId, table.key] })],
);
