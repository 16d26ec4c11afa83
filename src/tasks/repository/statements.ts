/**
 * The statements that change tasks. Each writes only for the owner, in an active session, if its precondition holds, and
 * within the quotas.
 */
import { and, eq, isNotNull, isNull, or, type SQL, sql } from "drizzle-orm";
import { session } from "../../auth/tables.ts";
import { DAY_MS } from "../../time.ts";
import type { CreateTask, TaskChanges } from "../model.ts";
import type { Precondition } from "../precondition.ts";
import { TRASH_DAYS } from "../retention.ts";
import type { TaskQueryContext } from "./context.ts";
import { emptyContents } from "./erasure.ts";
import { columns, type Row, toColumns } from "./row.ts";
import { task } from "./table.ts";
import type { Growth, Totals } from "./totals.ts";

/** A precondition as an SQL condition. */
export function satisfiesInSql({ ifMatch, ifNoneMatch }: Precondition): SQL | undefined {
  if (ifNoneMatch === "*") return sql`false`;
  return and(
    ifMatch && sql`${task.revision} in ${revisionList(ifMatch)}`,
    ifNoneMatch && sql`${task.revision} not in ${revisionList(ifNoneMatch)}`,
  );
}

/** One parameter, however many there are: D1 allows 100 a statement. */
function revisionList(revisions: readonly number[]): SQL {
  return sql`(select tag.value from json_each(${JSON.stringify(revisions)}) as tag)`;
}

/**
 * A change: its statement, and an expression that tells why the change is refused (refusals.ts). The expression may refer to
 * the task and to the totals `before`. It is null if the change is made, or changes nothing.
 */
export type Change = { run: () => ReturnType<TaskQueryContext["queryRows"]>; refusal: SQL };

/** A creation. `happens`, which may refer to the totals `before`, tells whether it creates a task. */
export type Creation = Change & { happens: SQL };

/** A task as it is before a change, with the totals. Without a task, its columns are null. */
export type Before = Row & Pick<Totals, "live" | "bytes" | "changes"> & { refusal: string | null };

export type Statements = ReturnType<typeof createStatements>;

const EMPTY_CONTENTS = emptyContents(task);

export function createStatements({ query, queryRows, userId, sessionIsActive, totals, now }: TaskQueryContext) {
  const hasActiveSession = () => sql`exists (select 1 from ${session} where ${sessionIsActive()})`;

  return {
    /** Reads a task, deleted or not. */
    select: (id: string) =>
      queryRows(sql`select ${columns} from ${task} where ${task.userId} = ${userId} and ${task.id} = ${id}`),

    /** Reads a task, if it exists, with the totals and why a change is refused. */
    readBefore: (id: string, { refusal }: Pick<Change, "refusal">) =>
      query<Before>(
        sql`select ${columns}, ${refusal} as refusal, before.live as live, before.bytes as bytes, before.changes as changes
          from ${totals.before()} as before
          left join ${task} on ${task.userId} = ${userId} and ${task.id} = ${id}`,
      ),

    /** A query for why a change is refused, for statements that write. Name it, and join it. */
    refusalBefore: (id: string, { refusal }: Pick<Change, "refusal">): SQL =>
      sql`(select ${refusal} as refusal from ${totals.beforeCreating()} as before
        left join ${task} on ${task.userId} = ${userId} and ${task.id} = ${id})`,

    /** Creates a task. With an id of the caller's own, a task that has this id and the same contents is left as it is. */
    insert(id: string, input: CreateTask): Creation {
      const { id: chosen, completed, ...contents } = input;
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
      const isTaken = chosen === undefined ? sql`false` : existsWith(id, undefined);
      const isOther =
        chosen === undefined ? sql`false` : existsWith(id, or(isNotNull(task.deletedAt), differsFrom(input)));
      const happens = sql`${exceeded} is null and not ${isTaken}`;
      const run = () =>
        queryRows(
          sql`insert into ${task} (user_id, id, ${namesOf(all)})
            select ${session.userId}, ${id}, ${valuesOf(all)} from ${session}, ${totals.beforeCreating()} as before
            where ${sessionIsActive()} and ${happens} returning ${columns}`,
        );
      const refusal = sql`case when ${isOther} then 'id-taken' when not ${isTaken} then 'over-quota ' || ${exceeded} end`;
      return { run, refusal, happens };
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
        // Completing stays possible once the day's changes are used up.
        isFree: completed === true && Object.keys(contents).length === 0,
      };
      const condition = and(isNull(task.deletedAt), differsFrom(changes));
      return change(id, { fields, condition, isGone: isNotNull(task.deletedAt), precondition, growth });
    },

    /** Moves a task to the trash. The trash has the bytes quota too: beyond it, contents are erased at once. */
    delete(id: string, precondition: Precondition = {}): Change {
      const fits = sql`(before.trash + ${task.bytes} <= ${totals.quotas.bytes})`;
      const kept = Object.entries(EMPTY_CONTENTS).map(([name, empty]): [string, SQL] => [
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
      const [condition, isGone] = [isNull(task.deletedAt), isNotNull(task.deletedAt)];
      return change(id, { fields, condition, isGone, precondition, growth });
    },

    restore(id: string, precondition: Precondition = {}): Change {
      const isInTrash = sql`(${task.deletedAt} >= ${now() - TRASH_DAYS * DAY_MS} and ${task.title} <> '')`;
      const growth = {
        live: 1,
        open: sql`(${task.completedAt} is null)`,
        bytes: sql`${task.bytes}`,
        trash: sql`(-${task.bytes})`,
      };
      const isGone = sql`(${task.deletedAt} is not null and not ${isInTrash})`;
      return change(id, { fields: [["deleted_at", sql`null`]], condition: isInTrash, isGone, precondition, growth });
    },
  };

  /** Whether the user has a task with this id, deleted or not, for which the condition holds. */
  function existsWith(id: string, condition: SQL | undefined): SQL {
    return sql`exists (select 1 from ${task} where ${and(eq(task.userId, userId), eq(task.id, id), condition)})`;
  }

  /**
   * @param condition whether the change would change the task
   * @param isGone whether the task is deleted for this change
   */
  function change(id: string, { fields, condition, isGone, precondition, growth }: ChangeParts): Change {
    const exceeded = totals.exceeded(growth);
    const updatedAt: [string, SQL] = ["updated_at", sql`max(${now()}, ${task.updatedAt} + 1)`];
    const set = [...fields, updatedAt, ...totals.after(growth)].map(
      ([name, value]) => sql`${sql.identifier(name)} = ${value}`,
    );
    const isTarget = and(
      eq(task.userId, userId),
      eq(task.id, id),
      condition,
      satisfiesInSql(precondition),
      hasActiveSession(),
      sql`${exceeded} is null`,
    );
    const run = () =>
      queryRows(
        sql`update ${task} set ${sql.join(set, sql`, `)} from ${totals.beforeChanging()} as before
          where ${isTarget} returning ${columns}`,
      );
    const refusal = sql`case when ${task.id} is null or ${isGone} then 'absent'
      when not ${satisfiesInSql(precondition) ?? sql`true`} then 'stale ' || ${task.revision}
      when ${condition} then 'over-quota ' || ${exceeded} end`;
    return { run, refusal };
  }
}

type ChangeParts = {
  fields: [string, SQL][];
  condition: SQL | undefined;
  isGone: SQL;
  precondition: Precondition;
  growth: Growth;
};

/** The columns whose text counts as bytes (table.ts). */
const TEXTS = ["title", "titleKey", "description", "descriptionKey", "tags"] as const;

/** The bytes of a task's text. */
export function bytesOf(written: Partial<Row>): number {
  return TEXTS.reduce((sum, name) => sum + Buffer.byteLength(written[name] ?? ""), 0);
}

/** The bytes by which a task's text grows when these columns are written. */
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

/** Whether the task differs in one of these fields. */
function differsFrom({ completed, ...contents }: TaskChanges): SQL {
  const differences = Object.entries(toColumns(contents)).map(
    ([name, value]) => sql`${task[name as keyof Row]} is not ${value}`,
  );
  if (completed !== undefined) differences.push(sql`(${task.completedAt} is not null) is not ${completed}`);
  return or(...differences) ?? sql`false`;
}
