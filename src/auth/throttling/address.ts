/**
 * How often one client address may call an account endpoint. Better Auth's limiter asks; the count is kept in D1,
 * in one statement a request, so that it is exact whichever isolate a request reaches.
 */
import { lte, sql } from "drizzle-orm";
import type { Database } from "../../db/client.ts";
import { addressLimit } from "./tables.ts";

const MINUTE_SECONDS = 60;

/** Only what guesses, creates or sends is counted: counting a call costs more than answering the others. */
export const ADDRESS_LIMITS = {
  "/sign-up/email": { window: MINUTE_SECONDS, max: 10 },
  "/sign-in/email": { window: MINUTE_SECONDS, max: 10 },
  "/change-password": { window: MINUTE_SECONDS, max: 5 },
  "/delete-user": { window: MINUTE_SECONDS, max: 5 },
  "/change-email": { window: MINUTE_SECONDS, max: 5 },
  "/request-password-reset": { window: MINUTE_SECONDS, max: 5 },
  "/send-verification-email": { window: MINUTE_SECONDS, max: 5 },
  "/reset-password": { window: MINUTE_SECONDS, max: 10 },
  "/verify-email": { window: MINUTE_SECONDS, max: 20 },
  "/**": false,
} as const;

/** The storage of Better Auth's limiter. A window starts with the first request in it. */
export function addressLimitStorage(db: Database) {
  return {
    async consume(key: string, { window, max }: { window: number; max: number }) {
      const now = Date.now();
      const isOver = lte(addressLimit.windowStartedAt, now - window * 1000);
      const [state] = await db
        .insert(addressLimit)
        .values({ key, count: 1, windowStartedAt: now })
        .onConflictDoUpdate({
          target: addressLimit.key,
          set: {
            count: sql`iif(${isOver}, 1, ${addressLimit.count} + 1)`,
            windowStartedAt: sql`iif(${isOver}, ${now}, ${addressLimit.windowStartedAt})`,
          },
        })
        .returning();
      if (!state || state.count <= max) return { allowed: true, retryAfter: null };
      return {
        allowed: false,
        retryAfter: Math.max(1, Math.ceil((state.windowStartedAt + window * 1000 - now) / 1000)),
      };
    },
  };
}
