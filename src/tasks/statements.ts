/** The statements that change tasks. Each does its work only for the owner, in a live session, and on its condition. */
import { and, eq, exists, gte, isNotNull, isNull, or, type SQL, sql } from "drizzle-orm";
import type { SQLiteUpdateSetSource } from "drizzle-orm/sqlite-core";
import { session } from "../auth/tables.ts";
import { DAY_MS } from "../time.ts";
import { type NewTask, type TaskChanges, TRASH_DAYS } from "./model.ts";
import type { Precondition } from "./precondition.ts";
import { columns, type Row, toColumns } from "./row.ts";
import type { TaskScope } from "./scope.ts";
import { task } from "./table.ts";

/** Whether a precondition holds, asked in a statement. */
export function holdsInSql({ ifMatch, ifNoneMatch }: Precondition): SQL | undefined {
  if (ifNoneMatch === "*") return sql`false`;
  return and(
    ifMatch && sql`${task.revision} in ${listed(ifMatch)}`,
    ifNoneMatch && sql`${task.revision} not in ${listed(ifNoneMatch)}`,
  );
}

/** One parameter, however many there are: D1 allows 100 a statement. */
function listed(revisions: readonly number[]): SQL {
  return sql`(select tag.value from json_each(${JSON.stringify(revisions)}) as tag)`;
}

export type Statements = ReturnType<typeof createStatements>;

export function createStatements({ db, raw, isOwn, isLive, nextRevision, now }: TaskScope) {
  return {
    /** Reads a task, deleted or not. */
    select: (id: string) =>
      db
        .select()
        .from(task)
        .where(and(isOwn(), eq(task.id, id))),

    insert(id: string, { completed, ...contents }: NewTask) {
      const at = now();
      const values = { ...toColumns(contents), completedAt: completed ? at : null, createdAt: at, updatedAt: at };
      const names = Object.keys(values).map((name) => sql.identifier(task[name as keyof typeof values].name));
      return raw<Row>(
        sql`insert into ${task} (user_id, id, revision, ${sql.join(names, sql`, `)})
          select ${session.userId}, ${id}, ${nextRevision()}, ${sql.join(
            Object.values(values).map((value) => sql`${value}`),
            sql`, `,
          )}
          from ${session} where ${isLive()} returning ${columns}`,
      );
    },

    update: (id: string, changes: TaskChanges, precondition: Precondition = {}) =>
      change(id, setFields(changes, now()), and(isNull(task.deletedAt), differsFrom(changes)), precondition),

    delete: (id: string, precondition: Precondition = {}) =>
      change(id, { deletedAt: now() }, isNull(task.deletedAt), precondition),

    restore: (id: string, precondition: Precondition = {}) => {
      const isInTrash = and(isNotNull(task.deletedAt), gte(task.deletedAt, now() - TRASH_DAYS * DAY_MS));
      return change(id, { deletedAt: null }, isInTrash, precondition);
    },
  };

  function change(id: string, fields: Fields, condition: SQL | undefined, precondition: Precondition) {
    return db
      .update(task)
      .set({ ...fields, revision: nextRevision(), updatedAt: sql`max(${now()}, ${task.updatedAt} + 1)` })
      .where(
        and(
          isOwn(),
          eq(task.id, id),
          condition,
          holdsInSql(precondition),
          exists(db.select({ live: sql`1` }).from(session).where(isLive())),
        ),
      )
      .returning();
  }
}

type Fields = SQLiteUpdateSetSource<typeof task>;

function setFields({ completed, ...contents }: TaskChanges, at: number): Fields {
  const completedAt = completed ? sql`coalesce(${task.completedAt}, ${at})` : null;
  return { ...toColumns(contents), ...(completed !== undefined && { completedAt }) };
}

function differsFrom({ completed, ...contents }: TaskChanges): SQL {
  const differences = Object.entries(toColumns(contents)).map(
    ([name, value]) => sql`${task[name as keyof Row]} is not ${value}`,
  );
  if (completed !== undefined) differences.push(sql`(${task.completedAt} is not null) is not ${completed}`);
  return or(...differences) ?? sql`false`;
}
