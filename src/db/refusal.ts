/**
 * How a statement stops the whole transaction that it is part of, and says why: D1 has no RAISE outside of triggers,
 * but an error of SQLite's JSON functions carries the path that it was given.
 */
import { type SQL, sql } from "drizzle-orm";

const REFUSED = /bad JSON path: 'refused ([^']*)'/;

/** An expression that fails with this reason as soon as it is evaluated. */
export function refuse(reason: SQL): SQL {
  return sql`json_extract('{}', 'refused ' || ${reason})`;
}

/** The reason with which a statement stopped its transaction, if that is what happened. */
export function refusalOf(error: unknown): string | undefined {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    const [, reason] = REFUSED.exec(cause.message) ?? [];
    if (reason !== undefined) return reason;
  }
  return undefined;
}
