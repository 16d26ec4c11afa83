/**
 * Better Auth's way to D1. Better Auth swallows some failures (a sign-out that could not delete its session
 * answers success), so each is noted here, and the request is answered 503 whatever Better Auth made of it.
 */
import { AsyncLocalStorage } from "node:async_hooks";
import type { BetterAuthOptions, DBAdapter } from "better-auth";
import { drizzleAdapter } from "better-auth/adapters/drizzle";
import { type Database, isDatabaseTrouble } from "../db/client.ts";
import * as tables from "./tables.ts";

type Watch = { trouble?: Error };

const watch = new AsyncLocalStorage<Watch>();

/**
 * Runs a request's auth work.
 * @throws D1's failure, if there was one on the way, even where Better Auth went on without a word
 */
export async function failingWithDatabase<Result>(work: () => Promise<Result>): Promise<Result> {
  const watched: Watch = {};
  const result = await watch.run(watched, work);
  if (watched.trouble) throw watched.trouble;
  return result;
}

export function databaseAdapter(db: Database) {
  const create = drizzleAdapter(db, { provider: "sqlite", schema: tables });
  return (options: BetterAuthOptions): DBAdapter => {
    const adapter = create(options);
    return { ...noting(adapter), transaction: (work) => adapter.transaction((inner) => work(noting(inner))) };
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
      const watched = watch.getStore();
      if (watched && error instanceof Error && isDatabaseTrouble(error)) watched.trouble = error;
      throw error;
    }
  };
}
