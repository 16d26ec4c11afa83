/**
 * The statements of lists. A list by creation, and open tasks by due date, are contiguous ranges of an index: a page costs
 * its rows. Any other order reads the user's live tasks once and keeps the page: docs/costs.md tells why. A statement names
 * its index, so that a missing index is an error and never a scan.
 */
import { type SQL, sql } from "drizzle-orm";
import { type Statement, statement } from "../../db/statement.ts";
import type { ListQuery } from "../model.ts";
import { trashStart, userId, value } from "./bindings.ts";
import { columnNames, columns, type Row } from "./row.ts";
import { task } from "./table.ts";
import { summary } from "./totals.ts";

/** A row of a list: first the summary (totals.ts), then a task in each, with the key that it is sorted by. */
export type ListRow = Row & { key: string | number | null; summary: string | null };

/** Where a page begins: behind the task with this key and id. */
export type Position = [key: string | number, id: string];

/** What tasks are sorted by before their ids, as SQL. */
export type Order = { key: SQL; isBackwards: boolean };

/** Sorts after every due date and after NO_DUE; as an id, after every id. */
export const LAST = "\u007f";

const CREATION = sql`created_at`;
const DUE = sql`due_key`;
/** Backwards too, tasks without a due date are last. */
const DUE_BACKWARDS = sql`coalesce(due, '')`;
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
  title: { key: sql`title_key`, isBackwards: false },
};

/** The order of a list. The trash has one of its own. */
export function orderOf(status: ListQuery["status"], sort: keyof typeof ORDERS): Order {
  return status === "deleted" ? BY_DELETION : ORDERS[sort];
}

type Shape = { status: ListQuery["status"]; order: Order; isLater: boolean };

const BUILT = new Map<Order, Map<string, Statement<ListRow>>>();

/**
 * The statement of a list. Each is built when it is first needed; all that it does not name here is bound.
 * @param isLater whether the page begins behind a position
 */
export function listStatement(status: ListQuery["status"], order: Order, isLater: boolean): Statement<ListRow> {
  const ofOrder = BUILT.get(order) ?? new Map<string, Statement<ListRow>>();
  BUILT.set(order, ofOrder);
  const key = `${status} ${isLater}`;
  const built = ofOrder.get(key) ?? statement<ListRow>(list({ status, order, isLater }));
  ofOrder.set(key, built);
  return built;
}

/**
 * The summary and the ranges, merged while SQLite reads them. A range that its index does not sort is sorted. The limit
 * stands outside, since SQLite would count each task twice to keep the first of them.
 */
function list(shape: Shape): SQL {
  const { isBackwards } = shape.order;
  // The summary is the first row: null comes before all other keys, and a blob after them.
  const first = isBackwards ? sql`x''` : sql`null`;
  const head = sql`select ${first} as key, ${sql.join(
    columnNames.map((name) => (name === "id" ? sql`'' as id` : sql`null as ${sql.identifier(name)}`)),
    sql`, `,
  )}, ${summary} as summary from ${task} where user_id = ${userId}`;
  const direction = isBackwards ? sql` desc` : sql``;
  return sql`select * from (${sql.join([head, ...rangesOf(shape)], sql` union all `)}
    order by key${direction}, id${direction}) limit ${value("limit")} + 1`;
}

const isOpen = sql`deleted_at is null and (completed_at is not null) = 0`;
const isCompleted = sql`deleted_at is null and (completed_at is not null) = 1`;
const isInTrash = sql`deleted_at >= ${trashStart} and title <> ''`;

function rangesOf(shape: Shape): SQL[] {
  const { status, order } = shape;
  if (status === "deleted") return [range(shape, isInTrash, "task_trash")];
  if (status === "open" && order.key === DUE) return [range(shape, isOpen, "task_open_due")];
  if (status === "open" && order.key === DUE_BACKWARDS) return datedAndUndated(shape);
  if (status === "all" && order.key === CREATION) {
    return [isOpen, isCompleted].map((where) => range(shape, where, "task_status_creation"));
  }
  const where = { open: isOpen, completed: isCompleted, all: sql`deleted_at is null` }[status];
  return [range(shape, where, "task_status_creation")];
}

/** Null for each task that is not deleted: SQLite knows that, and does not sort by it. */
const NO_KEY = sql`deleted_at`;

/** Open tasks by due date, backwards: two ranges of the index. */
function datedAndUndated(shape: Shape): SQL[] {
  const dated = range({ ...shape, order: { ...shape.order, key: DUE } }, isOpen, "task_open_due", value("datedTo"));
  const undated = sql`due_key = ${value("undated")} and id < ${value("undatedBefore")}`;
  return [dated, select(NO_KEY, sql`${isOpen} and ${undated} and ${isWanted}`, "task_open_due")];
}

/** The wanted tasks of a range. */
function range({ order, isLater }: Shape, where: SQL, index: Index, dueTo = value("dueTo")): SQL {
  const { key, isBackwards } = order;
  const isBehind = isBackwards ? sql`<` : sql`>`;
  // SQLite would begin to read at the bound, and not at the position behind it: a plus sign keeps a bound from the index.
  const [from, to] = [isLater && !isBackwards ? sql`+` : sql``, isLater && isBackwards ? sql`+` : sql``];
  const conditions = [
    where,
    isWanted,
    sql`${from}due_key >= ${value("dueFrom")} and ${to}due_key < ${dueTo}`,
    ...(isLater ? [sql`(${key}, id) ${isBehind} (${value("atKey")}, ${value("atId")})`] : []),
  ];
  return select(key, sql.join(conditions, sql` and `), index);
}

type Index = "task_status_creation" | "task_open_due" | "task_trash";

function select(key: SQL, where: SQL, index: Index): SQL {
  return sql`select ${key} as key, ${columns}, null as summary from ${task} indexed by ${sql.identifier(index)}
    where user_id = ${userId} and ${where}`;
}

const isWanted = sql`(${value("priority")} is null or priority = ${value("priority")})
  and (${value("tag")} is null or exists (select 1 from json_each(tags) as tag where tag.key = ${value("tag")}))
  and (${value("q")} is null or instr(title_key, ${value("q")}) > 0
    or instr(coalesce(description_key, ''), ${value("q")}) > 0)`;
