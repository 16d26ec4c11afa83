/**
 * One user's tasks. Every statement starts from the caller's live session, so ownership and revocation
 * are decided inside the statement that does the work; whatever finds no live session throws SessionEnded.
 */
import { and, desc, eq, exists, getTableColumns, gt, inArray, isNull, lt, or, type SQL, sql } from "drizzle-orm";
import type { SQLiteUpdateSetSource } from "drizzle-orm/sqlite-core";
import { uuidv7 } from "uuidv7";
import type { Caller } from "../access/claims.ts";
import { SessionEnded } from "../access/session-ended.ts";
import { session } from "../auth/tables.ts";
import type { Database } from "../db/client.ts";
import { type CursorKeys, openCursor, sealCursor } from "./cursor.ts";
import type { NewTask, Task, TaskChanges } from "./model.ts";
import { task } from "./table.ts";

/** What came of asking for a page. */
export type Listed = { outcome: "page"; tasks: Task[]; nextCursor: string | null } | { outcome: "foreign-cursor" };

/** What came of a write. A task that already was as wanted is `done` too: nothing was written then. */
export type Written = { outcome: "done"; task: Task } | { outcome: "absent" } | { outcome: "stale"; revision: number };

/** The revisions that a write may replace; undefined is any. */
export type Expected = readonly number[] | undefined;

export type TaskRepository = ReturnType<typeof createTaskRepository>;

type Row = typeof task.$inferSelect;
type NoRow = { [Column in keyof Row]: null };
type Dependencies = { db: Database; caller: Caller; cursorKeys: CursorKeys; now: () => number };

/** Builds the repository of one user. Only a verified access token yields a `Caller`. */
export function createTaskRepository({ db, caller, cursorKeys, now }: Dependencies) {
  const { userId, sessionId } = caller;
  const list = JSON.stringify(["tasks", userId]);

  return {
    /** Reads one task. 2 rows read. */
    async find(id: string): Promise<Task | undefined> {
      return presentTask(await selectTask(id));
    },

    /** Reads a page, newest first. limit + 2 rows read, however many tombstones lie between. */
    async list(limit: number, cursor?: string): Promise<Listed> {
      const after = cursor === undefined ? undefined : await openCursor(cursorKeys, list, cursor);
      if (cursor !== undefined && after === undefined) return { outcome: "foreign-cursor" };
      const ofUser = and(eq(task.userId, session.userId), isNull(task.deletedAt));
      const rows = await db
        .select({ task: selected })
        .from(session)
        .leftJoin(sql`${task} indexed by task_live`, after === undefined ? ofUser : and(ofUser, lt(task.id, after)))
        .where(isLive())
        .orderBy(desc(task.id))
        .limit(limit + 1);
      if (rows.length === 0) throw new SessionEnded();
      const found = rows.flatMap((row) => (row.task.id === null ? [] : [toTask(row.task)]));
      const tasks = found.slice(0, limit);
      const last = found.length > limit ? tasks.at(-1) : undefined;
      return { outcome: "page", tasks, nextCursor: last ? await sealCursor(cursorKeys, list, last.id) : null };
    },

    /** Creates a task. 4 rows read, 3 written. */
    async create(input: NewTask): Promise<Task> {
      const at = now();
      const row = db
        .select({
          userId: session.userId,
          id: sql<string>`${uuidv7()}`.as("id"),
          revision: sql<number>`${nextRevision()}`.as("revision"),
          title: sql<string>`${input.title}`.as("title"),
          description: sql<string | null>`${input.description}`.as("description"),
          completedAt: sql<number | null>`${input.completed ? at : null}`.as("completed_at"),
          createdAt: sql<number>`${at}`.as("created_at"),
          updatedAt: sql<number>`${at}`.as("updated_at"),
          deletedAt: sql<number | null>`null`.as("deleted_at"),
        })
        .from(session)
        .where(isLive());
      const [created] = await db.insert(task).select(row).returning();
      if (!created) throw new SessionEnded();
      return toTask(created);
    },

    /** Changes the named fields. 4 rows read, 2 written; none written when nothing differs. */
    async update(id: string, changes: TaskChanges, expected?: Expected): Promise<Written> {
      return write(id, setFields(changes, now()), differsFrom(changes), expected);
    },

    /** Deletes a task, leaving a tombstone. 4 rows read, 2 written. */
    async delete(id: string, expected?: Expected): Promise<Written> {
      return write(id, { deletedAt: now() }, sql`true`, expected);
    },
  };

  function isLive(): SQL | undefined {
    return and(eq(session.id, sessionId), eq(session.userId, userId), gt(session.expiresAt, new Date(now())));
  }

  /** D1 has one writer, so no two changes can read the same maximum. */
  function nextRevision(): SQL {
    return sql`(select coalesce(max(latest.revision), 0) + 1 from ${task} as latest where latest.user_id = ${userId})`;
  }

  function selectTask(id: string) {
    const wanted = and(eq(task.userId, session.userId), eq(task.id, id), isNull(task.deletedAt));
    return db
      .select({ task: getTableColumns(task) })
      .from(session)
      .leftJoin(task, wanted)
      .where(isLive());
  }

  /**
   * Writes in one statement when there is something to write. Otherwise the statement runs once more,
   * in one transaction with a read that tells why, so that the answer is true of one moment.
   */
  async function write(id: string, fields: Fields, differs: SQL, expected: Expected): Promise<Written> {
    const statement = () =>
      db
        .update(task)
        .set({ ...fields, revision: nextRevision(), updatedAt: sql`max(${now()}, ${task.updatedAt} + 1)` })
        .where(
          and(
            eq(task.userId, userId),
            eq(task.id, id),
            isNull(task.deletedAt),
            expected && inArray(task.revision, [...expected]),
            differs,
            exists(db.select({ live: sql`1` }).from(session).where(isLive())),
          ),
        )
        .returning();
    const [written] = await statement();
    if (written) return { outcome: "done", task: toTask(written) };
    const [[late], found] = await db.batch([statement(), selectTask(id)]);
    if (late) return { outcome: "done", task: toTask(late) };
    const current = presentTask(found);
    if (!current) return { outcome: "absent" };
    if (expected && !expected.includes(current.revision)) return { outcome: "stale", revision: current.revision };
    return { outcome: "done", task: current };
  }
}

type Fields = SQLiteUpdateSetSource<typeof task>;

function setFields(changes: TaskChanges, at: number): Fields {
  const { title, description, completed } = changes;
  return {
    ...(title !== undefined && { title }),
    ...(description !== undefined && { description }),
    ...(completed !== undefined && { completedAt: completed ? sql`coalesce(${task.completedAt}, ${at})` : null }),
  };
}

function differsFrom({ title, description, completed }: TaskChanges): SQL {
  const differences = or(
    title === undefined ? undefined : sql`${task.title} is not ${title}`,
    description === undefined ? undefined : sql`${task.description} is not ${description}`,
    completed === undefined ? undefined : sql`(${task.completedAt} is not null) is not ${completed}`,
  );
  return differences ?? sql`false`;
}

/** The task's columns where INDEXED BY names its index: Drizzle lets plain columns come from tables it knows alone. */
const selected = Object.fromEntries(
  Object.entries(getTableColumns(task)).map(([name, column]) => [name, sql`${column}`]),
  // Every column is text or integer, which Drizzle hands on as D1 gives it; a left join gives all of them or none.
) as unknown as SQL<Row | NoRow>;

/** No row: no live session. A row without a task: no such task, or someone else's. */
function presentTask(rows: { task: Row | null }[]): Task | undefined {
  const [row] = rows;
  if (!row) throw new SessionEnded();
  return row.task ? toTask(row.task) : undefined;
}

function toTask(row: Row): Task {
  return {
    id: row.id,
    title: row.title,
    description: row.description,
    completed: row.completedAt !== null,
    completedAt: row.completedAt === null ? null : new Date(row.completedAt).toISOString(),
    createdAt: new Date(row.createdAt).toISOString(),
    updatedAt: new Date(row.updatedAt).toISOString(),
    revision: row.revision,
  };
}
