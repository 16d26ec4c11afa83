/** The one retry policy for D1. */
import { databaseFailure } from "./client.ts";

const ATTEMPTS = 3;
const FIRST_PAUSE_MS = 100;

/**
 * Runs work up to three times while D1 is unavailable, with growing, random pauses. A failed attempt may have taken effect:
 * pass only work that may run twice.
 * @see https://aws.amazon.com/builders-library/timeouts-retries-and-backoff-with-jitter/
 */
export async function withRetries<Result>(work: () => Promise<Result>): Promise<Result> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await work();
    } catch (error) {
      if (attempt === ATTEMPTS || databaseFailure(error) !== "unavailable") throw error;
      await scheduler.wait(FIRST_PAUSE_MS * 2 ** (attempt - 1) * Math.random());
    }
  }
}
