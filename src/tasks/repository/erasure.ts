/** Which columns of a task hold contents, and what stands in them once a deleted task is erased. */
import { getTableColumns } from "drizzle-orm";
import type { SQLiteColumn, SQLiteTable } from "drizzle-orm/sqlite-core";
import { task } from "./table.ts";

/**
 * The columns that a tombstone keeps: whose it is, its place in the change feed, its times, and the user's totals. Every
 * other column holds contents, also one that is added later.
 */
const KEPT: readonly string[] = [
  task.userId,
  task.id,
  task.revision,
  task.createdAt,
  task.updatedAt,
  task.deletedAt,
  task.liveTotal,
  task.openTotal,
  task.bytesTotal,
  task.trashTotal,
  task.changesTotal,
  task.changesDay,
  task.keysVersion,
].map(({ name }) => name);

/** SQL for the empty value of each column with contents, by the column's name. */
export function emptyContents(table: SQLiteTable): Record<string, string> {
  const columns = Object.values<SQLiteColumn>(getTableColumns(table));
  const contents = columns.filter(({ name, generated }) => !generated && !KEPT.includes(name));
  return Object.fromEntries(contents.map((column) => [column.name, emptyValue(column)]));
}

function emptyValue({ notNull, default: initial, dataType }: SQLiteColumn): string {
  if (!notNull) return "null";
  if (typeof initial === "number") return String(initial);
  if (typeof initial === "string") return `'${initial}'`;
  return dataType === "number" ? "0" : "''";
}
