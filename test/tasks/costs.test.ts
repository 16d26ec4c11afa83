/**
 * What requests cost, by D1's own counters. The tables of docs/costs.md are written by `npm run costs`, which runs this
 * file, and compared with what is measured whenever the tests run.
 */
import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, it } from "vitest";
import { SORTS } from "../../src/tasks/model.ts";
import { appWith } from "../support/apps.ts";
import { header, ok, type Person, someone } from "../support/client.ts";
import { type Cost, countingD1 } from "../support/intercepted-d1.ts";

const OWN_TASKS = 10_000;
/** A fifth of them is deleted. */
const LIVE_TASKS = 8000;
const ALL_TASKS = 200_000;
const PAGE = 20;

const counter = countingD1(env.DB);
const { fetch } = await appWith({ d1: counter.d1 });
let caller: Person;

beforeAll(async () => {
  const others = await Promise.all(Array.from({ length: 4 }, () => someone()));
  caller = await someone(fetch);
  for (const { id } of others) await insertTasks(id, (ALL_TASKS - OWN_TASKS) / others.length);
  await insertTasks(caller.id, OWN_TASKS);
}, 120_000);

/** Tasks of every kind: half completed, a fifth deleted, half with a due date. */
async function insertTasks(userId: string, count: number): Promise<void> {
  await env.DB.prepare(
    `with recursive n (i) as (select 1 union all select i + 1 from n where i < ?2)
     insert into task (user_id, id, revision, title, title_key, created_at, updated_at, completed_at, deleted_at, priority, due)
     select ?1, printf('0195a3c0-7b1e-7c3a-9d41-%012d', i), i, 'task ' || i, 'task ' || (i * 7919 % ?2), i, i,
       iif(i % 2, null, i), iif(i % 5, null, ?3), i % 4,
       iif(i % 3, null, printf('2026-%02d-%02d', 1 + i % 12, 1 + i % 28)) from n`,
  )
    .bind(userId, count, Date.now())
    .run();
}

async function cost(work: () => Promise<unknown>): Promise<Cost> {
  counter.spent();
  await work();
  return counter.spent();
}

async function costOfPage(query: string): Promise<Cost> {
  return cost(async () => expect((await caller.list(query)).data).toHaveLength(PAGE));
}

describe("S7 the counter", () => {
  it("S7 is checked against D1's own meta data", async () => {
    expect(await cost(() => env.DB.prepare("select 1").run())).toEqual({ roundTrips: 0, rowsRead: 0, rowsWritten: 0 });
    expect((await cost(() => counter.d1.prepare("select * from task limit 7").run())).rowsRead).toBe(7);
    const { n } = (await env.DB.prepare("select count(*) as n from task").first<{ n: number }>()) ?? { n: 0 };
    expect(n).toBeGreaterThanOrEqual(ALL_TASKS);
  });
});

describe("S7 with 10,000 own tasks and 200,000 in the table", () => {
  it("S7 a refused token costs no query", async () => {
    const spent = await cost(async () => {
      const answer = await caller.call(caller.path, { headers: { authorization: "Bearer a.b.c" } });
      expect(answer.status).toBe(401);
    });
    expect(spent).toEqual({ roundTrips: 0, rowsRead: 0, rowsWritten: 0 });
  });

  /** Walks three pages of a list, and returns the most rows that one of them read. */
  async function mostRowsRead(status: string, sort: string): Promise<number> {
    let most = 0;
    for (let cursor: string | null = "", page = 0; cursor !== null && page < 3; page += 1) {
      const query = `?status=${status}&sort=${sort}&limit=${PAGE}${cursor && `&cursor=${cursor}`}`;
      const spent = await cost(async () => ({ nextCursor: cursor } = await caller.list(query)));
      expect(spent).toMatchObject({ roundTrips: 1, rowsWritten: 0 });
      most = Math.max(most, spent.rowsRead);
    }
    return most;
  }

  it("S7 a page by creation, or of open tasks by due date, costs its rows plus four at most", async () => {
    for (const status of ["open", "completed", "all"]) {
      for (const sort of ["createdAt", "-createdAt"]) {
        expect(await mostRowsRead(status, sort), `${status} ${sort}`).toBeLessThanOrEqual(PAGE + 4);
      }
    }
    for (const sort of ["due", "-due"]) expect(await mostRowsRead("open", sort), sort).toBeLessThanOrEqual(PAGE + 4);
  });

  it("S7 a page in any other order reads the caller's own live tasks once, and then those of the page", async () => {
    for (const status of ["open", "completed", "all"]) {
      for (const sort of SORTS) {
        expect(await mostRowsRead(status, sort), `${status} ${sort}`).toBeLessThanOrEqual(LIVE_TASKS + 2 * PAGE + 4);
      }
    }
  });

  it("S7 the default list does, after thousands of deletions, still", async () => {
    const busy = await someone(fetch);
    await insertTasks(busy.id, 5000);
    await env.DB.prepare("update task set deleted_at = 1 where user_id = ?1 and revision > 50").bind(busy.id).run();
    for (const query of ["", "?status=open", "?status=completed", "?status=open&sort=due"]) {
      expect((await cost(() => busy.list(query))).rowsRead, query).toBeLessThanOrEqual(PAGE + 4);
    }
    expect((await cost(() => busy.list("?sort=title"))).rowsRead).toBeLessThanOrEqual(50 + 2 * PAGE + 4);
  });

  it("S7 a write costs few rows", async () => {
    const { id } = await caller.create();
    const written = async (work: () => Promise<unknown>) => (await cost(work)).rowsWritten;
    expect(await written(() => caller.create({ title: "x", due: "2026-03-01", priority: "high" }))).toBeLessThanOrEqual(
      4,
    );
    expect(await written(() => caller.patch(id, { title: "y", description: "z", tags: ["t"] }))).toBeLessThanOrEqual(3);
    expect(await written(() => caller.patch(id, { due: "2026-03-02" }))).toBeLessThanOrEqual(3);
    expect(await written(() => caller.complete(id, true))).toBeLessThanOrEqual(3);
    expect(await written(() => caller.complete(id, false))).toBeLessThanOrEqual(4);
    expect(await written(() => caller.remove(id))).toBeLessThanOrEqual(4);
  });

  it("S7 so does the page where tasks without a due date begin", async () => {
    const dated = await someone(fetch);
    for (let n = 0; n < 30; n += 1)
      await dated.create({ title: "x", due: n % 2 ? "2026-03-01" : null, completed: n > 20 });
    for (const sort of ["due", "-due"]) {
      for (let cursor: string | null = ""; cursor !== null; ) {
        const query = `?status=open&sort=${sort}&limit=4${cursor && `&cursor=${cursor}`}`;
        const spent = await cost(async () => ({ nextCursor: cursor } = await dated.list(query)));
        expect(spent.rowsRead, query).toBeLessThanOrEqual(4 + 4);
      }
    }
  });

  it("S7 a search reads at most the caller's own tasks", async () => {
    for (const query of ["q=nowhere", "tag=none", "priority=high&q=nowhere", "dueBefore=2000-01-01"]) {
      const spent = await cost(() => caller.list(`?${query}`));
      expect(spent.rowsRead, query).toBeLessThanOrEqual(OWN_TASKS + 3);
    }
  });

  it("S7 the change feed costs its rows plus two", async () => {
    for (const limit of [1, 20, 100]) {
      const spent = await cost(() => caller.call(`${caller.path}/changes?limit=${limit}`));
      expect(spent).toEqual({ roundTrips: 1, rowsRead: limit + 2, rowsWritten: 0 });
    }
  });

  it("S7 docs/costs.md shows what is measured", async () => {
    await expect(await describeCosts()).toMatchFileSnapshot("../../docs/costs.md");
  });
});

async function describeCosts(): Promise<string> {
  const requests: [string, Cost][] = [];
  const measure = async (name: string, work: () => Promise<unknown>) => requests.push([name, await cost(work)]);
  const full = { title: "All", description: "x", priority: "high", due: "2026-03-01", tags: ["a"], completed: true };
  const key = { "idempotency-key": crypto.randomUUID() };
  const { path } = caller;
  const post = (json: object, headers = {}) => caller.call(path, { json, headers });

  await measure("a refused token", () => caller.call(path, { headers: { authorization: "Bearer a.b.c" } }));
  const { id } = await caller.create();
  await measure("read one", () => caller.read(id));
  await measure("usage", () => caller.call("/api/v1/users/me/usage"));
  await measure(`list, a page of ${PAGE}`, () => caller.list(`?limit=${PAGE}`));
  const etag = header(await caller.call(path), "etag");
  await measure("list, unchanged (304)", () => caller.call(path, { headers: { "if-none-match": etag } }));
  await measure(`list, changed after all, a page of ${PAGE}`, () =>
    caller.call(`${path}?limit=${PAGE}`, { headers: { "if-none-match": 'W/"1"' } }),
  );
  await measure(`trash, a page of ${PAGE}`, () => caller.list(`?status=deleted&limit=${PAGE}`));
  await measure(`change feed, ${PAGE} changes`, () => caller.call(`${path}/changes?limit=${PAGE}`));
  await measure("create", () => caller.create());
  await measure("create, with an idempotency key", () => post({ title: "x" }, key));
  await measure("create, the key's second time", () => post({ title: "x" }, key));
  await measure("change the description", () => caller.patch(id, { description: "y" }));
  await measure("change the title", () => caller.patch(id, { title: "y" }));
  await measure("change the due date", () => caller.patch(id, { due: "2026-03-01" }));
  await measure("complete", () => caller.complete(id, true));
  await measure("complete, once more", () => caller.complete(id, true));
  await measure("replace all of it", () => caller.put(id, full));
  await measure("delete", () => caller.remove(id));
  await measure("restore", () => caller.call(`${path}/${id}/restore`, { method: "POST" }));
  const operations = Array.from({ length: 10 }, () => ({ op: "create", task: { title: "x" } }));
  await measure("batch of 10 creations", () => caller.call(`${path}/batch`, { json: { operations } }));
  const file = { tasks: Array.from({ length: 100 }, (_, n) => ({ title: `imported ${n}` })) };
  await measure("import of 100", async () => ok(await caller.call(`${path}/import`, { json: file })));

  const lists: string[] = [];
  for (const sort of SORTS) {
    const reads: number[] = [];
    for (const status of ["open", "completed", "all"]) {
      reads.push((await costOfPage(`?status=${status}&sort=${sort}&limit=${PAGE}`)).rowsRead);
    }
    lists.push(`| \`${sort}\` | ${reads.join(" | ")} |`);
  }
  const rows = requests.map(
    ([name, { roundTrips, rowsRead, rowsWritten }]) => `| ${name} | ${roundTrips} | ${rowsRead} | ${rowsWritten} |`,
  );
  return `# What requests cost

Measured with D1's own counters (\`meta.rows_read\`, \`meta.rows_written\`), for a user with 10,000 tasks in a table of
200,000. \`npm run costs\` measures again and writes this page; \`npm test\` fails where the page is not what is measured.

| Request | round trips | rows read | rows written |
|---|---|---|---|
${rows.join("\n")}

D1 bills a written row like a thousand rows read ($1.00 and $0.001 a million). So an index has to save more reads than it
costs in writes, at the sizes that people have.

## Pages of ${PAGE}, by order and status: rows read

| sort | open | completed | all |
|---|---|---|---|
${lists.join("\n")}

A page by creation, and one of open tasks by due date, reads its tasks, the session, and the row with the newest revision,
which carries the ETag of a first page and the totals. For all statuses by creation, SQLite merges open and completed tasks
and looks one row ahead. In any other order it reads the keys of the user's live tasks of that status once, sorts them, and
reads the tasks of the page. No page looks ahead to learn whether there is another one: a full page has a cursor, and an
empty page may follow.

## What each index is for

A created task is one row in the table and one in each index that has it: four for an open task.

| Index | Serves | Written by |
|---|---|---|
| \`task_revision\` | the change feed, the next revision, the list's ETag | every write |
| \`task_status_creation\` | lists by creation, of each status and of all; all other orders start from it | create, complete, delete, restore |
| \`task_open_due\` | open tasks by due date | creating and restoring an open task, and a changed due date |
| \`task_trash\` | the trash, and its age | delete |
| \`task_tombstone\` | housekeeping | delete |

Completing a task takes it out of \`task_open_due\`, and deleting from an index costs no written row.

## Why these

\`npm run bench:layouts\` compares sets of indexes with the project's own statements and writes
[bench/LAYOUTS.md](../bench/LAYOUTS.md): the price of a user's day, the bytes of a task and the slowest page, for 50 to 10,000
open tasks with as many completed and 5,000 deleted.

- The former seven indexes wrote nine rows for a created task. Their day costs twice as much as the chosen one, and a task
  takes twice the space.
- An index for an order pays only above some dozen pages of that order a write. Programs ask for orders now and then, and
  the app sorts its own copy. Of all orders, open tasks by due date is the one that is asked for most: it kept its index.
- Indexes of open tasks alone are cheaper still, by a tenth. But the default list shows completed tasks too, and would read
  all that a user ever deleted or completed: thousands of rows where it reads 23.
- The primary key is no order of creation: a caller may choose any id, also one that is not made of the time.

The slowest page is one by title over all tasks at the quota of 10,000: [bench/SIZES.md](../bench/SIZES.md) tells its time
(\`npm run bench:size\`), and shows that all other costs stay flat up to a million tasks in the table.

A changed list that was asked for with \`If-None-Match\` takes two round trips: the first finds out that it changed.
`;
}
