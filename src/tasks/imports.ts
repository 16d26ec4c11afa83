/** Puts tasks from elsewhere into a user's list, each once however often it is imported. */
import { sql } from "drizzle-orm";
import { session } from "../auth/tables.ts";
import { retrying } from "../db/retry.ts";
import type { ImportedTask } from "./model.ts";
import { toColumns } from "./row.ts";
import type { TaskScope } from "./scope.ts";
import { task } from "./table.ts";

/** A statement takes so many rows, and so long a parameter: D1 allows 2 MB. */
const CHUNK_ROWS = 250;
const CHUNK_CHARACTERS = 250_000;

export type ToImport = ImportedTask & { id: string };

export function createImports({ raw, now, isLive, nextRevision, whileLive }: TaskScope) {
  return {
    /**
     * Imports tasks that are not there yet, in one statement for so many. Ids that are taken, be it by a deleted task, stay
     * as they are; so an import that was cut off is finished by another.
     * @returns the ids of those that were not there
     */
    async import(tasks: ToImport[]): Promise<Set<string>> {
      const imported = new Set<string>();
      // Nothing to import is no reason not to look at the session.
      if (tasks.length === 0) await whileLive(raw(sql`select 1`));
      for (const chunk of chunksOf(tasks)) {
        for (const { id } of await retrying(() => whileLive(insertMany(chunk)))) imported.add(id);
      }
      return imported;
    },
  };

  function insertMany(tasks: ToImport[]) {
    const at = now();
    const rows = tasks.map(({ id, completed, completedAt, createdAt, ...contents }) => {
      const completion = completed ? (completedAt ? Date.parse(completedAt) : at) : null;
      const creation = createdAt ? Date.parse(createdAt) : at;
      return { ...toColumns(contents), id, completedAt: completion, createdAt: creation, updatedAt: at };
    });
    const names = Object.keys(rows[0] ?? {}) as (keyof (typeof rows)[0])[];
    const targets = names.map((name) => sql.identifier(task[name].name));
    const values = names.map((name) => sql`line.value ->> ${name}`);
    return raw<{ id: string }>(
      sql`insert into ${task} (user_id, revision, ${sql.join(targets, sql`, `)})
        select ${session.userId}, ${nextRevision()} + line.key, ${sql.join(values, sql`, `)}
        from ${session}, json_each(${JSON.stringify(rows)}) as line where ${isLive()}
        on conflict (user_id, id) do nothing returning id`,
    );
  }
}

function chunksOf(tasks: ToImport[]): ToImport[][] {
  const chunks: ToImport[][] = [];
  let left = 0;
  for (const task of tasks) {
    left -= JSON.stringify(task).length;
    const last = chunks.at(-1);
    if (last && left > 0 && last.length < CHUNK_ROWS) last.push(task);
    else {
      chunks.push([task]);
      left = CHUNK_CHARACTERS;
    }
  }
  return chunks;
}
