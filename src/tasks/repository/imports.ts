/** Imports tasks into a user's list, each once, however often it is imported. */
import { sql } from "drizzle-orm";
import { session } from "../../auth/tables.ts";
import { withRetries } from "../../db/retry.ts";
import type { ImportedTask } from "../model.ts";
import type { ImportResult, OverQuota } from "../outcomes.ts";
import type { TaskQueryContext } from "./context.ts";
import { type Row, toColumns } from "./row.ts";
import { bytesOf } from "./statements.ts";
import { task } from "./table.ts";
import type { QuotaName, Totals } from "./totals.ts";

/** The rows of one statement, and the bytes of its parameter: D1 allows 2 MB. */
const CHUNK_ROWS = 250;
const CHUNK_BYTES = 500_000;

/** A task as it is inserted, with the bytes of its text. */
type ImportRow = ReturnType<typeof rowOf>;

export function createImport(context: TaskQueryContext) {
  const { query, userId, now, sessionIsActive, totals, whileSessionActive, bothWhileSessionActive } = context;

  return importTasks;

  /**
   * Imports the tasks whose ids are free; a task with that id, also a deleted one, stays as it is. So an interrupted import
   * is completed by repeating it. Tasks that together exceed a quota are refused together.
   * @param tasks each id once
   */
  async function importTasks(tasks: ImportedTask[]): Promise<ImportResult> {
    const at = now();
    const sizes = tasks.map((task) => ({ id: task.id, bytes: bytesOf(columnsOf(task)) }));
    const former = await findExisting(sizes);
    if (former.refusal) return former.refusal;
    const fresh = tasks.filter(({ id }) => !former.ids.has(id));
    const inserted = new Set<string>();
    let attempts = 0;
    let chunks = 0;
    for (const chunk of chunksOf(fresh, at)) {
      chunks += 1;
      const insert = () => {
        attempts += 1;
        return whileSessionActive(insertMany(chunk));
      };
      for (const { id } of await withRetries(insert)) inserted.add(id);
    }
    if (inserted.size === fresh.length) return { outcome: "imported", ids: inserted };
    // An answer was lost, or other changes used the quota: read again what exists.
    const latter = await findExisting(sizes);
    if (latter.refusal) return latter.refusal;
    if (latter.ids.size < tasks.length) throw new Error("D1_ERROR: the tasks have changed meanwhile");
    // Without a retry, tasks that were not inserted here were inserted by another import.
    return { outcome: "imported", ids: attempts > chunks ? new Set(fresh.map(({ id }) => id)) : inserted };
  }

  /**
   * Finds which of these tasks exist, and which quota the others would exceed together.
   * SQLite runs a cross join in the order in which it is written: it looks each id up and reads no other task.
   * @see https://www.sqlite.org/optoverview.html#crossjoin
   */
  async function findExisting(sizes: { id: string; bytes: number }[]) {
    const wanted = JSON.stringify(sizes.map(({ id }) => id));
    const read = () =>
      bothWhileSessionActive(
        query<Totals>(sql`select before.* from ${totals.before()} as before`),
        query<{ id: string }>(
          sql`select ${task.id} as id from json_each(${wanted}) as item
            cross join ${task} on ${task.userId} = ${userId} and ${task.id} = item.value`,
        ),
      );
    const [[found], present] = await withRetries(read);
    const ids = new Set(present.map(({ id }) => id));
    const fresh = sizes.filter(({ id }) => !ids.has(id));
    return { ids, refusal: found && fresh.length > 0 ? refusalOf(fresh, found) : undefined };
  }

  function refusalOf(fresh: { bytes: number }[], found: Totals): OverQuota | undefined {
    const size = fresh.reduce((sum, { bytes }) => sum + bytes, 0);
    const { tasks, bytes, changesPerDay } = totals.quotas;
    const over = (name: QuotaName) => ({ outcome: "over-quota" as const, quota: totals.exceededQuota(name, found) });
    if (found.live + fresh.length > tasks) return over("tasks");
    if (found.bytes + size > bytes) return over("bytes");
    return found.changes + fresh.length > changesPerDay ? over("changesPerDay") : undefined;
  }

  function insertMany(rows: ImportRow[]) {
    const names = Object.keys(rows[0] ?? {}).filter((name) => name !== "bytes") as (keyof ImportRow & keyof Row)[];
    const targets = names.map((name) => sql.identifier(task[name].name));
    const values = names.map((name) => sql`line.value ->> ${name}`);
    const growth = { live: 1, open: sql`line.opens`, bytes: sql`line.bytes` };
    const after = totals.after({ ...growth, live: 0 }, sql`line.n`);
    const totalNames = after.map(([name]) => sql.identifier(name));
    const totalValues = after.map(([name, value]) => (name === "live_total" ? sql`before.live + line.n` : value));
    return query<{ id: string }>(
      sql`insert into ${task} (user_id, ${sql.join([...targets, ...totalNames], sql`, `)})
        select ${session.userId}, ${sql.join([...values, ...totalValues], sql`, `)}
        from ${session}, ${totals.beforeCreating()} as before, (
          select item.value as value, row_number() over (order by item.key) as n,
            sum(item.value ->> 'completedAt' is null) over (order by item.key) as opens,
            sum(item.value ->> 'bytes') over (order by item.key) as bytes
          from json_each(${JSON.stringify(rows)}) as item
          where not exists (
            select 1 from ${task} where ${task.userId} = ${userId} and ${task.id} = item.value ->> 'id')
        ) as line
        where ${sessionIsActive()} and before.live + line.n <= ${totals.quotas.tasks}
          and before.bytes + line.bytes <= ${totals.quotas.bytes}
          and before.changes + line.n <= ${totals.quotas.changesPerDay}
        returning id`,
    );
  }
}

function columnsOf({ title, description, priority, due, tags }: ImportedTask): Partial<Row> {
  return toColumns({ title, description, priority, due, tags });
}

/** @param createdBy when the task was created, if the file does not say: tasks keep the order of their file */
function rowOf(imported: ImportedTask, at: number, createdBy: number) {
  const { id, completed, completedAt, createdAt } = imported;
  const completion = completed ? (completedAt ? Date.parse(completedAt) : at) : null;
  const creation = createdAt ? Date.parse(createdAt) : createdBy;
  const columns = columnsOf(imported);
  return { ...columns, id, completedAt: completion, createdAt: creation, updatedAt: at, bytes: bytesOf(columns) };
}

/** Rows are built just before they are inserted: with folded texts, a file may be many times as long. */
function* chunksOf(tasks: ImportedTask[], at: number): Generator<ImportRow[], void, undefined> {
  let chunk: ImportRow[] = [];
  let left = CHUNK_BYTES;
  for (const [index, imported] of tasks.entries()) {
    const row = rowOf(imported, at, at - tasks.length + index);
    const size = Buffer.byteLength(JSON.stringify(row));
    if (chunk.length > 0 && (size > left || chunk.length === CHUNK_ROWS)) {
      yield chunk;
      chunk = [];
      left = CHUNK_BYTES;
    }
    chunk.push(row);
    left -= size;
  }
  if (chunk.length > 0) yield chunk;
}
