/** Doing again what D1 could not do the first time. */
import { databaseTrouble } from "./client.ts";

const ATTEMPTS = 3;
const FIRST_PAUSE_MS = 100;

/**
 * Does something up to three times, as long as D1 is in trouble that may pass. What failed may have happened all the same:
 * pass only work that may be done twice.
 * @see https://aws.amazon.com/builders-library/timeouts-retries-and-backoff-with-jitter/
 */
export async function retrying<Result>(work: () => Promise<Result>): Promise<Result> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await work();
    } catch (error) {
      if (attempt === ATTEMPTS || databaseTrouble(error) !== "unavailable") throw error;
      await scheduler.wait(FIRST_PAUSE_MS * 2 ** (attempt - 1) * Math.random());
    }
  }
}
