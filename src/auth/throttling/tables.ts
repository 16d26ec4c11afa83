/** The counters behind throttle.ts. Times are Unix milliseconds. */
import { integer, primaryKey, sqliteTable, text } from "drizzle-orm/sqlite-core";
import { user } from "../tables.ts";

/** Where an account was signed in from before: each such device and address has a count of its own. */
export const knownSource = sqliteTable(
  "known_source",
  {
    userId: text("user_id")
      .notNull()
      .references(() => user.id, { onDelete: "cascade" }),
    /** An address, or the digest of a device cookie. */
    source: text("source").notNull(),
    /** The source whose count it has: its own, or one that it shares with others. */
    countedAs: text("counted_as").notNull(),
    tries: integer("tries").notNull(),
    blockedUntil: integer("blocked_until").notNull(),
    usedAt: integer("used_at").notNull(),
  },
  (table) => [primaryKey({ columns: [table.userId, table.source] })],
);

/** All other counts. They begin with the end of their window, so that those that are over lie together. */
export const throttle = sqliteTable(
  "throttle",
  {
    endsAt: integer("ends_at").notNull(),
    /** A keyed hash of the e-mail address. */
    account: text("account").notNull(),
    /** What is counted: a network's tries, everybody's, a session's, or mails of one kind. */
    scope: text("scope").notNull(),
    tries: integer("tries").notNull(),
    blockedUntil: integer("blocked_until").notNull(),
    /** Names the last try that was counted. */
    lastTry: text("last_try").notNull(),
  },
  (table) => [primaryKey({ columns: [table.endsAt, table.account, table.scope] })],
);
