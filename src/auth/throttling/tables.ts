/** The counters behind throttle.ts. Times are Unix milliseconds. */
import { integer, primaryKey, sqliteTable, text } from "drizzle-orm/sqlite-core";
import { user } from "../tables.ts";

/** Devices and addresses that an account was signed in from. Each has a count of its own. */
export const knownSource = sqliteTable(
  "known_source",
  {
    userId: text("user_id")
      .notNull()
      .references(() => user.id, { onDelete: "cascade" }),
    /** An address, or the digest of a device cookie. */
    source: text("source").notNull(),
    /** The source whose count applies: its own, or a shared one. */
    countedAs: text("counted_as").notNull(),
    tries: integer("tries").notNull(),
    blockedUntil: integer("blocked_until").notNull(),
    usedAt: integer("used_at").notNull(),
  },
  (table) => [primaryKey({ columns: [table.userId, table.source] })],
);

/** All other counts. The key begins with the window's end, so that expired counts lie together. */
export const throttle = sqliteTable(
  "throttle",
  {
    endsAt: integer("ends_at").notNull(),
    /** A keyed hash of the e-mail address. */
    account: text("account").notNull(),
    /** What is counted: attempts of a network, of all networks or of a session, or mails of one kind. */
    source: text("scope").notNull(),
    tries: integer("tries").notNull(),
    blockedUntil: integer("blocked_until").notNull(),
    /** The id of the last attempt that was counted. */
    lastTry: text("last_try").notNull(),
  },
  (table) => [primaryKey({ columns: [table.endsAt, table.account, table.source] })],
);
