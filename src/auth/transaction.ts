/**
 * Transactions for Better Auth. D1 has none that stay open, so what is inserted within one is kept until it ends
 * and then written in one batch: all of it or nothing. A sign-up that is cut off at any point leaves no half account.
 */
import { APIError, BASE_ERROR_CODES } from "better-auth";
import { getTableColumns, type InferInsertModel } from "drizzle-orm";
import type { BatchItem } from "drizzle-orm/batch";
import type { SQLiteTable } from "drizzle-orm/sqlite-core";
import { type Database, violates } from "../db/client.ts";
import { requestNotes } from "./request-notes.ts";
import { currentHash, insertSession, type SessionRow } from "./session-insert.ts";
import { session } from "./tables.ts";

/**
 * The same database, with a `transaction` that holds inserts back. Reads and other writes in it run at once. Sessions are
 * inserted as session-insert.ts does, in a transaction and outside of one.
 * @param hidesTaken whether a sign-up that another one was faster than writes nothing and goes on, as one does whose
 *   address has long had an account: the answer must not tell
 */
export function withAtomicInserts(db: Database, hidesTaken: boolean): Database {
  async function transaction<Result>(work: (inner: Database) => Promise<Result>): Promise<Result> {
    const held: BatchItem<"sqlite">[] = [];
    const result = await work(
      replacing(
        db,
        "insert",
        inserting(db, async (items) => void held.push(...items)),
      ),
    );
    await runBatch(db, held).catch((error: unknown) => {
      if (!hidesTaken || !violates(error, "user.email")) throw error;
    });
    return result;
  }
  const direct = inserting(db, async (items) => void (await runBatch(db, items)), openSession);
  return replacing(replacing(db, "transaction", transaction), "insert", direct);

  /** A parallel sign-in may have put a stronger hash in place of the one that was verified: then it is verified anew. */
  async function openSession(row: SessionRow): Promise<void> {
    const { verifiedHash, verifyAgain } = requestNotes();
    for (let hash = verifiedHash; ; ) {
      const [opened] = await runBatch(db, [...insertSession(db, row, hash)]);
      if (opened?.length !== 0) return;
      const current = await currentHash(db, row.userId);
      if (current === undefined || current === hash || !(await verifyAgain?.(current))) {
        throw APIError.from("UNAUTHORIZED", BASE_ERROR_CODES.INVALID_EMAIL_OR_PASSWORD);
      }
      hash = current;
    }
  }
}

/** An `insert` as Better Auth's adapter calls it: the row comes back as it was given. */
function inserting(
  db: Database,
  write: (items: BatchItem<"sqlite">[]) => Promise<void>,
  open = (row: SessionRow) => write([...insertSession(db, row)]),
) {
  return <Table extends SQLiteTable>(table: Table) => ({
    values: (row: InferInsertModel<Table>) => ({
      returning: async () => {
        if ((table as SQLiteTable) === session) await open(row as unknown as SessionRow);
        else await write([db.insert(table).values(row).returning()]);
        const absent = Object.keys(getTableColumns(table)).map((name) => [name, null]);
        return [{ ...Object.fromEntries(absent), ...row }];
      },
    }),
  });
}

async function runBatch(db: Database, [first, ...rest]: BatchItem<"sqlite">[]): Promise<unknown[][]> {
  return first ? ((await db.batch([first, ...rest])) as unknown[][]) : [];
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
