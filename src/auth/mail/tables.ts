/** Links in mails. */
import { index, integer, sqliteTable, text } from "drizzle-orm/sqlite-core";
import { user } from "../tables.ts";

export const mailedLink = sqliteTable(
  "mailed_link",
  {
    /** SHA-256 of the secret in the link: who reads this table cannot use it. */
    digest: text("digest").primaryKey(),
    userId: text("user_id")
      .notNull()
      .references(() => user.id, { onDelete: "cascade" }),
    purpose: text("purpose").notNull(),
    /** The account's address when the link was sent: it works only while that is still the account's address. */
    email: text("email").notNull(),
    newEmail: text("new_email"),
    /** The session that asked for it. */
    sessionId: text("session_id"),
    /** Unix milliseconds. */
    expiresAt: integer("expires_at").notNull(),
  },
  (table) => [index("mailed_link_user_id").on(table.userId)],
);
