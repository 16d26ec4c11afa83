/**
 * Lists of tasks. Every list is a contiguous range of one index, or two ranges (open and completed) that SQLite merges
 * while reading: a page costs its rows, however many tasks there are. Each range names its index, so that a missing index
 * is an error and never a scan.
 */
import { type SQL, sql } from "drizzle-orm";
import { DAY_MS } from "../../time.ts";
import { PRIORITIES } from "../fields.ts";
import type { ListQuery, Task } from "../model.ts";
import type { ListResult } from "../outcomes.ts";
import { TRASH_DAYS } from "../retention.ts";
import { foldText } from "../text.ts";
import type { TaskQueryContext } from "./context.ts";
import { openCursor, sealCursor } from "./cursor.ts";
import { columnNames, columns, type Row, shownNames, toTask } from "./row.ts";
import type { Statements } from "./statements.ts";
import { NO_DUE, task } from "./table.ts";
import type { Totals } from "./totals.ts";

type Filters = Pick<ListQuery, "priority" | "tag" | "q">;
type SortedQuery = ListQuery & { sort: NonNullable<ListQuery["sort"]> };

/** An order of tasks: its columns, its direction and its index. */
type Order = {
  keys: SQL[];
  backwards: boolean;
  position: (row: Row) => (string | number)[];
  /** The index of each status. */
  index: string;
  /** The index of open and completed tasks together. Without one, the two are merged. */
  indexOfAll?: string;
};
/** A part of a list, sorted by these keys. */
type Part = { keys: SQL[]; where: (isPositioned: boolean) => SQL[] };
/** Where the next page begins: the part of the list, and the keys of the last task before it. */
type Position = { part: number; after: (string | number)[] };

const NO_TOTALS = { revision: 0, live: 0, open: 0 };
const ID = sql`id`;
const DUE = sql`due_key`;
const ORDERS: Record<"createdAt" | "due" | "priority" | "updatedAt" | "title", Omit<Order, "backwards">> = {
  createdAt: {
    keys: [sql`created_at`, ID],
    position: ({ createdAt, id }) => [createdAt, id],
    index: "task_status_creation",
    indexOfAll: "task_creation",
  },
  due: {
    keys: [DUE, ID],
    position: ({ due, id }) => [due ?? NO_DUE, id],
    index: "task_status_due",
    indexOfAll: "task_due",
  },
  priority: {
    keys: [sql`priority`, ID],
    position: ({ priority, id }) => [priority, id],
    index: "task_status_priority",
  },
  updatedAt: { keys: [sql`revision`], position: ({ revision }) => [revision], index: "task_status_change" },
  title: { keys: [sql`title_key`, ID], position: ({ titleKey, id }) => [titleKey, id], index: "task_status_title" },
};
const TRASH: Order = {
  keys: [sql`deleted_at`, ID],
  backwards: true,
  position: ({ deletedAt, id }) => [deletedAt ?? 0, id],
  index: "task_trash",
  indexOfAll: "task_trash",
};

export function createLists(context: TaskQueryContext, statements: Statements) {
  const { query: rawQuery, userId, cursorKeys, now, totals, whileSessionActive, bothWhileSessionActive } = context;

  return {
    /** Reads one task. 2 rows read. */
    async find(id: string): Promise<Task | undefined> {
      const [row] = await whileSessionActive(statements.select(id));
      return row && row.deletedAt === null ? toTask(row) : undefined;
    },

    /**
     * Reads a page. limit + 4 rows read at most.
     * @param known the revisions of the first page that the caller has. If the newest is among them, 2 rows are read
     */
    async list(
      { sort = "-createdAt", ...filters }: ListQuery,
      limit: number,
      cursor?: string,
      known?: readonly number[] | "*",
    ): Promise<ListResult> {
      const query = { ...filters, sort };
      const name = JSON.stringify(["tasks", userId, query]);
      const position = cursor === undefined ? undefined : await openCursor(cursorKeys, name, cursor);
      if (cursor !== undefined && position === undefined) return { outcome: "foreign-cursor" };
      const start: Position = position === undefined ? { part: 0, after: [] } : JSON.parse(position);
      const order = orderOf(query);
      const page = rawQuery<Row>(selectPage(query, order, start, limit));

      const newest = rawQuery<Totals>(sql`select before.* from ${totals.before()} as before`);
      // Later pages have no ETag, and neither has the trash: its contents change as time passes.
      const hasTag = !position && query.status !== "deleted";
      if (known && hasTag) {
        const [{ revision } = NO_TOTALS] = await whileSessionActive(newest);
        if (known === "*" || known.includes(revision)) return { outcome: "unchanged", revision };
      }
      const [[{ revision, live, open } = NO_TOTALS], rows] = await bothWhileSessionActive(newest, page);
      return { outcome: "page", page: { ...(await cut(rows)), total: { live, open } }, ...(hasTag && { revision }) };

      function positionOf(row: Row): Position {
        const isUndated = query.sort === "-due" && row.due === null;
        return isUndated ? { part: 1, after: [row.id] } : { part: 0, after: order.position(row) };
      }

      /** A full page always has a cursor: an empty page now and then costs less than reading one row more each time. */
      async function cut(rows: Row[]) {
        const last = rows.length === limit ? rows.at(-1) : undefined;
        const nextCursor = last ? await sealCursor(cursorKeys, name, JSON.stringify(positionOf(last))) : null;
        return { data: rows.map(toTask), nextCursor };
      }
    },

    /** Reads all tasks that are not deleted, oldest first, one query a chunk. */
    async *all(chunkRows: number): AsyncGenerator<Task[], void, undefined> {
      const query: SortedQuery = { status: "all", sort: "createdAt" };
      const order = orderOf(query);
      for (let after: Position["after"] = []; ; ) {
        const page = selectPage(query, order, { part: 0, after }, chunkRows);
        // Without the folded texts: they may be many times as long, and no export holds them.
        const rows = await whileSessionActive(rawQuery<Row>(sql`select ${shownNames} from (${page})`));
        yield rows.map(toTask);
        const last = rows.at(-1);
        if (rows.length < chunkRows || !last) return;
        after = order.position(last);
      }
    },
  };

  function selectPage(query: SortedQuery, order: Order, start: Position, limit: number): SQL {
    const [first, ...rest] = partsOf(query, order)
      .slice(start.part)
      .map((part, index) => selectPart(query, order, part, index === 0 ? start.after : [], limit));
    if (!first || rest.length === 0) return first ?? sql``;
    // SQLite reads the second part only for what the first leaves of the page.
    const parts = [first, ...rest].map((part) => sql`select ${columnNames} from (${part})`);
    return sql`${sql.join(parts, sql` union all `)} limit ${limit}`;
  }

  /** Selects one range, or two ranges that are merged while they are read. */
  function selectPart(query: SortedQuery, order: Order, part: Part, after: Position["after"], limit: number): SQL {
    const filters = [...part.where(after.length > 0), ...filtersOf(query)];
    if (after.length > 0) {
      const values = sql.join(
        after.map((value) => sql`${value}`),
        sql`, `,
      );
      filters.push(sql`(${sql.join(part.keys, sql`, `)}) ${order.backwards ? sql`<` : sql`>`} (${values})`);
    }
    const names = part.keys.map((_, index) => sql.identifier(`key${index}`));
    const keys = part.keys.map((key, index) => sql`, ${key} as ${names[index]}`);
    const ranges = rangesOf(query, order).map(
      ({ index, where }) => sql`select ${columns}${sql.join(keys)} from ${task} indexed by ${sql.identifier(index)}
        where user_id = ${userId} and ${sql.join([where, ...filters], sql` and `)}`,
    );
    const direction = order.backwards ? sql` desc` : sql``;
    const by = sql.join(
      names.map((name) => sql`${name}${direction}`),
      sql`, `,
    );
    return sql`${sql.join(ranges, sql` union all `)} order by ${by} limit ${limit}`;
  }

  function rangesOf({ status }: SortedQuery, { index, indexOfAll }: Order): { index: string; where: SQL }[] {
    if (status === "deleted")
      return [{ index, where: sql`deleted_at >= ${now() - TRASH_DAYS * DAY_MS} and title <> ''` }];
    if (status === "all" && indexOfAll) return [{ index: indexOfAll, where: sql`deleted_at is null` }];
    const open = { index, where: sql`deleted_at is null and (completed_at is not null) = 0` };
    const completed = { index, where: sql`deleted_at is null and (completed_at is not null) = 1` };
    return { open: [open], completed: [completed], all: [open, completed] }[status];
  }
}

function orderOf({ status, sort }: SortedQuery): Order {
  if (status === "deleted") return TRASH;
  const backwards = sort.startsWith("-");
  return { ...ORDERS[(backwards ? sort.slice(1) : sort) as keyof typeof ORDERS], backwards };
}

/** Tasks without a due date sort last, except in reverse order: there they form a part of their own. */
function partsOf(query: SortedQuery, { keys, backwards }: Order): Part[] {
  const { sort, dueBefore, dueAfter } = query;
  const isByDue = sort === "due" || sort === "-due";
  const isDated = sort === "-due" || dueBefore !== undefined || dueAfter !== undefined;
  const upper = dueBefore ?? (isDated ? NO_DUE : undefined);

  // A bound before the position is left out: SQLite would begin to read at the bound.
  function where(isPositioned: boolean): SQL[] {
    const isBehind = isByDue && isPositioned;
    const bounds: SQL[] = [];
    if (dueAfter !== undefined && !(isBehind && !backwards)) bounds.push(sql`${DUE} >= ${dueAfter}`);
    if (upper !== undefined && !(isBehind && backwards)) bounds.push(sql`${DUE} < ${upper}`);
    return bounds;
  }

  const dated: Part = { keys, where };
  if (sort !== "-due" || dueBefore !== undefined || dueAfter !== undefined) return [dated];
  return [dated, { keys: [ID], where: () => [sql`${DUE} = ${NO_DUE}`] }];
}

function filtersOf({ priority, tag, q }: Filters): SQL[] {
  const filters: SQL[] = [];
  if (priority !== undefined) filters.push(sql`priority = ${PRIORITIES.indexOf(priority)}`);
  if (tag !== undefined) filters.push(sql`exists (select 1 from json_each(tags) where key = ${foldText(tag)})`);
  if (q !== undefined) {
    const wanted = foldText(q);
    filters.push(sql`(instr(title_key, ${wanted}) > 0 or instr(coalesce(description_key, ''), ${wanted}) > 0)`);
  }
  return filters;
}
