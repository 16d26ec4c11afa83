/** Imports tasks into a user's list, each once, however often it is imported. */
import { sql } from "drizzle-orm";
import { session } from "../../auth/tables.ts";
import { withRetries } from "../../db/retry.ts";
import { statement } from "../../db/statement.ts";
import type { ImportedTask } from "../model.ts";
import type { ImportResult, OverQuota } from "../outcomes.ts";
import { KEYS_VERSION } from "../text.ts";
import { maxBytes, maxChanges, maxTasks, userId, value } from "./bindings.ts";
import { sessionIsActive, type TaskQueryContext } from "./context.ts";
import { toColumns, type WrittenRow } from "./row.ts";
import { bytesOf } from "./statements.ts";
import { task } from "./table.ts";
import { exceededQuota, type QuotaName, type Totals, totalsAfter, totalsBefore } from "./totals.ts";

/** The rows of one statement, and the bytes of its parameter: D1 allows 2 MB. */
const CHUNK_ROWS = 250;
const CHUNK_BYTES = 500_000;

/** A task as it is inserted, with the bytes of its text. */
type ImportRow = ReturnType<typeof rowOf>;

/** The columns that an import writes. */
const IMPORTED = [
  "id",
  "title",
  "titleKey",
  "sortKey",
  "description",
  "descriptionKey",
  "priority",
  "due",
  "tags",
  "completedAt",
  "createdAt",
  "updatedAt",
  "keysVersion",
  "uid",
  "kept",
] as const satisfies (keyof ImportRow & keyof WrittenRow)[];

const TOTALS = statement<Totals>(sql`select before.* from ${totalsBefore} as before`);

/**
 * SQLite runs a cross join in the order in which it is written: it looks each id up and reads no other task.
 * @see https://www.sqlite.org/optoverview.html#crossjoin
 */
const EXISTING = statement<{ id: string }>(
  sql`select ${task.id} as id from json_each(${value("ids")}) as item
    cross join ${task} on ${task.userId} = ${userId} and ${task.id} = item.value`,
);

const INSERT_MANY = statement<{ id: string }>(insertMany());

function insertMany() {
  const growth = { open: sql`line.opens`, bytes: sql`line.bytes` };
  // Each row is one more live task; `line.n` is its number in this statement.
  const totals = totalsAfter(growth, sql`line.n`).map(([name, total]): [string, typeof total] =>
    name === "live_total" ? [name, sql`before.live + line.n`] : [name, total],
  );
  const names = [...IMPORTED.map((name) => task[name].name), ...totals.map(([name]) => name)];
  const values = [
    ...IMPORTED.map((name) => sql`line.value ->> ${sql.raw(`'${name}'`)}`),
    ...totals.map(([, total]) => total),
  ];
  return sql`insert into ${task} (user_id, ${sql.join(
    names.map((name) => sql.identifier(name)),
    sql`, `,
  )})
    select ${session.userId}, ${sql.join(values, sql`, `)}
    from ${session}, ${totalsBefore} as before, (
      select item.value as value, row_number() over (order by item.key) as n,
        sum(item.value ->> 'completedAt' is null) over (order by item.key) as opens,
        sum(item.value ->> 'bytes') over (order by item.key) as bytes
      from json_each(${value("rows")}) as item
      where not exists (
        select 1 from ${task} where ${task.userId} = ${userId} and ${task.id} = item.value ->> 'id')
    ) as line
    where ${sessionIsActive} and before.live + line.n <= ${maxTasks}
      and before.bytes + line.bytes <= ${maxBytes} and before.changes + line.n <= ${maxChanges}
    returning id`;
}

export function createImport(context: TaskQueryContext) {
  const { now, quotas, whileSessionActive } = context;

  return importTasks;

  /**
   * Imports the tasks whose ids are free; a task with that id, also a deleted one, stays as it is. So an interrupted import
   * is completed by repeating it. Tasks that together exceed a quota are refused together.
   * @param tasks each id once
   * @param isDryRun whether nothing is written, and only the result is found out
   */
  async function importTasks(tasks: ImportedTask[], isDryRun = false): Promise<ImportResult> {
    const at = now();
    const sizes = tasks.map((task) => ({ id: task.id, bytes: bytesOf(columnsOf(task)) }));
    const former = await findExisting(sizes);
    if (former.refusal) return former.refusal;
    const fresh = tasks.filter(({ id }) => !former.ids.has(id));
    if (isDryRun) return { outcome: "imported", ids: new Set(fresh.map(({ id }) => id)) };
    const inserted = new Set<string>();
    let attempts = 0;
    let chunks = 0;
    for (const chunk of chunksOf(fresh, at)) {
      chunks += 1;
      const insert = () => {
        attempts += 1;
        return whileSessionActive({ statement: INSERT_MANY, values: { rows: JSON.stringify(chunk) } });
      };
      const [created] = await withRetries(insert);
      for (const { id } of created) inserted.add(id);
    }
    if (inserted.size === fresh.length) return { outcome: "imported", ids: inserted };
    // An answer was lost, or other changes used the quota: read again what exists.
    const latter = await findExisting(sizes);
    if (latter.refusal) return latter.refusal;
    if (latter.ids.size < tasks.length) throw new Error("D1_ERROR: the tasks have changed meanwhile");
    // Without a retry, tasks that were not inserted here were inserted by another import.
    return { outcome: "imported", ids: attempts > chunks ? new Set(fresh.map(({ id }) => id)) : inserted };
  }

  /** Finds which of these tasks exist, and which quota the others would exceed together. */
  async function findExisting(sizes: { id: string; bytes: number }[]) {
    const wanted = JSON.stringify(sizes.map(({ id }) => id));
    const [[found], present] = await withRetries(() =>
      whileSessionActive({ statement: TOTALS, values: {} }, { statement: EXISTING, values: { ids: wanted } }),
    );
    const ids = new Set(present.map(({ id }) => id));
    const fresh = sizes.filter(({ id }) => !ids.has(id));
    return { ids, refusal: found && fresh.length > 0 ? refusalOf(fresh, found) : undefined };
  }

  function refusalOf(fresh: { bytes: number }[], found: Totals): OverQuota | undefined {
    const size = fresh.reduce((sum, { bytes }) => sum + bytes, 0);
    const over = (name: QuotaName) => ({ outcome: "over-quota" as const, quota: exceededQuota(context, name, found) });
    if (found.live + fresh.length > quotas.tasks) return over("tasks");
    if (found.bytes + size > quotas.bytes) return over("bytes");
    return found.changes + fresh.length > quotas.changesPerDay ? over("changesPerDay") : undefined;
  }
}

function columnsOf({ title, description, priority, due, tags, uid, iCalendar = [] }: ImportedTask) {
  return {
    ...toColumns({ title, description, priority, due, tags }),
    uid: uid ?? null,
    kept: iCalendar.length > 0 ? JSON.stringify(iCalendar) : null,
    keysVersion: KEYS_VERSION,
  };
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
