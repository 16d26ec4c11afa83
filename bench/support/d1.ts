/** A local D1 that counts what its own meta data says, and the repository of one user over it, as the Worker has it. */

import { timingSafeEqual } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { getPlatformProxy } from "wrangler";
import type { Caller } from "../../src/access-tokens/claims.ts";
import { createKeys } from "../../src/access-tokens/keys.ts";
import { deriveCursorKeys } from "../../src/tasks/repository/cursor.ts";
import { createTaskRepository } from "../../src/tasks/repository/repository.ts";
import { SECRET } from "./people.ts";

/** Rows read and written, and the time that D1 says it took. */
export type Cost = { read: number; written: number; milliseconds: number };

/** A Worker with a database and nothing else. */
const CONFIGURATION = {
  name: "bench",
  compatibility_date: "2026-11-01",
  d1_databases: [{ binding: "DB", database_name: "bench", database_id: "bench" }],
};

/** Larger than any size that is measured. */
const QUOTAS = { tasks: 10_000_000, bytes: 10_000_000_000, changesPerDay: 10_000_000 };

const USER = "0195a3c0-7b1e-7000-9d41-000000000001";
const OTHER = "0195a3c0-7b1e-7000-9d41-000000000002";
const SESSION = "0195a3c0-7b1e-7000-9d41-000000000003";

// The Workers runtime has this function, Node has it under another name.
Object.assign(crypto.subtle, { timingSafeEqual });

/** The people of the database: the caller with a session, and another. */
export const PEOPLE = `
  insert into user (id, name, email) values ('${USER}', 'Bench', 'bench@bench.example'), ('${OTHER}', 'Other', 'other@bench.example');
  insert into session (id, expires_at, token, updated_at, user_id) values ('${SESSION}', 99999999999999, 'token', 1, '${USER}');
`;

/** The statements of all migrations, in order. */
export function migrations(): string[] {
  const files = readdirSync("migrations").sort();
  const texts = files.map((name) => readFileSync(`migrations/${name}`, "utf8").replaceAll(/--.*$/gm, ""));
  return texts.flatMap(statementsOf);
}

/** SQL that adds tasks of one user: so many open, completed and deleted, in turn, of mixed priorities and due dates. */
export function tasksOf(who: "caller" | "other", open: number, completed = open, deleted = 0): string {
  const userId = who === "caller" ? USER : OTHER;
  const [count, live] = [open + completed + deleted, open + completed];
  const isCompleted = completed === 0 ? "false" : `i % ${Math.round(live / completed)} = 0`;
  // The oldest are deleted: the row with the newest revision holds the totals.
  return `with recursive n (i) as (select 1 union all select i + 1 from n where i < ${count})
    insert into task (user_id, id, revision, title, title_key, description, description_key, tags, priority, due,
      created_at, updated_at, completed_at, deleted_at, live_total, open_total, bytes_total)
    select '${userId}', printf('0195a3c0-7b1e-7c3a-9d41-%012d', i), i,
      'Buy oat milk and ' || (i * 7919 % ${count}) || ' other things', 'buy oat milk and ' || (i * 7919 % ${count}) || ' other things',
      'Two cartons, the ones without sugar', 'two cartons, the ones without sugar', '{"errands":"errands"}', i % 4,
      iif(i % 3, printf('2026-%02d-%02d', 1 + i % 12, 1 + i % 28), null),
      1760000000000 + i * 60000, 1760000000000 + i * 60000, iif(${isCompleted}, 1760000000000, null),
      iif(i <= ${deleted}, 1760000000000, null), ${live}, ${open}, ${live} * 160 from n`;
}

export function statementsOf(text: string): string[] {
  return text
    .split(";")
    .map((statement) => statement.trim())
    .filter((statement) => statement !== "");
}

/**
 * Opens a new local database, migrated, with its people.
 * @param rewrite changes the text of each statement of the repository before it runs
 */
export async function openCountingD1(rewrite: (text: string) => string = (text) => text) {
  const folder = mkdtempSync(join(tmpdir(), "edge-tasks-d1-"));
  const configPath = join(folder, "wrangler.json");
  writeFileSync(configPath, JSON.stringify(CONFIGURATION));
  const proxy = await getPlatformProxy<{ DB: D1Database }>({ configPath, persist: false });
  const { DB } = proxy.env;
  let cost: Cost = { read: 0, written: 0, milliseconds: 0 };

  /** What the repository calls of a session. */
  const session = {
    prepare: (text: string) => ({ bind: (...values: unknown[]) => ({ text: rewrite(text), values }) }),
    async batch(statements: { text: string; values: unknown[] }[]) {
      const results = await DB.batch(statements.map(({ text, values }) => DB.prepare(text).bind(...values)));
      for (const { meta } of results) {
        cost = {
          read: cost.read + meta.rows_read,
          written: cost.written + meta.rows_written,
          milliseconds: cost.milliseconds + meta.duration,
        };
      }
      return results;
    },
  } as unknown as D1DatabaseSession;

  const tasks = createTaskRepository({
    db: session,
    caller: { userId: USER, sessionId: SESSION } as Caller,
    cursorKeys: await deriveCursorKeys(createKeys([SECRET])),
    quotas: QUOTAS,
    now: Date.now,
  });

  for (const statement of [...migrations(), ...statementsOf(PEOPLE)]) await DB.prepare(statement).run();
  return {
    tasks,
    run: async (...statements: string[]) => {
      for (const statement of statements) await DB.prepare(statement).run();
    },
    /** What the work cost. */
    async costOf(work: () => Promise<unknown>): Promise<Cost> {
      cost = { read: 0, written: 0, milliseconds: 0 };
      await work();
      return cost;
    },
    close: async () => {
      await proxy.dispose();
      rmSync(folder, { recursive: true });
    },
  };
}
