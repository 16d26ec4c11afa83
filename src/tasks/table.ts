/**
 * The task table. The migration creates it STRICT and WITHOUT ROWID: a user's tasks lie side by side, in time order.
 * A deleted task stays as a tombstone with a revision of its own, so that a device which was offline can learn of it.
 */
import { isNotNull, isNull } from "drizzle-orm";
import { index, integer, primaryKey, sqliteTable, text, uniqueIndex } from "drizzle-orm/sqlite-core";
import { user } from "../auth/tables.ts";

export const task = sqliteTable(
  "task",
  {
    userId: text("user_id")
      .notNull()
      .references(() => user.id, { onDelete: "cascade" }),
    /** UUIDv7: sorts by time of creation. */
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
  },
  (table) => [
    primaryKey({ columns: [table.userId, table.id] }),
    uniqueIndex("task_revision").on(table.userId, table.revision),
    index("task_tombstone").on(table.deletedAt, table.userId, table.id).where(isNotNull(table.deletedAt)),
    index("task_live").on(table.userId, table.id).where(isNull(table.deletedAt)),
  ],
);
