import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, it } from "vitest";
import { appWith } from "../support/apps.ts";
import { type Person, someone } from "../support/client.ts";
import { type Cost, countingD1 } from "../support/intercepted-d1.ts";

const counter = countingD1(env.DB);
const { fetch } = await appWith({ d1: counter.d1 });
let caller: Person;

beforeAll(async () => {
  const others = await Promise.all([someone(), someone()]);
  for (const other of others) await insertTasks(other.id, 500);
  caller = await someone(fetch);
});

/** Puts live tasks into the table, and as many completed and deleted ones. */
async function insertTasks(userId: string, count: number, deletedAt: number | null = null): Promise<void> {
  await env.DB.prepare(
    `with recursive n (i) as (select 1 union all select i + 1 from n where i < ?2)
     insert into task (user_id, id, revision, title, created_at, updated_at, deleted_at)
     select ?1, printf('0195a3c0-%012d', i + base.r), i + base.r, 'a task', 0, 0, ?3
     from n, (select coalesce(max(revision), 0) as r from task where user_id = ?1) as base`,
  )
    .bind(userId, count, deletedAt)
    .run();
}

async function cost(work: () => Promise<unknown>): Promise<Cost> {
  counter.spent();
  await work();
  return counter.spent();
}

describe("S7 with 1,000 tasks of other users in the table", () => {
  it("S7 counts what it claims to count", async () => {
    expect(await cost(() => env.DB.prepare("select 1").run())).toEqual({ roundTrips: 0, rowsRead: 0, rowsWritten: 0 });
    expect((await cost(() => counter.d1.prepare("select * from task limit 7").run())).rowsRead).toBe(7);
  });

  it("S7 a refused token costs no query", async () => {
    const spent = await cost(async () => {
      const answer = await caller.call(caller.path, { headers: { authorization: "Bearer a.b.c" } });
      expect(answer.status).toBe(401);
    });
    expect(spent).toEqual({ roundTrips: 0, rowsRead: 0, rowsWritten: 0 });
  });

  it("S7 create, read, update, complete, delete and their repetitions stay within their budgets", async () => {
    await caller.create();
    expect(await cost(() => caller.create())).toEqual({ roundTrips: 1, rowsRead: 4, rowsWritten: 3 });
    const { id } = await caller.create();
    expect(await cost(() => caller.read(id))).toEqual({ roundTrips: 1, rowsRead: 2, rowsWritten: 0 });
    const update = await cost(() => caller.patch(id, { title: "Changed" }));
    expect(update).toEqual({ roundTrips: 1, rowsRead: 4, rowsWritten: 2 });
    expect(await cost(() => caller.complete(id, true))).toEqual({ roundTrips: 1, rowsRead: 4, rowsWritten: 2 });
    const again = await cost(() => caller.complete(id, true));
    expect(again).toMatchObject({ roundTrips: 2, rowsWritten: 0 });
    expect(again.rowsRead).toBeLessThanOrEqual(6);
    expect(await cost(() => caller.remove(id))).toEqual({ roundTrips: 1, rowsRead: 4, rowsWritten: 3 });
  });
});

describe("S7 with thousands of own tasks, most of them deleted", () => {
  beforeAll(async () => {
    await insertTasks(caller.id, 50);
    await insertTasks(caller.id, 2000, 1);
  });

  it.each([1, 20, 100])("S7 a page of %i reads its tasks and two rows", async (limit) => {
    const spent = await cost(async () =>
      expect((await caller.list(`?limit=${limit}`)).data.length).toBe(Math.min(limit, 52)),
    );
    expect(spent.roundTrips).toBe(1);
    expect(spent.rowsRead).toBeLessThanOrEqual(limit + 2);
    expect(spent.rowsWritten).toBe(0);
  });

  it("S7 a later page costs the same", async () => {
    const { nextCursor } = await caller.list("?limit=20");
    const spent = await cost(() => caller.list(`?limit=20&cursor=${nextCursor}`));
    expect(spent).toEqual({ roundTrips: 1, rowsRead: 22, rowsWritten: 0 });
  });

  it("S7 create costs the same", async () => {
    expect(await cost(() => caller.create())).toEqual({ roundTrips: 1, rowsRead: 4, rowsWritten: 3 });
  });
});
