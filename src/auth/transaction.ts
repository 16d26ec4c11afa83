/**
 * Transactions for Better Auth. D1 has none that stay open, so what is inserted within one is kept until it ends
 * and then written in one batch: all of it or nothing. A sign-up that is cut off at any point leaves no half account.
 */
import { getTableColumns, type InferInsertModel } from "drizzle-orm";
import type { BatchItem } from "drizzle-orm/batch";
import type { SQLiteTable } from "drizzle-orm/sqlite-core";
import type { Database } from "../db/client.ts";

/** The same database, with a `transaction` that holds inserts back. Reads and other writes in it run at once. */
export function withAtomicInserts(db: Database): Database {
  async function transaction<Result>(work: (inner: Database) => Promise<Result>): Promise<Result> {
    const held: BatchItem<"sqlite">[] = [];
    const result = await work(replacing(db, "insert", holdInserts(db, held)));
    const [first, ...rest] = held;
    if (first) await db.batch([first, ...rest]);
    return result;
  }
  return replacing(db, "transaction", transaction);
}

function holdInserts(db: Database, held: BatchItem<"sqlite">[]) {
  return <Table extends SQLiteTable>(table: Table) => ({
    values: (row: InferInsertModel<Table>) => ({
      returning: async () => {
        held.push(db.insert(table).values(row));
        const absent = Object.keys(getTableColumns(table)).map((name) => [name, null]);
        return [{ ...Object.fromEntries(absent), ...row }];
      },
    }),
  });
}

function replacing(db: Database, name: string, method: unknown): Database {
  return new Proxy(db, {
    get(target, property) {
      if (property === name) return method;
      const member: unknown = Reflect.get(target, property);
      return typeof member === "function" ? member.bind(target) : member;
    },
  });
}
