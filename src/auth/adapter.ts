/**
 * Better Auth's way to D1. Better Auth swallows some failures (a sign-out that could not delete its session
 * answers success), so each is noted here, and the request is answered 503 whatever Better Auth made of it.
 */
import type { BetterAuthOptions, DBAdapter } from "better-auth";
import { drizzleAdapter } from "better-auth/adapters/drizzle";
import { type Database, isDatabaseTrouble } from "../db/client.ts";
import { requestNotes } from "./request-notes.ts";
import * as tables from "./tables.ts";
import { withAtomicInserts } from "./transaction.ts";

/** @param hidesTaken whether a sign-up with an address that has just been taken seems to succeed */
export function databaseAdapter(db: Database, hidesTaken: boolean) {
  const inner = withAtomicInserts(db, hidesTaken);
  const create = drizzleAdapter(inner, { provider: "sqlite", schema: tables, transaction: true });
  return (options: BetterAuthOptions): DBAdapter => {
    const adapter = noting(create(options));
    return { ...adapter, transaction: (work) => adapter.transaction((inner) => work(noting(inner))) };
  };
}

/** The same adapter, each of its operations noting D1's trouble before passing it on. */
function noting<Adapter extends object>(adapter: Adapter): Adapter {
  return new Proxy(adapter, {
    get(target, name) {
      const member: unknown = Reflect.get(target, name);
      return typeof member === "function" ? noteTrouble(member.bind(target)) : member;
    },
  });
}

function noteTrouble(operation: (...args: unknown[]) => unknown) {
  return async (...args: unknown[]) => {
    try {
      return await operation(...args);
    } catch (error) {
      if (error instanceof Error && isDatabaseTrouble(error)) requestNotes().trouble = error;
      throw error;
    }
  };
}
