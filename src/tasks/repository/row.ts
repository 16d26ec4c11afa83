/** Converts between a task and its row. */
import { getTableColumns, type SQL, sql } from "drizzle-orm";
import { PRIORITIES } from "../fields.ts";
import type { Task, TaskChanges } from "../model.ts";
import { foldText } from "../text.ts";
import { task } from "./table.ts";

/** What only statements read: a row has texts for searching, which may be long, and the totals. */
const { liveTotal, openTotal, bytesTotal, trashTotal, changesTotal, changesDay, bytes, userId, dueKey, ...written } =
  getTableColumns(task);
const { titleKey, descriptionKey, ...shown } = written;

/** What a task shows. */
export type Row = Pick<typeof task.$inferSelect, keyof typeof shown>;

/** The row of a task, or nulls where a join found none. */
export type MaybeRow = Row | { [Name in keyof Row]: null };

/** All that is written of a task. */
export type WrittenRow = Pick<typeof task.$inferSelect, keyof typeof written>;

/** The columns of a row, for statements. */
export const columns: SQL = sql.join(
  Object.entries(shown).map(([name, column]) => sql`${column} as ${sql.identifier(name)}`),
  sql`, `,
);

/** The names of those columns. */
export const columnNames = Object.keys(shown);

/** The row that a join found, as a list. */
export function taskIn<Found extends MaybeRow>(row: Found): (Found & Row)[] {
  return row.id === null ? [] : [row as Found & Row];
}

export function toTask(row: Row): Task {
  return {
    id: row.id,
    title: row.title,
    description: row.description,
    completed: row.completedAt !== null,
    completedAt: toInstant(row.completedAt),
    priority: PRIORITIES[row.priority] ?? "none",
    due: row.due,
    tags: row.tags === "{}" ? [] : Object.values<string>(JSON.parse(row.tags)),
    createdAt: new Date(row.createdAt).toISOString(),
    updatedAt: new Date(row.updatedAt).toISOString(),
    deletedAt: toInstant(row.deletedAt),
    revision: row.revision,
  };
}

/** The columns of these fields. The statement itself sets `completed_at`. */
export function toColumns({ title, description, priority, due, tags }: TaskChanges): Partial<WrittenRow> {
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
