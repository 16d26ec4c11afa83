import {
  applyD1Migrations,
  createExecutionContext,
  createScheduledController,
  waitOnExecutionContext,
} from "cloudflare:test";
import { env } from "cloudflare:workers";
import { integer, sqliteTable, text } from "drizzle-orm/sqlite-core";
import { describe, expect, it } from "vitest";
import { KNOWN_SOURCE_DAYS } from "../src/auth/retention.ts";
import { cleanUp } from "../src/db/cleanup.ts";
import { runCleanup } from "../src/housekeeping.ts";
import worker from "../src/index.ts";
import { taskCleanup } from "../src/tasks/repository/cleanup.ts";
import { IDEMPOTENCY_KEY_DAYS, TOMBSTONE_DAYS, TRASH_DAYS } from "../src/tasks/retention.ts";
import { someone } from "./support/client.ts";
import { countingD1, flakyD1 } from "./support/intercepted-d1.ts";

const DAY_MS = 24 * 60 * 60 * 1000;
const now = Date.now();

async function count(table: string, where = "true"): Promise<number> {
  return (await env.DB.prepare(`select count(*) as n from ${table} where ${where}`).first<{ n: number }>())?.n ?? -1;
}

/** Many rows at once; `?1` in the values is the row's number. */
function insertMany(table: string, columns: string, values: string, rows: number) {
  return env.DB.prepare(
    `with recursive n (i) as (select 1 union all select i + 1 from n where i < ${rows})
     insert into ${table} (${columns}) select ${values} from n`,
  ).run();
}

describe("L1 housekeeping", () => {
  it("L1 deletes expired sessions, links and counts, and nothing else", async () => {
    const person = await someone();
    const owner = `'${person.id}'`;
    const id = (word: string) => `'${word}' || i`;
    await insertMany(
      "session",
      "id, token, expires_at, updated_at, user_id",
      `${id("old")}, ${id("old")}, ${now - 1}, 1, ${owner}`,
      1700,
    );
    await insertMany(
      "session",
      "id, token, expires_at, updated_at, user_id",
      `${id("good")}, ${id("good")}, ${now + DAY_MS}, 1, ${owner}`,
      30,
    );
    await insertMany("verification", "id, identifier, value, expires_at", `${id("old")}, 'x', 'x', ${now - 1}`, 700);
    await insertMany("verification", "id, identifier, value, expires_at", `${id("good")}, 'x', 'x', ${now + 1000}`, 5);
    const links = "digest, user_id, purpose, email, expires_at";
    await insertMany("mailed_link", links, `${id("old")}, ${owner}, 'verify', 'x', ${now - 1}`, 600);
    await insertMany("mailed_link", links, `${id("good")}, ${owner}, 'verify', 'x', ${now + 1000}`, 5);
    const tries = "ends_at, account, scope, tries, blocked_until, last_try";
    await insertMany("throttle", tries, `${now - 1}, ${id("old")}, '*', 1, 0, 'x'`, 600);
    await insertMany("throttle", tries, `${now + 1000}, ${id("good")}, '*', 1, 0, 'x'`, 5);
    const sources = "user_id, source, counted_as, tries, blocked_until, used_at";
    await insertMany(
      "known_source",
      sources,
      `${owner}, ${id("old")}, 'x', 0, 0, ${now - (KNOWN_SOURCE_DAYS + 1) * DAY_MS}`,
      600,
    );
    await insertMany("known_source", sources, `${owner}, ${id("good")}, 'x', 0, 0, ${now - DAY_MS}`, 5);
    const receipts = "user_id, key, request_digest, results, created_at";
    await insertMany(
      "receipt",
      receipts,
      `${owner}, ${id("old")}, 'x', '[]', ${now - (IDEMPOTENCY_KEY_DAYS * DAY_MS + 1)}`,
      600,
    );
    await insertMany("receipt", receipts, `${owner}, ${id("good")}, 'x', '[]', ${now - DAY_MS}`, 5);
    const [throttles, known] = [await count("throttle"), await count("known_source")];

    const cleared = await runCleanup(env.DB, now);
    expect(cleared).toEqual({
      session: 1700,
      verification: 700,
      mailed_link: 600,
      throttle: 600,
      known_source: 600,
      receipt: 600,
      trash: 0,
      task: 0,
      task_keys: expect.any(Number),
    });
    expect(await count("receipt")).toBe(5);
    expect([await count("session"), await count("verification")]).toEqual([31, 5]);
    expect(await count("mailed_link")).toBe(5);
    expect([await count("throttle"), await count("known_source")]).toEqual([throttles - 600, known - 600]);
    expect((await person.call(person.path)).status).toBe(200);
  });

  it("L1 deletes tombstones that the change feed does not need, but keeps a user's newest revision", async () => {
    const [tidy, quiet] = [await someone(), await someone()];
    for (const person of [tidy, quiet]) {
      const ids = [];
      for (let n = 0; n < 4; n += 1) ids.push((await person.create()).id);
      for (const id of ids.slice(0, 3)) await person.remove(id);
    }
    await tidy.create();
    const old = now - TOMBSTONE_DAYS * DAY_MS - 1;
    await env.DB.prepare("update task set deleted_at = ? where deleted_at is not null and user_id in (?, ?)")
      .bind(old, tidy.id, quiet.id)
      .run();
    expect((await runCleanup(env.DB, now))["task"]).toBe(5);
    expect(await count("task", `deleted_at is not null and user_id = '${tidy.id}'`)).toBe(0);
    expect(await count("task", `deleted_at is not null and user_id = '${quiet.id}'`)).toBe(1);
    expect((await quiet.create()).revision).toBe(8);
    expect((await tidy.list()).data).toHaveLength(2);
    await env.DB.prepare("update task set deleted_at = ? where deleted_at is not null")
      .bind(old + 1000)
      .run();
    expect((await runCleanup(env.DB, now))["task"]).toBe(0);
  });

  it("L1 T1 erases a column that is added to tasks tomorrow", async () => {
    const d1 = env.SCRATCH_DB;
    await applyD1Migrations(d1, env.MIGRATIONS);
    await d1.prepare("alter table task add column note text").run();
    await d1.prepare("alter table task add column mood text not null default 'calm'").run();
    await d1.prepare("alter table task add column effort integer not null default 3").run();
    const tomorrow = sqliteTable("task", {
      userId: text("user_id").notNull(),
      title: text("title").notNull(),
      note: text("note"),
      mood: text("mood").notNull().default("calm"),
      effort: integer("effort").notNull().default(3),
    });
    await d1.prepare("insert into user (id, name, email) values ('u', 'U', 'u@example.com')").run();
    const deletedAt = now - TRASH_DAYS * DAY_MS - 1;
    await d1
      .prepare(
        `insert into task (user_id, id, revision, title, note, mood, effort, created_at, updated_at, deleted_at)
          values ('u', 't', 1, 'Private', 'Private', 'secret', 8, 1, 1, ?)`,
      )
      .bind(deletedAt)
      .run();
    for (const rule of taskCleanup(tomorrow)) await cleanUp(d1, rule, now);
    const row = await d1.prepare("select title, note, mood, effort from task").first();
    expect(row).toEqual({ title: "", note: null, mood: "calm", effort: 3 });
  });

  it("L1 T1 erases a deleted task after 30 days; only its tombstone stays", async () => {
    const person = await someone();
    const full = {
      title: "Private",
      description: "Private, too",
      tags: ["secret"],
      due: "2026-03-01",
      priority: "high",
    };
    const [old, young] = [await person.create(full), await person.create(full)];
    for (const { id } of [old, young]) await person.remove(id);
    await env.DB.prepare("update task set deleted_at = ? where id = ?")
      .bind(now - (TRASH_DAYS * DAY_MS + 1), old.id)
      .run();
    expect((await runCleanup(env.DB, now))["trash"]).toBe(1);
    const { results } = await env.DB.prepare("select * from task where id = ?").bind(old.id).all();
    expect(results).toHaveLength(1);
    expect(JSON.stringify(results)).not.toMatch(/private|secret|2026-03-01/i);
    expect((await person.list("?status=deleted")).data.map(({ id }) => id)).toEqual([young.id]);
    const feed = await (await person.call(`${person.path}/changes`)).json();
    expect(feed).toMatchObject({
      data: [
        { id: old.id, deleted: true },
        { id: young.id, deleted: true },
      ],
    });
    expect((await runCleanup(env.DB, now))["trash"]).toBe(0);
  });

  it("L1 works in bounded chunks: no statement touches more than one", async () => {
    const { id } = await someone();
    await insertMany(
      "task",
      "user_id, id, revision, title, created_at, updated_at, deleted_at",
      `'${id}', i, i, 'x', 1, 1, i`,
      3000,
    );
    const perTrip: number[] = [];
    const counter = countingD1(env.DB);
    const watched = new Proxy(counter.d1, {
      get(target, name) {
        if (name !== "batch") return Reflect.get(target, name);
        return async (statements: D1PreparedStatement[]) => {
          const results = await target.batch(statements);
          perTrip.push(...results.map(({ meta }) => meta.rows_read));
          return results;
        };
      },
    });
    expect((await runCleanup(watched, now))["task"]).toBe(2999);
    expect(perTrip.length).toBeGreaterThan(10);
    expect(Math.max(...perTrip)).toBeLessThanOrEqual(500 * 10);
  });

  it("L1 the next run continues where a long table stopped the last one", async () => {
    const { id } = await someone();
    const columns = "id, token, expires_at, updated_at, user_id";
    await insertMany("session", columns, `'a' || i, 'a' || i, ${now + DAY_MS}, 1, '${id}'`, 21_000);
    await insertMany("session", columns, `'b' || i, 'b' || i, ${now - 1}, 1, '${id}'`, 700);
    const runs = [];
    for (let run = 0; run < 3; run += 1) runs.push((await runCleanup(env.DB, now))["session"]);
    expect(runs).toEqual([0, 700, 0]);
    await env.DB.prepare("delete from session where user_id = ?").bind(id).run();
  });

  it("L1 a failing rule does not stop the others, and its failure is reported", async () => {
    await insertMany("verification", "id, identifier, value, expires_at", `'left' || i, 'x', 'x', ${now - 1}`, 3);
    await expect(runCleanup(flakyD1(env.DB, "D1_ERROR: Network connection lost.", 1, false), now)).rejects.toThrow(
      "D1",
    );
    expect(await count("verification", "id like 'left%'")).toBe(0);
  });

  it("L1 runs in the scheduled handler", async () => {
    await insertMany("verification", "id, identifier, value, expires_at", `'due' || i, 'x', 'x', ${now - 1}`, 3);
    const context = createExecutionContext();
    await worker.scheduled(createScheduledController({ scheduledTime: new Date(now) }));
    await waitOnExecutionContext(context);
    expect(await count("verification", "id like 'due%'")).toBe(0);
  });
});
