/**
 * The statements of lists. A list by creation, and open tasks by due date, are contiguous ranges of an index: a page costs
 * its rows. Any other order reads the user's live tasks once and keeps the page: docs/costs.md tells why. A statement names
 * its index, so that a missing index is an error and never a scan.
 */
import { type Placeholder, type SQL, sql } from "drizzle-orm";
import { type Statement, statement } from "../../db/statement.ts";
import type { ListQuery } from "../model.ts";
import { trashStart, userId, value } from "./bindings.ts";
import { columnNames, columns, exportColumnNames, exportColumns, type Row } from "./row.ts";
import { task } from "./table.ts";
import { summary } from "./totals.ts";

/** A row of a list: first the summary (totals.ts), then a task in each, with the key that it is sorted by. */
export type ListRow = Row & { key: string | number | null; summary: string | null };

/** Where a page begins: behind the task with this key and id. */
export type Position = [key: string | number, id: string];

/** What tasks are sorted by before their ids, as SQL. */
export type Order = { key: SQL; isBackwards: boolean };

const CREATION = sql`created_at`;
const DUE = sql`due_key`;
/** Backwards too, tasks without a due date are last. */
const DUE_BACKWARDS = sql`coalesce(due, '')`;
/** Titles that differ in case and accents only lie together. Older tasks may have no sort key yet. */
const TITLE = sql`(iif(sort_key = '', title_key, sort_key) || char(1) || substr(title_key, 1, 100))`;
const BY_DELETION = { key: sql`deleted_at`, isBackwards: true };

const ORDERS: Record<NonNullable<ListQuery["sort"]>, Order> = {
  createdAt: { key: CREATION, isBackwards: false },
  "-createdAt": { key: CREATION, isBackwards: true },
  due: { key: DUE, isBackwards: false },
  "-due": { key: DUE_BACKWARDS, isBackwards: true },
  priority: { key: sql`priority`, isBackwards: false },
  "-priority": { key: sql`priority`, isBackwards: true },
  updatedAt: { key: sql`revision`, isBackwards: false },
  "-updatedAt": { key: sql`revision`, isBackwards: true },
  title: { key: TITLE, isBackwards: false },
};

/** The order of a list. The trash has one of its own. */
export function orderOf(status: ListQuery["status"], sort: keyof typeof ORDERS): Order {
  return status === "deleted" ? BY_DELETION : ORDERS[sort];
}

/** What the text of a list's statement depends on. All else is bound. */
type Shape = {
  status: ListQuery["status"];
  order: Order;
  /** Whether the page begins behind a position. */
  isLater: boolean;
  /** Whether some tasks of that status are not wanted. */
  isFiltered: boolean;
  /** Whether the wanted due dates are more than one range (due-range.ts). */
  isDivided: boolean;
  /** Whether the tasks are exported, with all that they have. */
  isExport?: boolean;
};

const BUILT = new Map<Order, Map<string, Statement<ListRow>>>();

/** The statement of a list. Each is built when it is first needed. */
export function listStatement(shape: Shape): Statement<ListRow> {
  const { status, order, isLater, isFiltered, isDivided, isExport = false } = shape;
  const ofOrder = BUILT.get(order) ?? new Map<string, Statement<ListRow>>();
  BUILT.set(order, ofOrder);
  const key = `${status} ${isLater} ${isFiltered} ${isDivided} ${isExport}`;
  const built = ofOrder.get(key) ?? statement<ListRow>(list(shape));
  ofOrder.set(key, built);
  return built;
}

function list(shape: Shape): SQL {
  const ranges = rangesOf(shape);
  if (!ranges) return sorted(shape);
  return shape.isExport
    ? merged(ranges, shape.order, exportColumnNames, exportColumns)
    : merged(ranges, shape.order, columnNames, columns);
}

/**
 * The summary and the ranges, merged while SQLite reads them. The limit stands outside: inside, SQLite would count each
 * task twice where it sorts.
 * @param names the columns of a task, and the same as SQL
 */
function merged(ranges: Range[], { isBackwards }: Order, names: string[], selected: SQL): SQL {
  // The summary is the first row: null comes before all other keys, and a blob after them.
  const first = isBackwards ? sql`x''` : sql`null`;
  const nulls = names.map((name) => (name === "id" ? sql`'' as id` : sql`null as ${sql.identifier(name)}`));
  const head = sql`select ${first} as key, ${sql.join(nulls, sql`, `)}, ${summary} as summary
    from ${task} where user_id = ${userId}`;
  const rows = ranges.map(
    ({ key, where, index }) => sql`select ${key} as key, ${selected}, null as summary
      from ${task} indexed by ${sql.identifier(index)} where user_id = ${userId} and ${where}`,
  );
  const direction = isBackwards ? sql` desc` : sql``;
  return sql`select * from (${sql.join([head, ...rows], sql` union all `)}
    order by key${direction}, id${direction}) limit ${value("limit")} + 1`;
}

/** Sorts the keys of the user's live tasks, and reads the tasks of the page: sorting whole tasks takes twice as long. */
function sorted(shape: Shape): SQL {
  const where = { open: isOpen, completed: isCompleted, all: isLive, deleted: isInTrash }[shape.status];
  const keys = merged([range(shape, where, "task_status_creation")], shape.order, ["id"], sql`id`);
  return sql`select page.key, ${columns}, page.summary from (${keys}) as page
    left join ${task} on ${task.userId} = ${userId} and ${task.id} = page.id`;
}

const isLive = sql`deleted_at is null`;
const isOpen = sql`deleted_at is null and (completed_at is not null) = 0`;
const isCompleted = sql`deleted_at is null and (completed_at is not null) = 1`;
const isInTrash = sql`deleted_at >= ${trashStart} and title <> ''`;

/** A contiguous part of an index: what it is sorted by, and which tasks it has. */
type Range = { key: SQL; where: SQL; index: Index };

/** The ranges that make up a list in its order; undefined where no index has this order. */
function rangesOf(shape: Shape): Range[] | undefined {
  const { status, order } = shape;
  if (status === "deleted") return [range(shape, isInTrash, "task_trash")];
  if (status === "open" && order.key === DUE) {
    return partsOf(shape).map((part) => range(shape, isOpen, "task_open_due", part));
  }
  if (status === "open" && order.key === DUE_BACKWARDS) return datedAndUndated(shape);
  if (order.key !== CREATION) return undefined;
  const statuses = { open: [isOpen], completed: [isCompleted], all: [isOpen, isCompleted] }[status];
  return statuses.map((where) => range(shape, where, "task_status_creation"));
}

/** Null for each task that is not deleted: SQLite knows that, and does not sort by it. */
const NO_KEY = sql`deleted_at`;

/** Open tasks by due date, backwards. */
function datedAndUndated(shape: Shape): Range[] {
  const byDueKey = { ...shape, order: { ...shape.order, key: DUE }, isFiltered: true };
  const dated = partsOf(shape).map((part) =>
    range(byDueKey, isOpen, "task_open_due", part === MIDDLE ? { ...MIDDLE, to: value("datedTo") } : part),
  );
  const isUndated = sql`due_key = ${value("undated")} and id < ${value("undatedBefore")}`;
  return [...dated, { key: NO_KEY, where: sql`${isOpen} and ${isUndated} and ${isWanted}`, index: "task_open_due" }];
}

/** A part of the due dates that are wanted, between two bounds. */
type Part = { from: Placeholder; to: Placeholder };

const FIRST: Part = { from: value("firstFrom"), to: value("firstTo") };
const MIDDLE: Part = { from: value("dueFrom"), to: value("dueTo") };
const TAIL: Part = { from: value("tailFrom"), to: value("tailTo") };

function partsOf({ isDivided }: Shape): Part[] {
  return isDivided ? [FIRST, MIDDLE, TAIL] : [MIDDLE];
}

/**
 * The wanted tasks of a range.
 * @param part the due dates of the range; left out, all that are wanted
 */
function range(shape: Shape, where: SQL, index: Index, part?: Part): Range {
  const { order, isLater, isFiltered } = shape;
  const { key, isBackwards } = order;
  const conditions = [where];
  if (isFiltered) {
    // SQLite would begin to read at the bound, and not at the position behind it: a plus sign keeps it from the index.
    const [from, to] = [isLater && !isBackwards ? sql`+` : sql``, isLater && isBackwards ? sql`+` : sql``];
    const dues = (part ? [part] : partsOf(shape)).map(
      (each) => sql`(${from}due_key >= ${each.from} and ${to}due_key < ${each.to})`,
    );
    conditions.push(isWanted, sql`(${sql.join(dues, sql` or `)})`);
  }
  if (isLater) {
    conditions.push(sql`(${key}, id) ${isBackwards ? sql`<` : sql`>`} (${value("atKey")}, ${value("atId")})`);
  }
  return { key, where: sql.join(conditions, sql` and `), index };
}

type Index = "task_status_creation" | "task_open_due" | "task_trash";

const isWanted = sql`(${value("priority")} is null or priority = ${value("priority")})
  and (${value("tag")} is null or exists (select 1 from json_each(tags) as tag where tag.key = ${value("tag")}))
  and (${value("q")} is null or instr(title_key, ${value("q")}) > 0
    or instr(coalesce(description_key, ''), ${value("q")}) > 0)`;
