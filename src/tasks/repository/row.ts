/** Converts between a task and its row. */
import { getTableColumns, type SQL, sql } from "drizzle-orm";
import { PRIORITIES } from "../fields.ts";
import type { ExportedTask, Task, TaskChanges } from "../model.ts";
import { foldText, sortKey } from "../text.ts";
import { task } from "./table.ts";

/** What only statements read: a row has texts for searching, which may be long, and the totals. */
const { liveTotal, openTotal, bytesTotal, trashTotal, changesTotal, changesDay, bytes, userId, dueKey, ...written } =
  getTableColumns(task);
const { titleKey, descriptionKey, sortKey: _, keysVersion, uid, kept, ...shown } = written;

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

/** What a task has from another program. Exports write it again. */
export type ExportRow = Row & Pick<typeof task.$inferSelect, "uid" | "kept">;

export const exportColumns = sql`${columns}, ${uid} as uid, ${kept} as kept`;
export const exportColumnNames = [...columnNames, "uid", "kept"];

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
    tags: tagsIn(row.tags),
    createdAt: new Date(row.createdAt).toISOString(),
    updatedAt: new Date(row.updatedAt).toISOString(),
    deletedAt: toInstant(row.deletedAt),
    revision: row.revision,
  };
}

export function toExportedTask(row: ExportRow): ExportedTask {
  const { uid, kept } = row;
  return {
    ...toTask(row),
    ...(uid !== null && { uid }),
    ...(kept !== null && { iCalendar: JSON.parse(kept) as string[] }),
  };
}

/** The columns of these fields. The statement itself sets `completed_at`. */
export function toColumns({ title, description, priority, due, tags }: TaskChanges): Partial<WrittenRow> {
  return {
    ...(title !== undefined && { title, ...titleKeys(title) }),
    ...(description !== undefined && { description, descriptionKey: description && foldText(description) }),
    ...(priority !== undefined && { priority: PRIORITIES.indexOf(priority) }),
    ...(due !== undefined && { due }),
    ...(tags !== undefined && { tags: toTagsColumn(tags) }),
  };
}

function titleKeys(title: string) {
  return { titleKey: foldText(title), sortKey: sortKey(title) };
}

/** The keys of a row that were made by other rules, and its tags under their new ones. */
export function renewedKeys({ title, description, tags }: Pick<WrittenRow, "title" | "description" | "tags">) {
  const renewed = new Map<string, string>();
  // Two tags that are the same now are both kept: the second under its own name.
  for (const tag of tagsIn(tags)) renewed.set(renewed.has(foldText(tag)) ? tag : foldText(tag), tag);
  return { ...titleKeys(title), descriptionKey: description && foldText(description), tags: toText(renewed) };
}

/** Equal sets of tags give equal texts. */
function toTagsColumn(tags: readonly string[]): string {
  return toText(tags.map((tag) => [foldText(tag), tag] as const));
}

function toText(tags: Iterable<readonly [key: string, tag: string]>): string {
  return JSON.stringify(Object.fromEntries([...tags].sort(([a], [b]) => (a < b ? -1 : 1))));
}

function tagsIn(column: string): string[] {
  return column === "{}" ? [] : Object.values<string>(JSON.parse(column));
}

function toInstant(milliseconds: number | null): string | null {
  return milliseconds === null ? null : new Date(milliseconds).toISOString();
}
