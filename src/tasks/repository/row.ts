/** Converts between a task and its row. */
import { getTableColumns, type SQL, sql } from "drizzle-orm";
import { PRIORITIES } from "../fields.ts";
import type { Task, TaskChanges } from "../model.ts";
import { foldText } from "../text.ts";
import { task } from "./table.ts";

const { liveTotal, openTotal, bytesTotal, trashTotal, changesTotal, changesDay, bytes, ...ofTask } =
  getTableColumns(task);

/** A row without the totals. */
export type Row = Pick<typeof task.$inferSelect, keyof typeof ofTask>;

/** The columns of a row, for written-out statements: Drizzle has no INDEXED BY. */
export const columns: SQL = sql.join(
  Object.entries(ofTask).map(([name, column]) => sql`${column} as ${sql.identifier(name)}`),
  sql`, `,
);

/** The names of those columns, for a query around another. */
export const columnNames: SQL = sql.join(
  Object.keys(ofTask).map((name) => sql.identifier(name)),
  sql`, `,
);

/** The names of the columns that a task shows. */
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

/** The columns of these fields. The statement itself sets `completed_at`. */
export function toColumns({ title, description, priority, due, tags }: TaskChanges): Partial<Row> {
  return {
    ...(title !== undefined && { title, titleKey: foldText(title) }),
    ...(description !== undefined && { description, descriptionKey: description && foldText(description) }),
    ...(priority !== undefined && { priority: PRIORITIES.indexOf(priority) }),
    ...(due !== undefined && { due }),
    ...(tags !== undefined && { tags: toTagsColumn(tags) }),
  };
}

/** Equal sets of tags give equal texts. */
function toTagsColumn(tags: readonly string[]): string {
  const entries = tags.map((tag) => [foldText(tag), tag] as const);
  return JSON.stringify(Object.fromEntries(entries.toSorted(([a], [b]) => (a < b ? -1 : 1))));
}

function toInstant(milliseconds: number | null): string | null {
  return milliseconds === null ? null : new Date(milliseconds).toISOString();
}
