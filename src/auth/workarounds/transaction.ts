/**
 * Better Auth has no transactions on D1, whose transactions cannot stay open: a sign-up that is interrupted leaves a user
 * without a password, for whom sign-up and sign-in fail for ever. So inserts are held until the transaction ends, and are
 * then written in one batch.
 * @see https://github.com/drizzle-team/drizzle-orm/issues/2463
 *
 * Delete this file once test/auth/workarounds.test.ts shows that an interrupted sign-up leaves nothing. The rules of
 * session-insert.ts then need another place.
 */
import { APIError, BASE_ERROR_CODES } from "better-auth";
import { getTableColumns, type InferInsertModel } from "drizzle-orm";
import type { BatchItem } from "drizzle-orm/batch";
import type { SQLiteTable } from "drizzle-orm/sqlite-core";
import { type Database, violates } from "../../db/client.ts";
import { requestNotes } from "../request-notes.ts";
import { currentHash, insertSession, type SessionRow } from "../session-insert.ts";
import { session } from "../tables.ts";

/**
 * The same database, with a `transaction` that holds inserts until its end. Reads and other writes run at once. Sessions are
 * inserted by session-insert.ts, inside and outside of a transaction.
 * @param hidesTaken whether a sign-up that loses a race for an address writes nothing and seems to succeed, as with an
 *   address that has an account
 */
export function withAtomicInserts(db: Database, hidesTaken: boolean): Database {
  async function transaction<Result>(work: (inner: Database) => Promise<Result>): Promise<Result> {
    const held: BatchItem<"sqlite">[] = [];
    const result = await work(
      overriding(
        db,
        "insert",
        insertWith(db, async (items) => void held.push(...items)),
      ),
    );
    await runBatch(db, held).catch((error: unknown) => {
      if (!hidesTaken || !violates(error, "user.email")) throw error;
    });
    return result;
  }
  const direct = insertWith(db, async (items) => void (await runBatch(db, items)), openSession);
  return overriding(overriding(db, "transaction", transaction), "insert", direct);

  /** A parallel sign-in may have replaced the verified hash by a stronger one. Then the password is verified again. */
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

/** An `insert` as Better Auth's adapter calls it. It returns the row as it was passed. */
function insertWith(
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

/** The same database with one method replaced. */
function overriding(db: Database, name: string, method: unknown): Database {
  return new Proxy(db, {
    get(target, property) {
      if (property === name) return method;
      const member: unknown = Reflect.get(target, property);
      return typeof member === "function" ? member.bind(target) : member;
    },
  });
}
