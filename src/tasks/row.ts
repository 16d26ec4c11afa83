/** Between a task as its callers know it and its row. */
import { getTableColumns, type SQL, sql } from "drizzle-orm";
import { PRIORITIES, type Task, type TaskChanges } from "./model.ts";
import { task } from "./table.ts";
import { foldText } from "./text.ts";

const { liveTotal, openTotal, bytesTotal, trashTotal, changesTotal, changesDay, bytes, ...ofTask } =
  getTableColumns(task);

/** A row, without what it says of all tasks. */
export type Row = Pick<typeof task.$inferSelect, keyof typeof ofTask>;

/** A row's columns, for statements that are written out: INDEXED BY and compound selects are beyond Drizzle. */
export const columns: SQL = sql.join(
  Object.entries(ofTask).map(([name, column]) => sql`${column} as ${sql.identifier(name)}`),
  sql`, `,
);

/** The names of those columns, for a query around such a query. */
export const columnNames: SQL = sql.join(
  Object.keys(ofTask).map((name) => sql.identifier(name)),
  sql`, `,
);

/** Those of them that a task shows. */
export const shownNames: SQL = sql.join(
  Object.keys(ofTask)
    .filter((name) => name !== "titleKey" && name !== "descriptionKey")
    .map((name) => sql.identifier(name)),
  sql`, `,
);

export function toTask(row: Row): Task {
  return {
    id: row.id,
    title: row.title,
    description: row.description,
    completed: row.completedAt !== null,
    completedAt: toInstant(row.completedAt),
    priority: PRIORITIES[row.priority] ?? "none",
    due: row.due,
    tags: Object.values<string>(JSON.parse(row.tags)),
    createdAt: new Date(row.createdAt).toISOString(),
    updatedAt: new Date(row.updatedAt).toISOString(),
    deletedAt: toInstant(row.deletedAt),
    revision: row.revision,
  };
}

/** The columns that hold these fields; whether it is completed is for the statement to say. */
export function toColumns({ title, description, priority, due, tags }: TaskChanges): Partial<Row> {
  return {
    ...(title !== undefined && { title, titleKey: foldText(title) }),
    ...(description !== undefined && { description, descriptionKey: description && foldText(description) }),
    ...(priority !== undefined && { priority: PRIORITIES.indexOf(priority) }),
    ...(due !== undefined && { due }),
    ...(tags !== undefined && { tags: toTagsColumn(tags) }),
  };
}

/** Equal sets of tags are equal texts. */
function toTagsColumn(tags: readonly string[]): string {
  const entries = tags.map((tag) => [foldText(tag), tag] as const);
  return JSON.stringify(Object.fromEntries(entries.toSorted(([a], [b]) => (a < b ? -1 : 1))));
}

function toInstant(milliseconds: number | null): string | null {
  return milliseconds === null ? null : new Date(milliseconds).toISOString();
}

/** What the columns of a task hold, in SQL, once nothing is left of it but that it was deleted. */
export const FORGOTTEN: Readonly<Record<string, string>> = {
  title: "''",
  title_key: "''",
  description: "null",
  description_key: "null",
  due: "null",
  tags: "'{}'",
  priority: "0",
  completed_at: "null",
};
