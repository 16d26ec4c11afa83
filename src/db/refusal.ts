/**
 * Lets a statement stop its whole transaction and give a reason. SQLite allows RAISE in triggers only, but an error of its
 * JSON functions quotes the path that it was given.
 */
import { type SQL, sql } from "drizzle-orm";

const REFUSED = /bad JSON path: 'refused ([^']*)'/;

/** An expression that fails with this reason when it is evaluated. */
export function refuse(reason: SQL): SQL {
  return sql`json_extract('{}', 'refused ' || ${reason})`;
}

/** The reason with which a statement stopped its transaction; undefined for any other error. */
export function refusalOf(error: unknown): string | undefined {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    const [, reason] = REFUSED.exec(cause.message) ?? [];
    if (reason !== undefined) return reason;
  }
  return undefined;
}
