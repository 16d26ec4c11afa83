/** One-time links. */
import { index, integer, sqliteTable, text } from "drizzle-orm/sqlite-core";
import { user } from "../tables.ts";

export const mailedLink = sqliteTable(
  "mailed_link",
  {
    /** SHA-256 of the link's secret, so that a reader of this table cannot use the link. */
    digest: text("digest").primaryKey(),
    userId: text("user_id")
      .notNull()
      .references(() => user.id, { onDelete: "cascade" }),
    purpose: text("purpose").notNull(),
    /** The account's address when the link was sent. The link is valid only while the account has this address. */
    email: text("email").notNull(),
    newEmail: text("new_email"),
    /** The session that requested it. */
    sessionId: text("session_id"),
    /** Unix milliseconds. */
    expiresAt: integer("expires_at").notNull(),
  },
  (table) => [index("mailed_link_user_id").on(table.userId)],
);
