import { applyD1Migrations, type D1Migration } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { getTableColumns, is } from "drizzle-orm";
import { getTableConfig, SQLiteTable } from "drizzle-orm/sqlite-core";
import { describe, expect, it } from "vitest";
import * as mailTables from "../../src/auth/mail/tables.ts";
import * as accountTables from "../../src/auth/tables.ts";
import * as limitTables from "../../src/auth/throttling/tables.ts";
import { housekeeping } from "../../src/db/cleanup.ts";
import { NEWEST_MIGRATION } from "../../src/db/client.ts";
import * as taskTables from "../../src/tasks/repository/table.ts";
import { someone } from "../support/client.ts";

const tables = Object.values({ ...accountTables, ...mailTables, ...limitTables, ...taskTables, housekeeping }).filter(
  (value) => is(value, SQLiteTable),
);

async function rows<Row>(sql: string): Promise<Row[]> {
  return (await env.DB.prepare(sql).all<Row>()).results;
}

function tableNames(): Promise<{ name: string }[]> {
  return rows(
    "select name from sqlite_schema where type = 'table' and name not glob '[_sd]*' or name = 'session' order by name",
  );
}

/** Counters that were counted otherwise from then on: nothing referred to them, and what was in them is of a day at most. A virtual column holds nothing. */
const RETIRED = ["drop table account_throttle", "drop table address_limit", "alter table task drop column bytes"];

/** What no migration may do: D1 deletes the rows of child tables when their parent is dropped, and reports success. */
function destructive(migration: D1Migration): string[] {
  const bare = migration.queries.map((query) => query.replaceAll(/--.*$/gm, "").replaceAll(/\/\*[\s\S]*?\*\//g, " "));
  const others = bare.filter((query) => !RETIRED.includes(query.trim().replace(/;$/, "")));
  return others.filter((query) =>
    /\bdrop\s+(table|column)\b|\brename\b|\bpragma\b|\bdelete\s+from\b|\breplace\s+into\b/i.test(query),
  );
}

describe("R1 migrations", () => {
  it("R1 the readiness check asks for the newest", () => {
    expect(env.MIGRATIONS.at(-1)?.name).toBe(NEWEST_MIGRATION);
  });

  it("R1 may be applied twice", async () => {
    const before = await rows("select * from sqlite_schema order by name");
    await applyD1Migrations(env.DB, env.MIGRATIONS);
    expect(await rows("select * from sqlite_schema order by name")).toEqual(before);
  });

  it("R1 keep every row when applied one after the other over populated tables", async () => {
    const scratch = env.SCRATCH_DB;
    for (const [index] of env.MIGRATIONS.entries()) {
      const counts = await countAll(scratch);
      await applyD1Migrations(scratch, env.MIGRATIONS.slice(0, index + 1));
      expect(await countAll(scratch)).toMatchObject(counts);
      await populate(scratch, index);
    }
    const counts = await countAll(scratch);
    expect(counts["user"]).toBe(env.MIGRATIONS.length);
    expect(counts["task"]).toBeGreaterThan(0);
    // Each user's one task is their newest: it says what is true of all of them.
    const totals = scratch.prepare("select distinct live_total, open_total, bytes_total, trash_total from task");
    expect((await totals.all()).results[0]).toEqual({ live_total: 1, open_total: 1, bytes_total: 4, trash_total: 0 });
    const old = scratch.prepare("select title_key, priority, due, tags from task where id = 'row-1'");
    expect(await old.first()).toEqual({ title_key: "a", priority: 0, due: null, tags: "{}" });
  });

  it("R1 rebuild no table", () => {
    for (const migration of env.MIGRATIONS) expect(destructive(migration), migration.name).toEqual([]);
    const rebuild = [
      "create table new_task (id text)",
      "insert into new_task select * from task",
      "drop table task",
      "alter table new_task rename to task",
    ];
    expect(destructive({ name: "x", queries: rebuild })).toHaveLength(2);
    expect(destructive({ name: "x", queries: ["DROP\n TABLE task", "/* */ drop /* */ table x"] })).toHaveLength(2);
    expect(destructive({ name: "x", queries: ["drop index task_live", "-- drop table"] })).toEqual([]);
  });

  it("R1 a rebuilt table would have lost its children: the reason for the rule", async () => {
    const { id } = await someone();
    const scratch = env.SCRATCH_DB;
    await scratch.prepare("insert into user (id, name, email) values (?1, ?1, ?1)").bind(id).run();
    await scratch
      .prepare("insert into session (id, token, expires_at, updated_at, user_id) values (?1, ?1, 1, 1, ?1)")
      .bind(id)
      .run();
    await scratch.batch([
      scratch.prepare("create table user_copy as select * from user"),
      scratch.prepare("drop table user"),
    ]);
    expect(await scratch.prepare("select count(*) as n from session").first()).toEqual({ n: 0 });
  });
});

describe("R1 the tables", () => {
  it("R1 are those that Drizzle knows, and no other", async () => {
    expect((await tableNames()).map(({ name }) => name)).toEqual(
      tables.map((table) => getTableConfig(table).name).sort(),
    );
  });

  it.each(tables.map((table) => [getTableConfig(table).name, table] as const))(
    "R1 %s is as Drizzle describes it",
    async (name, table) => {
      type Column = { name: string; type: string; notnull: number; pk: number };
      const actual = await rows<Column>(
        `select name, lower(replace(type, ' GENERATED ALWAYS', '')) as type, "notnull", pk from pragma_table_xinfo('${name}')`,
      );
      const { primaryKeys } = getTableConfig(table);
      const key = primaryKeys.flatMap(({ columns }) => columns.map((column) => column.name));
      const expected = Object.values(getTableColumns(table)).map((column) => ({
        name: column.name,
        type: column.getSQLType(),
        notnull: Number(column.notNull),
        pk: column.primary ? 1 : key.indexOf(column.name) + 1,
      }));
      expect(new Set(actual)).toEqual(new Set(expected));
      expect(await rows(`select wr, strict from pragma_table_list where name = '${name}'`)).toEqual([
        { wr: 1, strict: 1 },
      ]);
    },
  );

  it.each(tables.map((table) => [getTableConfig(table).name, table] as const))(
    "R1 %s has the indexes and references that Drizzle describes",
    async (name, table) => {
      type Index = { name: string; unique: number; partial: number; columns: string };
      const actual = await rows<Index>(
        `select l.name, l."unique", l.partial, group_concat(i.name) as columns
       from pragma_index_list('${name}') as l, pragma_index_info(l.name) as i where l.origin = 'c' group by l.name`,
      );
      const config = getTableConfig(table);
      const indexes = config.indexes.map(({ config: index }) => ({
        name: index.name,
        unique: Number(index.unique),
        partial: index.where ? 1 : 0,
        // An expression has no name, neither here nor in SQLite.
        columns: index.columns.flatMap((column) => ("name" in column ? [column.name] : [])).join(),
      }));
      const uniques = config.columns.flatMap((column) =>
        column.isUnique ? [{ name: column.uniqueName ?? "", unique: 1, partial: 0, columns: column.name }] : [],
      );
      expect(new Set(actual)).toEqual(new Set([...indexes, ...uniques]));
      const foreign = await rows(
        `select "from", "table", "to", lower(on_delete) as onDelete from pragma_foreign_key_list('${name}')`,
      );
      const references = config.foreignKeys.map((key) => {
        const { columns, foreignColumns, foreignTable } = key.reference();
        const target = {
          table: getTableConfig(foreignTable).name,
          to: foreignColumns[0]?.name,
          onDelete: key.onDelete,
        };
        return { from: columns[0]?.name, ...target };
      });
      expect(foreign).toEqual(references);
    },
  );
});

async function countAll(db: D1Database): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const table of tables) {
    const { name } = getTableConfig(table);
    const exists = await db.prepare("select 1 from sqlite_schema where name = ?").bind(name).first();
    if (exists) counts[name] = (await db.prepare(`select count(*) as n from ${name}`).first<{ n: number }>())?.n ?? -1;
  }
  return counts;
}

/** One more row in every table there is, with only the columns that have been there from the first. */
async function populate(db: D1Database, n: number): Promise<void> {
  const id = `row-${n}`;
  const inserts = {
    user: "insert into user (id, name, email) values (?1, ?1, ?1)",
    session: "insert into session (id, token, expires_at, updated_at, user_id) values (?1, ?1, 1, 1, ?1)",
    account:
      "insert into account (id, account_id, provider_id, user_id, updated_at) values (?1, ?1, 'credential', ?1, 1)",
    mailed_link:
      "insert into mailed_link (digest, user_id, purpose, email, expires_at) values (?1, ?1, 'verify', 'x', 1)",
    known_source: "insert into known_source (user_id, source, tries, blocked_until, used_at) values (?1, ?1, 0, 0, 1)",
    throttle:
      "insert into throttle (ends_at, account, scope, tries, blocked_until, last_try) values (1, ?1, ?1, 1, 0, 'x')",
    verification: "insert into verification (id, identifier, value, expires_at) values (?1, ?1, 'x', 1)",
    address_limit: "insert into address_limit (key, count, window_started_at) values (?1, 1, 1)",
    account_throttle:
      "insert into account_throttle (account, scope, tries, blocked_until, last_try_at) values (?1, ?1, 1, 1, 1)",
    receipt: "insert into receipt (user_id, key, request_digest, results, created_at) values (?1, ?1, 'x', '[]', 1)",
    task: "insert into task (user_id, id, revision, title, created_at, updated_at) values (?1, ?1, 1, 'a', 1, 1)",
  };
  const present = await countAll(db);
  for (const [name, sql] of Object.entries(inserts)) if (name in present) await db.prepare(sql).bind(id).run();
}
