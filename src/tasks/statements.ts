/**
 * The statements that change tasks. Each does its work only for the owner, in a live session, on its condition and within
 * the quotas.
 */
import { and, eq, gte, isNotNull, isNull, or, type SQL, sql } from "drizzle-orm";
import { session } from "../auth/tables.ts";
import { DAY_MS } from "../time.ts";
import { type NewTask, type TaskChanges, TRASH_DAYS } from "./model.ts";
import type { Precondition } from "./precondition.ts";
import { columns, FORGOTTEN, type Row, toColumns } from "./row.ts";
import type { TaskScope } from "./scope.ts";
import { task } from "./table.ts";
import type { Growth, QuotaName, Totals } from "./totals.ts";

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

/**
 * A change: the statement that makes it, and an expression that names the quota that keeps it from being made, where the
 * task and the totals `before` can be seen. It is null where nothing would change.
 */
export type Change = { run: () => ReturnType<TaskScope["rawRows"]>; exceeded: SQL };

/** What a look finds: without a task, its columns are null. */
export type Look = Row & Pick<Totals, "live" | "bytes" | "changes"> & { exceeded: QuotaName | null };

export type Statements = ReturnType<typeof createStatements>;

export function createStatements({ raw, rawRows, userId, isLive, totals, now }: TaskScope) {
  const isLiveInSql = () => sql`exists (select 1 from ${session} where ${isLive()})`;

  return {
    /** Reads a task, deleted or not. */
    select: (id: string) =>
      rawRows(sql`select ${columns} from ${task} where ${task.userId} = ${userId} and ${task.id} = ${id}`),

    /** Reads a task, if it is there, with the totals and the quota that keeps a change of it from being made. */
    look: (id: string, { exceeded }: Pick<Change, "exceeded">, also: SQL = sql`null`) =>
      raw<Look>(
        sql`select ${columns}, ${exceeded} as exceeded, before.live as live, before.bytes as bytes,
            before.changes as changes, ${also} as refused
          from ${totals.before()} as before
          left join ${task} on ${task.userId} = ${userId} and ${task.id} = ${id}`,
      ),

    insert(id: string, { completed, ...contents }: NewTask): Change {
      const at = now();
      const written = toColumns(contents);
      const growth = { live: 1, open: completed ? 0 : 1, bytes: bytesOf(written) };
      const exceeded = totals.exceeded(growth);
      const values: [string, SQL][] = Object.entries({
        ...written,
        completedAt: completed ? at : null,
        createdAt: at,
        updatedAt: at,
      }).map(([name, value]) => [columnOf(name), sql`${value}`]);
      const all = [...values, ...totals.after(growth)];
      const run = () =>
        rawRows(
          sql`insert into ${task} (user_id, id, ${namesOf(all)})
            select ${session.userId}, ${id}, ${valuesOf(all)} from ${session}, ${totals.beforeCreating()} as before
            where ${isLive()} and ${exceeded} is null returning ${columns}`,
        );
      return { run, exceeded };
    },

    update(id: string, changes: TaskChanges, precondition: Precondition = {}): Change {
      const { completed, ...contents } = changes;
      const written = toColumns(contents);
      const fields: [string, SQL][] = Object.entries(written).map(([name, value]) => [columnOf(name), sql`${value}`]);
      if (completed !== undefined) {
        const completedAt = completed ? sql`coalesce(${task.completedAt}, ${now()})` : sql`null`;
        fields.push(["completed_at", completedAt]);
      }
      const isOpen = sql`(${task.completedAt} is null)`;
      const growth: Growth = {
        ...(completed !== undefined && { open: completed ? sql`(-${isOpen})` : sql`(1 - ${isOpen})` }),
        ...(Object.keys(written).length > 0 && { bytes: growthOf(written) }),
        // Who has used up the day's changes can still get things done.
        isFree: completed === true && Object.keys(contents).length === 0,
      };
      return change(id, fields, and(isNull(task.deletedAt), differsFrom(changes)), precondition, growth);
    },

    /** Into the trash, which holds as many bytes as a user may have; what is more is forgotten at once. */
    delete(id: string, precondition: Precondition = {}): Change {
      const fits = sql`(before.trash + ${task.bytes} <= ${totals.quotas.bytes})`;
      const kept = Object.entries(FORGOTTEN).map(([name, empty]): [string, SQL] => [
        name,
        sql`iif(${fits}, ${sql.identifier("task")}.${sql.identifier(name)}, ${sql.raw(empty)})`,
      ]);
      const growth = {
        live: -1,
        open: sql`(-(${task.completedAt} is null))`,
        bytes: sql`(-${task.bytes})`,
        trash: sql`iif(${fits}, ${task.bytes}, 0)`,
        isFree: true,
      };
      const fields: [string, SQL][] = [["deleted_at", sql`${now()}`], ...kept];
      return change(id, fields, isNull(task.deletedAt), precondition, growth);
    },

    restore(id: string, precondition: Precondition = {}): Change {
      const isInTrash = and(
        isNotNull(task.deletedAt),
        gte(task.deletedAt, now() - TRASH_DAYS * DAY_MS),
        sql`${task.title} <> ''`,
      );
      const growth = {
        live: 1,
        open: sql`(${task.completedAt} is null)`,
        bytes: sql`${task.bytes}`,
        trash: sql`(-${task.bytes})`,
      };
      return change(id, [["deleted_at", sql`null`]], isInTrash, precondition, growth);
    },
  };

  function change(
    id: string,
    fields: [string, SQL][],
    condition: SQL | undefined,
    precondition: Precondition,
    growth: Growth,
  ): Change {
    const exceeded = totals.exceeded(growth);
    const updatedAt: [string, SQL] = ["updated_at", sql`max(${now()}, ${task.updatedAt} + 1)`];
    const set = [...fields, updatedAt, ...totals.after(growth)].map(
      ([name, value]) => sql`${sql.identifier(name)} = ${value}`,
    );
    const isTarget = and(
      eq(task.userId, userId),
      eq(task.id, id),
      condition,
      holdsInSql(precondition),
      isLiveInSql(),
      sql`${exceeded} is null`,
    );
    const run = () =>
      rawRows(
        sql`update ${task} set ${sql.join(set, sql`, `)} from ${totals.beforeChanging()} as before
          where ${isTarget} returning ${columns}`,
      );
    return { run, exceeded: sql`case when ${condition} then ${exceeded} end` };
  }
}

/** The columns whose text counts as bytes (table.ts). */
const TEXTS = ["title", "titleKey", "description", "descriptionKey", "tags"] as const;

/** The bytes of a new task's text. */
export function bytesOf(written: Partial<Row>): number {
  return TEXTS.reduce((sum, name) => sum + Buffer.byteLength(written[name] ?? ""), 0);
}

/** By how many bytes a task's text grows with these columns. */
function growthOf(written: Partial<Row>): SQL {
  const former = TEXTS.filter((name) => name in written).map(
    (name) => sql`coalesce(length(cast(${task[name]} as blob)), 0)`,
  );
  if (former.length === 0) return sql`0`;
  return sql`(${bytesOf(written)} - (${sql.join(former, sql` + `)}))`;
}

function columnOf(name: string): string {
  return task[name as keyof Row].name;
}

function namesOf(columnValues: [string, SQL][]): SQL {
  return sql.join(
    columnValues.map(([name]) => sql.identifier(name)),
    sql`, `,
  );
}

function valuesOf(columnValues: [string, SQL][]): SQL {
  return sql.join(
    columnValues.map(([, value]) => value),
    sql`, `,
  );
}

function differsFrom({ completed, ...contents }: TaskChanges): SQL {
  const differences = Object.entries(toColumns(contents)).map(
    ([name, value]) => sql`${task[name as keyof Row]} is not ${value}`,
  );
  if (completed !== undefined) differences.push(sql`(${task.completedAt} is not null) is not ${completed}`);
  return or(...differences) ?? sql`false`;
}
