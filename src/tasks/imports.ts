/** Puts tasks from elsewhere into a user's list, each once however often it is imported. */
import { sql } from "drizzle-orm";
import { session } from "../auth/tables.ts";
import { retrying } from "../db/retry.ts";
import type { ImportedTask } from "./model.ts";
import { type Row, toColumns } from "./row.ts";
import type { TaskScope } from "./scope.ts";
import { bytesOf } from "./statements.ts";
import { task } from "./table.ts";
import type { ExceededQuota, QuotaName, Totals } from "./totals.ts";

/** A statement takes so many rows, and a parameter of so many bytes: D1 allows 2 MB. */
const CHUNK_ROWS = 250;
const CHUNK_BYTES = 500_000;

export type ToImport = ImportedTask & { id: string };

/** What came of an import. */
export type Imported = { outcome: "imported"; ids: Set<string> } | { outcome: "over-quota"; quota: ExceededQuota };

/** A task as it is inserted, with the bytes of its text. */
type ImportRow = ReturnType<typeof rowOf>;

export function createImports({ raw, userId, now, isLive, totals, whileLive, bothWhileLive }: TaskScope) {
  return {
    /**
     * Imports tasks that are not there yet, in one statement for so many. Ids that are taken, be it by a deleted task, stay
     * as they are; so an import that was cut off is finished by another. What does not fit into the quotas is refused whole.
     * @param tasks each id once
     */
    async import(tasks: ToImport[]): Promise<Imported> {
      const at = now();
      const sizes = tasks.map((task) => ({ id: task.id, bytes: bytesOf(columnsOf(task)) }));
      const former = await look(sizes);
      if (former.refusal) return former.refusal;
      const fresh = tasks.filter(({ id }) => !former.ids.has(id));
      const inserted = new Set<string>();
      let attempts = 0;
      let chunks = 0;
      for (const chunk of chunksOf(fresh, at)) {
        chunks += 1;
        const insert = () => {
          attempts += 1;
          return whileLive(insertMany(chunk));
        };
        for (const { id } of await retrying(insert)) inserted.add(id);
      }
      if (inserted.size === fresh.length) return { outcome: "imported", ids: inserted };
      // An answer was lost on the way, or others took the room: what is there now tells.
      const latter = await look(sizes);
      if (latter.refusal) return latter.refusal;
      if (latter.ids.size < tasks.length) throw new Error("D1_ERROR: the tasks have changed meanwhile");
      // Others import what was not inserted here, unless it was, and the answer was lost.
      return { outcome: "imported", ids: attempts > chunks ? new Set(fresh.map(({ id }) => id)) : inserted };
    },
  };

  /**
   * Which of these tasks are there, and which quota the others would exceed, all together.
   * A cross join is done in the order that it is written in: each id is looked up, and no other task is read.
   * @see https://www.sqlite.org/optoverview.html#crossjoin
   */
  async function look(sizes: { id: string; bytes: number }[]) {
    const wanted = JSON.stringify(sizes.map(({ id }) => id));
    const query = () =>
      bothWhileLive(
        raw<Totals>(sql`select before.* from ${totals.before()} as before`),
        raw<{ id: string }>(
          sql`select ${task.id} as id from json_each(${wanted}) as item
            cross join ${task} on ${task.userId} = ${userId} and ${task.id} = item.value`,
        ),
      );
    const [[found], present] = await retrying(query);
    const ids = new Set(present.map(({ id }) => id));
    const fresh = sizes.filter(({ id }) => !ids.has(id));
    return { ids, refusal: found && fresh.length > 0 ? refusalOf(fresh, found) : undefined };
  }

  function refusalOf(
    fresh: { bytes: number }[],
    found: Totals,
  ): Extract<Imported, { outcome: "over-quota" }> | undefined {
    const size = fresh.reduce((sum, { bytes }) => sum + bytes, 0);
    const { tasks, bytes, changesPerDay } = totals.quotas;
    const over = (name: QuotaName) => ({ outcome: "over-quota" as const, quota: totals.describe(name, found) });
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
    return raw<{ id: string }>(
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
        where ${isLive()} and before.live + line.n <= ${totals.quotas.tasks}
          and before.bytes + line.bytes <= ${totals.quotas.bytes}
          and before.changes + line.n <= ${totals.quotas.changesPerDay}
        returning id`,
    );
  }
}

function columnsOf({ title, description, priority, due, tags }: ToImport): Partial<Row> {
  return toColumns({ title, description, priority, due, tags });
}

function rowOf(imported: ToImport, at: number) {
  const { id, completed, completedAt, createdAt } = imported;
  const completion = completed ? (completedAt ? Date.parse(completedAt) : at) : null;
  const creation = createdAt ? Date.parse(createdAt) : at;
  const columns = columnsOf(imported);
  return { ...columns, id, completedAt: completion, createdAt: creation, updatedAt: at, bytes: bytesOf(columns) };
}

/** Rows are made as they are inserted: with its texts without case, a file may be many times as long. */
function* chunksOf(tasks: ToImport[], at: number): Generator<ImportRow[], void, undefined> {
  let chunk: ImportRow[] = [];
  let left = CHUNK_BYTES;
  for (const imported of tasks) {
    const row = rowOf(imported, at);
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
