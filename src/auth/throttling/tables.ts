/** The counters behind address.ts and account.ts. Times are Unix milliseconds. */
import { integer, primaryKey, sqliteTable, text } from "drizzle-orm/sqlite-core";

export const addressLimit = sqliteTable("address_limit", {
  /** The address and the endpoint. */
  key: text("key").primaryKey(),
  count: integer("count").notNull(),
  windowStartedAt: integer("window_started_at").notNull(),
});

export const accountThrottle = sqliteTable(
  "account_throttle",
  {
    /** A keyed hash of the e-mail address. */
    account: text("account").notNull(),
    /** An address that the account was signed in to from, or what stands for all others. */
    scope: text("scope").notNull(),
    tries: integer("tries").notNull(),
    blockedUntil: integer("blocked_until").notNull(),
    lastTryAt: integer("last_try_at").notNull(),
  },
  (table) => [primaryKey({ columns: [table.account, table.scope] })],
);
