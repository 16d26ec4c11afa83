/** Lists of tasks, and one task. */
import { sql } from "drizzle-orm";
import { session } from "../../auth/tables.ts";
import { type Statement, statement, type Values } from "../../db/statement.ts";
import { PRIORITIES } from "../fields.ts";
import type { ExportedTask, ListQuery, Task } from "../model.ts";
import type { ListResult } from "../outcomes.ts";
import { foldText } from "../text.ts";
import { isTask } from "./change-kinds.ts";
import { sessionIsActive, type TaskQueryContext } from "./context.ts";
import { openCursor, sealCursor } from "./cursor.ts";
import { dueRangeOf, LAST } from "./due-range.ts";
import { type ListRow, listStatement, orderOf, type Position } from "./list-statements.ts";
import { columns, type ExportRow, type MaybeRow, taskIn, toExportedTask, toTask } from "./row.ts";
import { NO_DUE, task } from "./table.ts";
import { parseSummary, readSummary } from "./totals.ts";

const FIND = statement<MaybeRow>(
  sql`select ${columns} from ${session} left join ${task} on ${isTask}
    where ${sessionIsActive}`,
);

export function createLists(context: TaskQueryContext) {
  const { userId, cursorKeys, run, runInSession } = context;

  return {
    /** Reads one task. 2 rows read. */
    async find(id: string): Promise<Task | undefined> {
      const [row] = (await runInSession(FIND, { id })).flatMap(taskIn);
      return row && row.deletedAt === null ? toTask(row) : undefined;
    },

    /**
     * Reads a page: limit + 4 rows at most by creation, and open tasks by due date. In another order, the user's live tasks.
     * @param known the revisions of the first page that the caller has. If the newest is among them, 2 rows are read
     */
    async list(
      { sort = "-createdAt", ...filters }: ListQuery,
      limit: number,
      cursor?: string,
      known?: readonly number[] | "*",
    ): Promise<ListResult> {
      const query = { ...filters, sort };
      const { status, ...wanted } = filters;
      const name = JSON.stringify(["list", userId, query]);
      const position = cursor === undefined ? undefined : await openPosition(name, cursor);
      if (cursor !== undefined && position === undefined) return { outcome: "foreign-cursor" };
      // Later pages have no ETag, and neither has the trash: its contents change as time passes.
      const hasTag = !position && status !== "deleted";
      if (known && hasTag) {
        const { revision } = await readSummary(context);
        if (known === "*" || known.includes(revision)) return { outcome: "unchanged", revision };
      }
      const range = dueRangeOf(query);
      const page = listStatement({
        status,
        order: orderOf(status, sort),
        isLater: position !== undefined,
        isFiltered: Object.keys(wanted).length > 0,
        isDivided: range.firstTo !== "" || range.tailTo !== "",
      });
      const values = { ...range, ...valuesOf(query, limit, position) };
      const [{ revision, live, open }, rows] = await readPage(page, values);
      // A full page always has a cursor: an empty page now and then costs less than reading one row more each time.
      const last = rows.length === limit ? rows.at(-1) : undefined;
      const nextCursor = last ? await sealCursor(cursorKeys, name, JSON.stringify(positionOf(last))) : null;
      const data = { data: rows.map(toTask), nextCursor, total: { live, open } };
      return { outcome: "page", page: data, ...(hasTag && { revision }) };
    },

    /** Reads all tasks that are not deleted, oldest first, one query a chunk. */
    async *all(chunkRows: number): AsyncGenerator<ExportedTask[], void, undefined> {
      const query = { status: "all", sort: "createdAt" } as const;
      const order = orderOf(query.status, query.sort);
      const shape = { status: query.status, order, isFiltered: false, isDivided: false, isExport: true };
      for (let position: Position | undefined; ; ) {
        const page = listStatement({ ...shape, isLater: position !== undefined });
        const [, rows] = await readPage(page, valuesOf(query, chunkRows, position));
        yield (rows as (ListRow & ExportRow)[]).map(toExportedTask);
        const last = rows.at(-1);
        if (rows.length < chunkRows || !last) return;
        position = positionOf(last);
      }
    },
  };

  async function readPage(page: Statement<ListRow>, values: Values) {
    const [head, ...rows] = await run({ statement: page, values });
    return [parseSummary(head), rows] as const;
  }

  async function openPosition(list: string, cursor: string): Promise<Position | undefined> {
    const text = await openCursor(cursorKeys, list, cursor);
    return text === undefined ? undefined : JSON.parse(text);
  }
}

function positionOf({ key, id }: ListRow): Position {
  return [key ?? "", id];
}

/** The values of a list's statement. */
function valuesOf(query: ListQuery, limit: number, position: Position | undefined): Values {
  const { sort, priority, tag, q } = query;
  const isDated = query.dueAfter !== undefined || query.dueBefore !== undefined;
  const [atKey = "", atId = ""] = position ?? [];
  const isBehindDates = sort === "-due" && position !== undefined && atKey === "";
  return {
    limit,
    atKey,
    atId,
    priority: priority === undefined ? null : PRIORITIES.indexOf(priority),
    tag: tag === undefined ? null : foldText(tag),
    q: q === undefined ? null : foldText(q),
    undated: isDated ? "" : NO_DUE,
    undatedBefore: isBehindDates ? atId : LAST,
  };
}
