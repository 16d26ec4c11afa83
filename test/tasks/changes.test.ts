import { env } from "cloudflare:workers";
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { runCleanup } from "../../src/housekeeping.ts";
import type { Task } from "../../src/tasks/model.ts";
import { FEED_DAYS, TRASH_DAYS } from "../../src/tasks/retention.ts";
import { header, ok, type Person, someone } from "../support/client.ts";

type Changes = {
  data: { id: string; revision: number; deleted: boolean; task: Task | null }[];
  nextToken: string;
  hasMore: boolean;
};

const DAY_MS = 24 * 60 * 60 * 1000;
let person: Person;

beforeAll(async () => {
  person = await someone();
});

const changes = async (who: Person, query = "") => ok<Changes>(await who.call(`${who.path}/changes${query}`));

/** A device: a copy of the tasks, kept in step by the feed alone. */
function createDevice(who: Person) {
  const copy = new Map<string, Task>();
  let token: string | undefined;
  async function sync(limit: number, between: () => Promise<unknown> = async () => {}): Promise<void> {
    for (let hasMore = true; hasMore; ) {
      const page = await changes(who, `?limit=${limit}${token ? `&since=${token}` : ""}`);
      for (const { id, deleted, task } of page.data) {
        if (deleted) copy.delete(id);
        else if (task) copy.set(id, task);
      }
      ({ nextToken: token, hasMore } = page);
      await between();
    }
  }
  return { copy, sync };
}

async function listOf(who: Person): Promise<Task[]> {
  return (await who.list("?limit=100")).data;
}

const byId = (a: Task, b: Task) => (a.id < b.id ? -1 : 1);

describe("T5 the change feed", () => {
  it("T5 returns all changes and deletions in order, and then nothing", async () => {
    const fresh = await someone();
    expect(await changes(fresh)).toEqual({ data: [], nextToken: expect.any(String), hasMore: false });
    const [a, b, c] = [await fresh.create(), await fresh.create(), await fresh.create()];
    await fresh.patch(a.id, { title: "Changed" });
    await fresh.remove(b.id);
    const first = await changes(fresh);
    expect(first.data.map(({ id, deleted, task }) => [id, deleted, task?.title])).toEqual([
      [c.id, false, "A task"],
      [a.id, false, "Changed"],
      [b.id, true, undefined],
    ]);
    const second = await changes(fresh, `?since=${first.nextToken}`);
    expect(second).toMatchObject({ data: [], hasMore: false });
    await fresh.call(`${fresh.path}/${b.id}/restore`, { method: "POST" });
    expect((await changes(fresh, `?since=${second.nextToken}`)).data).toMatchObject([{ id: b.id, deleted: false }]);
  });

  it("T5 S6 applied to a copy, from any point and in any pages, gives exactly the list", async () => {
    const write = fc.tuple(
      fc.constantFrom("create", "patch", "complete", "delete", "restore", "sync"),
      fc.nat(7),
      fc.nat(3),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(write, { maxLength: 30 }), fc.integer({ min: 1, max: 7 }), async (writes, limit) => {
        const who = await someone();
        const ids: string[] = [];
        const devices = [createDevice(who), createDevice(who), createDevice(who)];
        const apply = async ([kind, at, n]: (typeof writes)[number]) => {
          const id = ids[at % Math.max(ids.length, 1)] ?? "";
          if (kind === "create") ids.push((await who.create({ title: `${n}` })).id);
          if (kind === "patch") await who.patch(id, { title: `${n}` });
          if (kind === "complete") await who.complete(id, n > 1);
          if (kind === "delete") await who.remove(id);
          if (kind === "restore") await who.call(`${who.path}/${id}/restore`, { method: "POST" });
        };
        for (const each of writes.slice(0, 20)) {
          if (each[0] === "sync") await devices[each[2]]?.sync(limit);
          else await apply(each);
        }
        // The rest of the writes happen while devices are in the middle of it.
        const rest = writes.slice(20);
        for (const device of devices) {
          await device.sync(limit, async () => {
            const next = rest.pop();
            if (next) await apply(next);
          });
        }
        for (const device of devices) {
          await device.sync(limit);
          expect([...device.copy.values()].sort(byId)).toEqual((await listOf(who)).sort(byId));
        }
      }),
      { numRuns: 25 },
    );
  });

  it("T5 housekeeping does not affect a valid token", async () => {
    const who = await someone();
    const { id } = await who.create();
    await who.create();
    const { nextToken } = await changes(who);
    await who.remove(id);
    await who.create();
    await env.DB.prepare("update task set deleted_at = ? where id = ?")
      .bind(Date.now() - FEED_DAYS * DAY_MS, id)
      .run();
    await runCleanup(env.DB, Date.now());
    expect((await changes(who, `?since=${nextToken}`)).data).toMatchObject([{ id, deleted: true }, { deleted: false }]);
  });

  it("T5 a token older than the kept deletions is 410, and the answer says to sync again", async () => {
    const who = await someone();
    await who.create();
    const { openCursor, sealCursor, deriveCursorKeys } = await import("../../src/tasks/repository/cursor.ts");
    const { createKeys } = await import("../../src/access-tokens/keys.ts");
    const keys = await deriveCursorKeys(createKeys([env.BETTER_AUTH_SECRET]));
    const list = JSON.stringify(["changes", who.id]);
    const token = (days: number) => sealCursor(keys, list, JSON.stringify([0, Date.now() - days * DAY_MS]));
    const { nextToken } = await changes(who);
    expect(JSON.parse((await openCursor(keys, list, nextToken)) ?? "")).toEqual([1, expect.any(Number)]);
    expect((await changes(who, `?since=${await token(FEED_DAYS - 1)}`)).data).toHaveLength(1);
    const answer = await who.call(`${who.path}/changes?since=${await token(FEED_DAYS + 1)}`);
    expect(answer.status).toBe(410);
    expect(await answer.json()).toMatchObject({ code: "changes_expired" });
  });

  it("T5 a token keeps the age of its walk's beginning", async () => {
    const who = await someone();
    for (let n = 0; n < 3; n += 1) await who.create();
    const { openCursor, deriveCursorKeys } = await import("../../src/tasks/repository/cursor.ts");
    const { createKeys } = await import("../../src/access-tokens/keys.ts");
    const keys = await deriveCursorKeys(createKeys([env.BETTER_AUTH_SECRET]));
    const seenAt = async (token: string) =>
      JSON.parse((await openCursor(keys, JSON.stringify(["changes", who.id]), token)) ?? "")[1];
    const first = await changes(who, "?limit=1");
    await scheduler.wait(5);
    const second = await changes(who, `?limit=1&since=${first.nextToken}`);
    expect(await seenAt(second.nextToken)).toBe(await seenAt(first.nextToken));
    await scheduler.wait(5);
    const third = await changes(who, `?limit=1&since=${second.nextToken}`);
    expect(third.hasMore).toBe(false);
    expect(await seenAt(third.nextToken)).toBeGreaterThan(await seenAt(first.nextToken));
  });

  it("S6 a token is refused to other users, and a list's cursor is not a token", async () => {
    const other = await someone();
    await person.create();
    await person.create();
    const { nextToken } = await changes(person);
    const { nextCursor } = await person.list("?limit=1");
    for (const [who, token] of [
      [other, nextToken],
      [person, nextCursor],
      [person, `${nextToken}x`],
      [person, nextToken.slice(1)],
      [person, ""],
      [person, "x".repeat(10_000)],
    ] as const) {
      const answer = await who.call(`${who.path}/changes?since=${token}`);
      expect(answer.status).toBe(400);
      expect(await answer.json()).toMatchObject({ errors: [{ path: "since" }] });
    }
    expect((await person.call(`${person.path}?cursor=${nextToken}`)).status).toBe(400);
  });

  it.each(["limit=0", "limit=101", "limit=x", "limit=1&limit=2", "wait=25", "cursor=x", "since=a&since=b"])(
    "T5 %s is 400 and named",
    async (query) => {
      const answer = await person.call(`${person.path}/changes?${query}`);
      expect(answer.status).toBe(400);
      expect(await answer.json()).toMatchObject({ errors: [{ path: query.split("=")[0] }] });
    },
  );
});

describe("T1 the trash", () => {
  const restore = (who: Person, id: string, headers: Record<string, string> = {}) =>
    who.call(`${who.path}/${id}/restore`, { method: "POST", headers });
  const age = (id: string, days: number) =>
    env.DB.prepare("update task set deleted_at = ? where id = ?")
      .bind(Date.now() - days * DAY_MS, id)
      .run();

  it("T1 lists deleted tasks, newest first, and restores them unchanged", async () => {
    const who = await someone();
    const tasks = [];
    for (let n = 0; n < 3; n += 1) tasks.push(await who.create({ title: `${n}`, due: "2026-03-01", tags: ["a"] }));
    for (const { id } of tasks) {
      await who.remove(id);
      await scheduler.wait(2);
    }
    const trash = await who.list("?status=deleted&limit=2");
    expect(trash.data.map(({ title, deletedAt }) => [title, deletedAt !== null])).toEqual([
      ["2", true],
      ["1", true],
    ]);
    expect((await who.list(`?status=deleted&limit=2&cursor=${trash.nextCursor}`)).data).toMatchObject([{ title: "0" }]);
    expect((await who.list("?status=deleted&q=1")).data).toHaveLength(1);
    expect((await who.list()).data).toEqual([]);

    const [first] = tasks;
    const restored = await restore(who, first?.id ?? "");
    const task = await ok<Task>(restored);
    expect(task).toEqual({ ...first, revision: task.revision, updatedAt: task.updatedAt });
    expect(task.revision).toBeGreaterThan(trash.data[0]?.revision ?? 0);
    expect(header(restored, "etag")).toBe(`"${task.revision}"`);
    expect(await who.read(task.id)).toEqual(task);
    expect((await who.list("?status=deleted")).data).toHaveLength(2);
  });

  it("T3 restoring twice changes nothing the second time, and checks its precondition", async () => {
    const { id } = await person.create();
    await person.remove(id);
    const [deleted] = (await person.list("?status=deleted")).data;
    expect((await restore(person, id, { "if-match": '"0"' })).status).toBe(412);
    const task = await ok<Task>(await restore(person, id, { "if-match": `"${deleted?.revision}"` }));
    expect(await ok(await restore(person, id))).toEqual(task);
  });

  it("T1 after 30 days a task is neither listed nor restored; S5 another user's task is 404", async () => {
    const [young, old] = [await person.create(), await person.create()];
    for (const { id } of [young, old]) await person.remove(id);
    await age(young.id, TRASH_DAYS - 1);
    await age(old.id, TRASH_DAYS + 1);
    const listed = (await person.list("?status=deleted")).data.map(({ id }) => id);
    expect([listed.includes(young.id), listed.includes(old.id)]).toEqual([true, false]);
    expect((await restore(person, old.id)).status).toBe(404);
    expect((await restore(await someone(), young.id)).status).toBe(404);
    expect((await restore(person, young.id)).status).toBe(200);
  });

  it("T5 the trash rejects `sort`", async () => {
    const answer = await person.call(`${person.path}?status=deleted&sort=title`);
    expect(answer.status).toBe(400);
    expect(await answer.json()).toMatchObject({ errors: [{ path: "sort" }] });
  });
});
