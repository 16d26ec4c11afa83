/** What one user may have and do, and the totals that the newest row carries. */
import { env } from "cloudflare:workers";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { runCleanup } from "../../src/housekeeping.ts";
import { TRASH_DAYS } from "../../src/tasks/retention.ts";
import { hastyApp } from "../support/apps.ts";
import { header, ok, type Person, someone } from "../support/client.ts";
import { countingD1 } from "../support/intercepted-d1.ts";

const DAY_MS = 86_400_000;
const counter = countingD1(env.DB);

type Usage = {
  tasks: { used: number; limit: number; open: number };
  bytes: { used: number; limit: number };
  changesPerDay: { used: number; limit: number; renewsAt: string };
};

async function newcomer(vars: Record<string, string> = {}): Promise<Person> {
  const { fetch } = await hastyApp({ vars, d1: counter.d1 });
  return someone(fetch);
}

const usageOf = async (who: Person) => ok<Usage>(await who.call("/api/v1/users/me/usage"));
const post = (who: Person, json: object, headers = {}) => who.call(who.path, { json, headers });
const batch = (who: Person, operations: object[], atomic = true, key?: string) =>
  who.call(`${who.path}/batch`, {
    json: { atomic, operations },
    headers: key === undefined ? {} : { "idempotency-key": key },
  });

/** The totals, counted from the tasks themselves. */
async function counted(who: Person) {
  return env.DB.prepare(
    `select count(*) filter (where deleted_at is null) as live,
       count(*) filter (where deleted_at is null and completed_at is null) as open,
       coalesce(sum(bytes) filter (where deleted_at is null), 0) as bytes,
       coalesce(sum(bytes) filter (where deleted_at is not null and title <> ''), 0) as trash
     from task where user_id = ?`,
  )
    .bind(who.id)
    .first();
}

async function carried(who: Person) {
  return env.DB.prepare(
    `select live_total as live, open_total as open, bytes_total as bytes, trash_total as trash
     from task where user_id = ? order by revision desc limit 1`,
  )
    .bind(who.id)
    .first();
}

/** Refused: the problem, and nothing was written. */
async function refused(request: () => Promise<Response>, code: string, quota: object) {
  counter.spent();
  const answer = await request();
  const daily = code === "daily_quota_exceeded";
  expect([answer.status, counter.spent().rowsWritten]).toEqual([daily ? 429 : 403, 0]);
  if (daily) expect(Number(header(answer, "retry-after"))).toBeLessThanOrEqual(86_400);
  expect(await answer.json()).toMatchObject({ code, quota: { ...quota, renewsAt: daily ? expect.any(String) : null } });
}

describe("T8 a user at their quota", () => {
  it("T8 of tasks cannot create, restore or import, and can do everything else", async () => {
    const who = await newcomer({ QUOTA_TASKS: "3" });
    const [a, b] = [await who.create(), await who.create(), await who.create()];
    await who.remove(a.id);
    await who.create({ title: "in its place" });
    const quota = { name: "tasks", limit: 3, used: 3 };
    await refused(() => post(who, { title: "one more" }), "quota_exceeded", quota);
    const key = { "idempotency-key": crypto.randomUUID() };
    await refused(() => post(who, { title: "with a key" }, key), "quota_exceeded", quota);
    await refused(() => who.call(`${who.path}/${a.id}/restore`, { method: "POST" }), "quota_exceeded", quota);
    await refused(
      () => who.call(`${who.path}/import`, { json: { tasks: [{ title: "imported" }] } }),
      "quota_exceeded",
      quota,
    );
    expect((await who.list()).data).toHaveLength(3);
    expect((await who.patch(b.id, { title: "longer than it was before" })).status).toBe(200);
    expect((await who.complete(b.id, true)).status).toBe(200);
    expect((await who.call(`${who.path}/export`)).status).toBe(200);
    expect((await who.remove(b.id)).status).toBe(204);
    expect((await post(who, { title: "with a key" }, key)).status).toBe(201);
  });

  it("T8 of bytes cannot lengthen text, and can shorten it", async () => {
    const who = await newcomer({ QUOTA_BYTES: "500" });
    const task = await who.create({ title: "x", description: "y".repeat(200) });
    const used = (await usageOf(who)).bytes.used;
    const quota = { name: "bytes", limit: 500, used };
    await refused(() => post(who, { title: "x".repeat(100) }), "quota_exceeded", quota);
    await refused(() => who.patch(task.id, { description: "y".repeat(300) }), "quota_exceeded", quota);
    await refused(() => who.put(task.id, { title: "x".repeat(250), description: "y" }), "quota_exceeded", quota);
    await refused(
      () => who.call(`${who.path}/import`, { json: { tasks: [{ title: "x".repeat(100) }] } }),
      "quota_exceeded",
      quota,
    );
    expect((await who.patch(task.id, { description: "z".repeat(200) })).status).toBe(200);
    expect((await who.patch(task.id, { priority: "high" })).status).toBe(200);
    expect((await who.patch(task.id, { description: "short" })).status).toBe(200);
    expect((await post(who, { title: "x".repeat(100) })).status).toBe(201);
  });

  it("T8 an import that would exceed the changes of a day is told so before the day's are used up", async () => {
    const who = await newcomer({ QUOTA_CHANGES_PER_DAY: "4" });
    await who.create();
    const answer = await who.call(`${who.path}/import`, {
      json: { tasks: ["a", "b", "c", "d"].map((title) => ({ title })) },
    });
    expect(answer.status).toBe(429);
    const { detail, quota } = await answer.json<{ detail: string; quota: { renewsAt: string } }>();
    expect(detail).toBe(
      `This would exceed your quota of 4 changes a day (1 made). Retry after ${quota.renewsAt}. Until then you can still complete and delete tasks.`,
    );
    expect((await who.list()).data).toHaveLength(1);
  });

  it("T8 of daily changes can only complete and delete until the next day", async () => {
    const who = await newcomer({ QUOTA_CHANGES_PER_DAY: "4" });
    const [a, b, c] = [await who.create(), await who.create(), await who.create(), await who.create()];
    const quota = { name: "changesPerDay", limit: 4, used: 4 };
    await refused(() => post(who, { title: "one more" }), "daily_quota_exceeded", quota);
    await refused(() => who.patch(a.id, { title: "changed" }), "daily_quota_exceeded", quota);
    await refused(() => who.patch(a.id, { title: "changed", completed: true }), "daily_quota_exceeded", quota);
    expect((await who.patch(a.id, { title: a.title })).status, "changes nothing").toBe(200);
    expect((await who.complete(a.id, true)).status).toBe(200);
    await refused(() => who.complete(a.id, false), "daily_quota_exceeded", { ...quota, used: 5 });
    expect((await who.remove(b.id)).status).toBe(204);
    expect((await who.list()).data).toHaveLength(3);
    expect((await who.call(`${who.path}/export`)).status).toBe(200);
    expect(
      (
        await batch(who, [
          { op: "complete", id: c.id, completed: true },
          { op: "delete", id: a.id },
        ])
      ).status,
    ).toBe(200);
    await env.DB.prepare("update task set changes_day = changes_day - 1 where user_id = ?").bind(who.id).run();
    expect((await post(who, { title: "one more" })).status).toBe(201);
    expect((await usageOf(who)).changesPerDay.used).toBe(1);
  });

  it("T8 a slow clock does not restart the day", async () => {
    const who = await newcomer({ QUOTA_CHANGES_PER_DAY: "3" });
    for (let n = 0; n < 2; n += 1) await who.create();
    // Another isolate's clock has passed midnight already.
    await env.DB.prepare("update task set changes_day = changes_day + 1 where user_id = ?").bind(who.id).run();
    expect((await usageOf(who)).changesPerDay.used).toBe(2);
    const statuses = [];
    for (let n = 0; n < 3; n += 1) statuses.push((await post(who, { title: "x" })).status);
    expect(statuses).toEqual([201, 429, 429]);
    expect((await usageOf(who)).changesPerDay.used).toBe(3);
  });

  it("T8 an unknown or changed task is reported before the quota", async () => {
    const who = await newcomer({ QUOTA_CHANGES_PER_DAY: "1" });
    const task = await who.create();
    expect((await who.patch(task.id, { title: "x" }, { "if-match": '"99"' })).status).toBe(412);
    expect((await who.patch(crypto.randomUUID(), { title: "x" })).status).toBe(404);
  });

  it("T8 an import that exceeds a quota is refused as a whole; a repeated one is not", async () => {
    const who = await newcomer({ QUOTA_TASKS: "5" });
    const file = (count: number) => ({ tasks: Array.from({ length: count }, (_, n) => ({ title: `task ${n}` })) });
    const send = (count: number) => who.call(`${who.path}/import`, { json: file(count) });
    await refused(() => send(6), "quota_exceeded", { name: "tasks", limit: 5, used: 0 });
    expect(await ok(await send(5))).toMatchObject({ imported: 5 });
    expect(await ok(await send(5))).toMatchObject({ imported: 0, exists: 5 });
    await refused(() => send(6), "quota_exceeded", { name: "tasks", limit: 5, used: 5 });
    expect(await carried(who)).toEqual(await counted(who));
  });

  it("T8 a far too long tag is refused before it is folded", async () => {
    const who = await newcomer();
    const tag = `a${"\u0345".repeat(15_000)}${"\u0334".repeat(10_000)}`;
    const answer = await post(who, { title: "x", tags: [tag] });
    expect([answer.status, await answer.json()]).toMatchObject([400, { errors: [{ path: "tags.0" }] }]);
  });

  it("T8 parallel creations stop at the limit, exactly", async () => {
    const who = await newcomer({ QUOTA_TASKS: "10" });
    const answers = await Promise.all(Array.from({ length: 25 }, () => post(who, { title: "x" })));
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(10);
    expect(await counted(who)).toMatchObject({ live: 10 });
  });
});

describe("T8 batches", () => {
  const create = (title: string) => ({ op: "create", task: { title } });

  it("T8 atomic: the operation that exceeds a quota is named", async () => {
    const who = await newcomer({ QUOTA_TASKS: "2" });
    const operations = [create("a"), create("b"), create("c")];
    const answer = await batch(who, operations);
    expect(answer.status).toBe(403);
    expect(await answer.json()).toMatchObject({ code: "quota_exceeded", operation: 2, quota: { used: 2, limit: 2 } });
    expect((await who.list()).data).toEqual([]);
    const [task] = (await ok<{ results: { id: string }[] }>(await batch(who, [create("a"), create("b")]))).results;
    expect((await batch(who, [{ op: "delete", id: task?.id }, create("c")])).status).toBe(200);
  });

  it("T8 not atomic: the rest is done, and a later repetition gets the same answer", async () => {
    const who = await newcomer({ QUOTA_TASKS: "2", QUOTA_CHANGES_PER_DAY: "6" });
    const task = await who.create();
    const operations = [
      create("a"),
      create("b"),
      { op: "delete", id: task.id },
      { op: "patch", id: crypto.randomUUID(), task: { title: "x" } },
    ];
    const key = crypto.randomUUID();
    type Results = { results: { status: number; code?: string }[] };
    const first = await ok<Results>(await batch(who, operations, false, key));
    expect(first.results.map(({ status, code }) => [status, code])).toEqual([
      [201, undefined],
      [403, "quota_exceeded"],
      [204, undefined],
      [404, "not_found"],
    ]);
    const other = await who.create();
    const again = await batch(who, operations, false, key);
    expect(again.headers.get("idempotency-replayed")).toBe("true");
    expect((await ok<Results>(again)).results.map(({ status, code }) => [status, code])).toEqual(
      first.results.map(({ status, code }) => [status, code]),
    );
    await who.patch(other.id, { priority: "low" });
    await who.patch(other.id, { priority: "high" });
    const edits = [
      { op: "patch", id: other.id, task: { title: "edited" } },
      { op: "complete", id: other.id, completed: true },
    ];
    const unique = [edits[0] ?? {}];
    const late = crypto.randomUUID();
    for (const round of ["first", "again"]) {
      const { results } = await ok<Results>(await batch(who, unique, false, late));
      expect(
        results.map(({ status, code }) => [status, code]),
        round,
      ).toEqual([[429, "daily_quota_exceeded"]]);
    }
  });

  it("T8 a repetition returns the first results, whatever quota is used up", async () => {
    const who = await newcomer({ QUOTA_CHANGES_PER_DAY: "3" });
    const [task, done] = [await who.create(), await who.create({ title: "done", completed: true })];
    const gone = await who.create();
    const operations = [
      { op: "patch", id: crypto.randomUUID(), task: { title: "x" } },
      { op: "patch", id: task.id, task: { title: "x" } },
      { op: "patch", id: task.id.replace(/.$/, "g"), task: { title: "x" } },
      { op: "complete", id: done.id, completed: true },
      { op: "complete", id: crypto.randomUUID(), completed: false },
      { op: "delete", id: gone.id },
      create("one more"),
    ];
    type Results = { results: { status: number; code?: string }[] };
    const key = crypto.randomUUID();
    const told = async () =>
      (await ok<Results>(await batch(who, operations, false, key))).results.map(({ status, code }) => [status, code]);
    const first = await told();
    expect(first.map(([status]) => status)).toEqual([404, 429, 404, 200, 404, 204, 429]);
    expect(await told()).toEqual(first);
  });

  it("T8 refused creations with a key write no rows", async () => {
    const who = await newcomer({ QUOTA_TASKS: "1" });
    await who.create();
    counter.spent();
    const operations = Array.from({ length: 100 }, (_, n) => create(`${n}`));
    await batch(who, operations, false, crypto.randomUUID());
    expect(counter.spent().rowsWritten).toBeLessThanOrEqual(2);
  });

  it("T8 a key whose task was erased is 404, and returns no blank task", async () => {
    const who = await newcomer({ QUOTA_BYTES: "150" });
    const key = { "idempotency-key": crypto.randomUUID() };
    const filler = await who.create({ title: "a".repeat(40) });
    await who.remove(filler.id);
    const { id } = await ok<{ id: string }>(await post(who, { title: "b".repeat(40) }, key), 201);
    await who.remove(id);
    expect((await post(who, { title: "b".repeat(40) }, key)).status).toBe(404);
    const batchKey = crypto.randomUUID();
    const operations = [create("c".repeat(40))];
    const [made] = (await ok<{ results: { id: string }[] }>(await batch(who, operations, true, batchKey))).results;
    await who.remove(made?.id ?? "");
    expect(await ok(await batch(who, operations, true, batchKey))).toMatchObject({
      results: [{ status: 201, task: null }],
    });
  });

  it("T8 a key that succeeded is replayed, whatever quota is used up since", async () => {
    const who = await newcomer({ QUOTA_TASKS: "1" });
    const key = { "idempotency-key": crypto.randomUUID() };
    const first = await ok<{ id: string }>(await post(who, { title: "once" }, key), 201);
    expect(await ok(await post(who, { title: "once" }, key), 201)).toMatchObject({ id: first.id });
    const batchKey = crypto.randomUUID();
    await who.remove(first.id);
    expect((await batch(who, [create("a")], true, batchKey)).status).toBe(200);
    expect((await batch(who, [create("a")], true, batchKey)).status).toBe(200);
  });
});

describe("T8 totals", () => {
  it("T8 are returned by every list and /usage, for the caller only", async () => {
    const [who, other] = [await newcomer(), await newcomer()];
    await other.create();
    for (let n = 0; n < 5; n += 1) await who.create({ title: `${n}`, completed: n > 2 });
    for (const query of ["", "?limit=1", "?status=completed", "?q=nowhere", "?status=deleted"]) {
      expect(await ok(await who.call(who.path + query)), query).toMatchObject({ total: { live: 5, open: 3 } });
    }
    const { nextCursor } = await who.list("?limit=2");
    expect(await ok(await who.call(`${who.path}?limit=2&cursor=${nextCursor}`))).toMatchObject({
      total: { live: 5, open: 3 },
    });
    const usage = await usageOf(who);
    expect(usage).toMatchObject({
      tasks: { used: 5, open: 3, limit: 10_000 },
      changesPerDay: { used: 5, limit: 20_000 },
    });
    expect(new Date(usage.changesPerDay.renewsAt).getTime() % DAY_MS).toBe(0);
    expect((await who.call(`/api/v1/users/${other.id}/usage`)).status).toBe(403);
  });

  it("T8 are exact after any history", async () => {
    const text = fc.string({ unit: "grapheme", minLength: 1, maxLength: 30 }).filter((value) => value.trim() !== "");
    const operation = fc.record({
      kind: fc.constantFrom("create", "patch", "complete", "reopen", "delete", "restore", "import", "batch", "put"),
      on: fc.nat(20),
      text,
    });
    await fc.assert(
      fc.asyncProperty(fc.array(operation, { minLength: 5, maxLength: 25 }), async (operations) => {
        const who = await newcomer({ QUOTA_TASKS: "6", QUOTA_BYTES: "900" });
        const ids: string[] = [];
        for (const { kind, on, text: title } of operations) {
          const id = ids[on % Math.max(1, ids.length)] ?? crypto.randomUUID();
          if (kind === "create" || ids.length === 0) {
            const answer = await post(who, { title, description: on % 2 ? title : null, completed: on % 3 === 0 });
            if (answer.status === 201) ids.push((await answer.json<{ id: string }>()).id);
          } else if (kind === "patch")
            await who.patch(id, { title, tags: on % 2 ? [title.trim().slice(0, 9).trim() || "t"] : [] });
          else if (kind === "put") await who.put(id, { title, completed: on % 2 === 0 });
          else if (kind === "complete" || kind === "reopen") await who.complete(id, kind === "complete");
          else if (kind === "delete") await who.remove(id);
          else if (kind === "restore") await who.call(`${who.path}/${id}/restore`, { method: "POST" });
          else if (kind === "import") {
            const tasks = [{ id, title }, { title }, { title, completed: true }];
            await who.call(`${who.path}/import`, { json: { tasks } });
          } else {
            const steps = [
              { op: "create", task: { title } },
              { op: "delete", id },
              { op: "create", task: { title } },
            ];
            await batch(who, steps, on % 2 === 0, on % 3 ? undefined : crypto.randomUUID());
          }
          expect(await carried(who), kind).toEqual(await counted(who));
        }
      }),
      { numRuns: 25 },
    );
  });

  it("T8 the trash is bounded: beyond it contents are erased at once, and room returns after 30 days", async () => {
    const who = await newcomer({ QUOTA_BYTES: "600" });
    const long = { title: "x", description: "y".repeat(200) };
    const first = await who.create(long);
    await who.remove(first.id);
    const next = await who.create(long);
    await who.remove(next.id);
    expect((await ok<{ data: { id: string }[] }>(await who.call(`${who.path}?status=deleted`))).data).toMatchObject([
      { id: first.id },
    ]);
    expect((await who.call(`${who.path}/${next.id}/restore`, { method: "POST" })).status).toBe(404);
    expect(await carried(who)).toEqual(await counted(who));
    await env.DB.prepare("update task set deleted_at = deleted_at - ? where user_id = ? and deleted_at is not null")
      .bind((TRASH_DAYS + 1) * DAY_MS, who.id)
      .run();
    await runCleanup(env.DB, Date.now());
    expect(await carried(who)).toMatchObject({ trash: 0 });
    const later = await who.create(long);
    await who.remove(later.id);
    expect((await who.call(`${who.path}/${later.id}/restore`, { method: "POST" })).status).toBe(200);
  });
});
