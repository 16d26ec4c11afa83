/** How long task data is kept, in days. `repository/cleanup.ts` deletes what is older. */

/** A deleted task can be restored for so long; then its contents are erased. */
export const TRASH_DAYS = 30;

/** A change feed token is accepted for so long. */
export const FEED_DAYS = 90;

/** The trace of a deleted task. The feed reports it, and clocks differ: a day longer than a token is accepted. */
export const TOMBSTONE_DAYS = FEED_DAYS + 1;

/** A repeated Idempotency-Key is recognized for so long. */
export const IDEMPOTENCY_KEY_DAYS = 2;
