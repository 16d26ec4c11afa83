/** Tasks whose ids their callers chose, so that a device can make them without a network. */
import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, it } from "vitest";
import type { Task } from "../../src/tasks/model.ts";
import { appWith } from "../support/apps.ts";
import { clientFor, header, ok, type Person, someone } from "../support/client.ts";
import { flakyD1 } from "../support/intercepted-d1.ts";

let person: Person;

beforeAll(async () => {
  person = await someone();
});

const create = (json: object, headers = {}, by: Pick<Person, "call"> = person) =>
  by.call(person.path, { json, headers });
const inBatch = (json: object, headers = {}) => person.call(`${person.path}/batch`, { json, headers });
const keyed = () => ({ "idempotency-key": crypto.randomUUID() });

async function rowsOf(who: Person): Promise<unknown[]> {
  return (await env.DB.prepare("select * from task where user_id = ? order by id").bind(who.id).all()).results;
}

async function keysOf(who: Person): Promise<number | null> {
  return env.DB.prepare("select count(*) as n from receipt where user_id = ?").bind(who.id).first<number>("n");
}

describe("T9 an id of the caller's own", () => {
  it("T9 names the new task, in either case", async () => {
    for (const [id, headers] of [
      [crypto.randomUUID(), {}],
      [crypto.randomUUID().toUpperCase(), {}],
      ["0195A3C0-7B1E-7C3A-9D41-0A52F3B7C1DE", keyed()],
    ] as const) {
      const answer = await create({ id, title: "Mine" }, headers);
      expect(header(answer, "location")).toBe(`${person.path}/${id.toLowerCase()}`);
      const task = await ok<Task>(answer, 201);
      expect(task.id).toBe(id.toLowerCase());
      expect(await person.read(id)).toEqual(task);
      expect((await person.patch(id.toUpperCase(), { priority: "high" })).status).toBe(200);
    }
  });

  it.each(["", "1", "no uuid", "0195a3c0-7b1e-7c3a-9d41-0a52f3b7c1d", 7, null, `${crypto.randomUUID()} `])(
    "T2 %j is no id: 400",
    async (id) => {
      const before = await rowsOf(person);
      const answer = await create({ id, title: "x" });
      expect([answer.status, await answer.json()]).toMatchObject([400, { errors: [{ path: "id" }] }]);
      expect(await rowsOf(person)).toEqual(before);
    },
  );

  it("T2 cannot be changed: PUT and PATCH refuse it", async () => {
    const { id } = await person.create();
    for (const answer of [await person.put(id, { id, title: "x" }), await person.patch(id, { id })]) {
      expect([answer.status, await answer.json()]).toMatchObject([400, { errors: [{ path: "id" }] }]);
    }
  });

  it("T9 the same creation twice is one task, with a key or without", async () => {
    const json = { id: crypto.randomUUID(), title: "Once", due: "2026-03-01T10:00:00+01:00", tags: ["b", "a"] };
    const first = await ok<Task>(await create(json), 201);
    const before = await rowsOf(person);
    const keys = await keysOf(person);
    const same = { ...json, id: json.id.toUpperCase(), title: " Once ", due: "2026-03-01T09:00:00Z", tags: ["a", "b"] };
    for (const headers of [{}, keyed()]) {
      for (const repetition of [json, same]) {
        const again = await create(repetition, headers);
        expect(header(again, "idempotency-replayed")).toBe("true");
        expect([header(again, "etag"), header(again, "location")]).toEqual(
          ['"1"', `${person.path}/${first.id}`].with(0, `"${first.revision}"`),
        );
        expect(await ok<Task>(again, 201)).toEqual(first);
      }
    }
    expect(await rowsOf(person)).toEqual(before);
    expect(await keysOf(person)).toBe(keys);
  });

  it("T9 other contents under a taken id are 409, and nothing is done", async () => {
    const id = crypto.randomUUID();
    const task = { title: "Taken", description: "d", priority: "low", due: "2026-03-01", tags: ["x"] };
    await create({ id, ...task });
    const before = await rowsOf(person);
    for (const headers of [{}, keyed()]) {
      for (const other of [
        { title: "Other" },
        { description: null },
        { priority: "high" },
        { due: null },
        { tags: [] },
        { completed: true },
      ]) {
        const answer = await create({ id, ...task, ...other }, headers);
        expect(answer.status, JSON.stringify(other)).toBe(409);
        expect(header(answer, "content-type")).toContain("application/problem+json");
        expect(await answer.json()).toMatchObject({ code: "id_taken" });
      }
      // The key stays free.
      expect((await create({ title: "Other" }, headers)).status).toBe(201);
      await env.DB.prepare("delete from task where user_id = ? and title = 'Other'").bind(person.id).run();
    }
    expect(await rowsOf(person)).toEqual(before);
  });

  it("T9 the id of a deleted task stays taken, also once it is erased", async () => {
    const task = await ok<Task>(await create({ id: crypto.randomUUID(), title: "Gone" }), 201);
    await person.remove(task.id);
    expect((await create({ id: task.id, title: "Gone" })).status).toBe(409);
    await env.DB.prepare("update task set title = '', title_key = '' where id = ?").bind(task.id).run();
    expect((await create({ id: task.id, title: "Gone" })).status).toBe(409);
  });

  it("S6 another user's equal id is nobody's business", async () => {
    const other = await someone();
    const { id } = await other.create({ title: "Theirs" });
    const before = await rowsOf(other);
    expect(await ok<Task>(await create({ id, title: "Mine" }), 201)).toMatchObject({ id, title: "Mine" });
    expect((await create({ id, title: "Mine" })).status).toBe(201);
    expect((await inBatch({ operations: [{ op: "create", id, task: { title: "Mine" } }] })).status).toBe(200);
    expect(await rowsOf(other)).toEqual(before);
    await person.remove(id);
    expect((await other.read(id)).title).toBe("Theirs");
  });

  it("T9 12 creations at once make one task", async () => {
    const fresh = await someone();
    const json = { id: crypto.randomUUID(), title: "Twin" };
    const answers = await Promise.all(Array.from({ length: 12 }, () => fresh.call(fresh.path, { json })));
    expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 12 }, () => 201));
    expect(answers.filter((answer) => answer.headers.get("idempotency-replayed") === null)).toHaveLength(1);
    expect(await rowsOf(fresh)).toHaveLength(1);
  });

  it("T9 W2 a creation whose answer was lost is found by its id", async () => {
    const fresh = await someone();
    const json = { id: crypto.randomUUID(), title: "Lost" };
    const { fetch } = await appWith({ d1: flakyD1(env.DB, "D1_ERROR: Network connection lost.", 1, true) });
    const lost = await clientFor(fresh.accessToken, fetch).call(fresh.path, { json });
    expect(lost.status).toBe(503);
    expect((await ok<Task>(await fresh.call(fresh.path, { json }), 201)).id).toBe(json.id);
    expect(await rowsOf(fresh)).toHaveLength(1);
  });
});

describe("T9 in a batch", () => {
  it("T9 a later operation names the task that an earlier one creates", async () => {
    const [one, two] = [crypto.randomUUID().toUpperCase(), crypto.randomUUID()];
    const operations = [
      { op: "create", id: one, task: { title: "One" } },
      { op: "create", task: { id: two, title: "Two" } },
      { op: "patch", id: one, task: { priority: "high" } },
      { op: "complete", id: two, completed: true },
    ];
    for (const atomic of [true, false]) {
      for (const headers of [{}, keyed()]) {
        const fresh = await someone();
        const answer = await fresh.call(`${fresh.path}/batch`, { json: { atomic, operations }, headers });
        const { results } = await ok<{ results: { id: string; status: number }[] }>(answer);
        expect(results.map(({ id, status }) => [id, status])).toEqual([
          [one.toLowerCase(), 201],
          [two, 201],
          [one.toLowerCase(), 200],
          [two, 200],
        ]);
        expect(await fresh.read(one)).toMatchObject({ title: "One", priority: "high" });
      }
    }
  });

  it("T9 a taken id refuses the operation, or the whole atomic batch", async () => {
    const { id } = await person.create({ title: "Taken" });
    const before = await rowsOf(person);
    const operations = [
      { op: "create", id, task: { title: "Taken" } },
      { op: "create", id, task: { title: "Other" } },
    ];
    for (const headers of [{}, keyed()]) {
      const atomic = await inBatch({ operations }, headers);
      expect([atomic.status, await atomic.json()]).toMatchObject([409, { code: "id_taken", operation: 1 }]);
      const { results } = await ok<{ results: object[] }>(await inBatch({ atomic: false, operations }, headers));
      expect(results).toMatchObject([
        { id, status: 201, task: { title: "Taken" } },
        { id, status: 409, code: "id_taken", task: null },
      ]);
    }
    expect(await rowsOf(person)).toEqual(before);
  });
});
