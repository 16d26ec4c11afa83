/**
 * Better Auth swallows some failures of its database: a sign-out whose delete failed answers success. So each failure is
 * noted here, and the request is answered 503, whatever Better Auth made of it.
 * @see https://github.com/better-auth/better-auth/pull/11312
 *
 * Delete this file, and use the Drizzle adapter as it is, once test/auth/workarounds.test.ts shows that such a sign-out fails.
 */
import type { BetterAuthOptions, DBAdapter } from "better-auth";
import { drizzleAdapter } from "better-auth/adapters/drizzle";
import { type Database, isDatabaseFailure } from "../../db/client.ts";
import { requestNotes } from "../request-notes.ts";
import * as tables from "../tables.ts";
import { withAtomicInserts } from "./transaction.ts";

/** @param hidesTaken whether a sign-up with an address that was just taken seems to succeed */
export function databaseAdapter(db: Database, hidesTaken: boolean) {
  const inner = withAtomicInserts(db, hidesTaken);
  const create = drizzleAdapter(inner, { provider: "sqlite", schema: tables, transaction: true });
  return (options: BetterAuthOptions): DBAdapter => {
    const adapter = withNotes(create(options));
    return { ...adapter, transaction: (work) => adapter.transaction((inner) => work(withNotes(inner))) };
  };
}

/** The same adapter, whose operations note a failure of D1 before they throw it. */
function withNotes<Adapter extends object>(adapter: Adapter): Adapter {
  return new Proxy(adapter, {
    get(target, name) {
      const member: unknown = Reflect.get(target, name);
      return typeof member === "function" ? noteFailure(member.bind(target)) : member;
    },
  });
}

function noteFailure(operation: (...args: unknown[]) => unknown) {
  return async (...args: unknown[]) => {
    try {
      return await operation(...args);
    } catch (error) {
      if (error instanceof Error && isDatabaseFailure(error)) requestNotes().failure = error;
      throw error;
    }
  };
}
