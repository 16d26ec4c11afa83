/** The changes of tasks: creating, changing, deleting and restoring one. */
import { and, isNotNull, isNull, or, type SQL, sql } from "drizzle-orm";
import { session } from "../../auth/tables.ts";
import { statement } from "../../db/statement.ts";
import type { CreateTask, TaskChanges } from "../model.ts";
import type { Precondition } from "../precondition.ts";
import { KEYS_VERSION } from "../text.ts";
import { maxBytes, now, trashStart, value } from "./bindings.ts";
import {
  type Change,
  type CreationKind,
  changeKind,
  id,
  isTask,
  joined,
  type Kind,
  revisionsOf,
} from "./change-kinds.ts";
import { sessionIsActive } from "./context.ts";
import { emptyContents } from "./erasure.ts";
import { columns, type Row, toColumns, type WrittenRow } from "./row.ts";
import { task } from "./table.ts";
import { exceededBy, type Growth, totalsAfter, totalsBefore } from "./totals.ts";

/** The columns whose text counts as bytes (table.ts). */
const TEXTS = ["title", "titleKey", "sortKey", "description", "descriptionKey", "tags", "uid", "kept"] as const;

/** Creates a task. With an id of the caller's own, a task that has this id and the same contents is left as it is. */
export function insert(taskId: string, input: CreateTask, at: number): Change<CreationKind> {
  const { id: chosen, completed, ...contents } = input;
  const written = toColumns(contents);
  const times = { completedAt: completed ? at : null, createdAt: at, updatedAt: at };
  const values = { id: taskId, ...written, ...times, completed: Number(completed), bytes: bytesOf(written) };
  return { kind: chosen === undefined ? INSERT : INSERT_UNLESS_TAKEN, values };
}

/** The columns that a creation writes. */
const CREATED = ["title", "titleKey", "sortKey", "description", "descriptionKey", "priority", "due", "tags"] as const;
/** Columns that follow from others: two tasks may differ in them by the rules of their time. */
const KEYS: readonly Written[] = ["titleKey", "sortKey", "descriptionKey"];
const INSERT = insertKind(sql`false`, sql`false`);
const INSERT_UNLESS_TAKEN = insertKind(
  existsWith(undefined),
  existsWith(or(isNotNull(task.deletedAt), differsIn([...CREATED, "completed"]))),
);

/**
 * @param isTaken whether a task has the id
 * @param isOther whether that is not the task that would be created
 */
function insertKind(isTaken: SQL, isOther: SQL): CreationKind {
  const growth: Growth = { live: 1, open: sql`(not ${value("completed")})`, bytes: value("bytes") };
  const exceeded = exceededBy(growth);
  const written = [...CREATED, "completedAt", "createdAt", "updatedAt"] as const;
  const all = [
    ...written.map((name): [string, SQL] => [task[name].name, sql`${value(name)}`]),
    [task.keysVersion.name, sql.raw(String(KEYS_VERSION))] as [string, SQL],
    ...totalsAfter(growth),
  ];
  const happens = sql`${exceeded} is null and not ${isTaken}`;
  return {
    run: statement<Row>(
      sql`insert into ${task} (user_id, id, ${joined(all.map(([name]) => sql.identifier(name)))})
        select ${session.userId}, ${id}, ${joined(all.map(([, sqlValue]) => sqlValue))}
        from ${session}, ${totalsBefore} as before where ${sessionIsActive} and ${happens} returning ${columns}`,
    ),
    refusal: sql`case when ${isOther} then 'id-taken' when not ${isTaken} then 'over-quota ' || ${exceeded} end`,
    happens,
  };
}

/** Changes the named fields. */
export function update(taskId: string, changes: TaskChanges, precondition: Precondition = {}): Change {
  const { completed, ...contents } = changes;
  const written = toColumns(contents);
  const names = Object.keys(written) as Written[];
  const values = {
    id: taskId,
    ...written,
    ...revisionsOf(precondition),
    bytes: bytesOf(written),
    ...(completed !== undefined && { completed: Number(completed) }),
    // Completing stays possible once the day's changes are used up.
    isFree: Number(completed === true && names.length === 0),
  };
  return { kind: updateKind([...names, ...(completed === undefined ? [] : (["completed"] as const))]), values };
}

/** A column that an update writes. `completed` stands for `completed_at`. */
type Written = keyof WrittenRow | "completed";

const UPDATES = new Map<string, Kind>();

/** One kind for each set of columns: there are as many as sets of fields. */
function updateKind(names: Written[]): Kind {
  const key = names.join();
  const kind = UPDATES.get(key) ?? createUpdateKind(names);
  UPDATES.set(key, kind);
  return kind;
}

function createUpdateKind(names: Written[]): Kind {
  const isOpen = sql`(${task.completedAt} is null)`;
  const completed = value("completed");
  const former = TEXTS.filter((name) => names.includes(name)).map(
    (name) => sql`coalesce(length(cast(${task[name]} as blob)), 0)`,
  );
  const growth: Growth = {
    ...(names.includes("completed") && { open: sql`iif(${completed}, -${isOpen}, 1 - ${isOpen})` }),
    ...(former.length > 0 && { bytes: sql`(${value("bytes")} - (${sql.join(former, sql` + `)}))` }),
    isFree: value("isFree"),
  };
  const fields = names.map((name): [string, SQL] =>
    name === "completed"
      ? ["completed_at", sql`iif(${completed}, coalesce(${task.completedAt}, ${now}), null)`]
      : [task[name].name, sql`${value(name)}`],
  );
  const condition = and(isNull(task.deletedAt), differsIn(names));
  return changeKind({ fields, condition, isGone: isNotNull(task.deletedAt), growth });
}

/** Moves a task to the trash. The trash has the bytes quota too: beyond it, contents are erased at once. */
function remove(taskId: string, precondition: Precondition = {}): Change {
  return { kind: DELETE, values: { id: taskId, ...revisionsOf(precondition) } };
}

export { remove as delete };

const DELETE = createDeleteKind();

function createDeleteKind(): Kind {
  const fits = sql`(before.trash + ${task.bytes} <= ${maxBytes})`;
  const kept = Object.entries(emptyContents(task)).map(([name, empty]): [string, SQL] => [
    name,
    sql`iif(${fits}, ${sql.identifier("task")}.${sql.identifier(name)}, ${sql.raw(empty)})`,
  ]);
  const growth: Growth = {
    live: -1,
    open: sql`(-(${task.completedAt} is null))`,
    bytes: sql`(-${task.bytes})`,
    trash: sql`iif(${fits}, ${task.bytes}, 0)`,
    isFree: sql`1`,
  };
  const fields: [string, SQL][] = [["deleted_at", sql`${now}`], ...kept];
  return changeKind({ fields, condition: isNull(task.deletedAt), isGone: isNotNull(task.deletedAt), growth });
}

/** Restores a task from the trash. */
export function restore(taskId: string, precondition: Precondition = {}): Change {
  return { kind: RESTORE, values: { id: taskId, ...revisionsOf(precondition) } };
}

const RESTORE = createRestoreKind();

function createRestoreKind(): Kind {
  const isInTrash = sql`(${task.deletedAt} >= ${trashStart} and ${task.title} <> '')`;
  const growth: Growth = {
    live: 1,
    open: sql`(${task.completedAt} is null)`,
    bytes: sql`${task.bytes}`,
    trash: sql`(-${task.bytes})`,
  };
  const isGone = sql`(${task.deletedAt} is not null and not ${isInTrash})`;
  return changeKind({ fields: [["deleted_at", sql`null`]], condition: isInTrash, isGone, growth });
}

/** Whether the user has a task with this id, deleted or not, for which the condition holds. */
function existsWith(condition: SQL | undefined): SQL {
  return sql`exists (select 1 from ${task} where ${and(isTask, condition)})`;
}

/** Whether the task differs in one of these columns. */
function differsIn(names: Written[]): SQL {
  const differences = names
    .filter((name) => !KEYS.includes(name))
    .map((name) =>
      name === "completed"
        ? sql`(${task.completedAt} is not null) is not ${value("completed")}`
        : sql`${task[name]} is not ${value(name)}`,
    );
  return or(...differences) ?? sql`false`;
}

/** The bytes of a task's text. */
export function bytesOf(written: Partial<WrittenRow>): number {
  return TEXTS.reduce((sum, name) => sum + Buffer.byteLength(written[name] ?? ""), 0);
}
