import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, it } from "vitest";
import type { Task } from "../../src/tasks/model.ts";
import { appWith } from "../support/apps.ts";
import { clientFor, header, ok, type Person, someone, tasksOf } from "../support/client.ts";
import { countingD1, failingD1, flakyD1 } from "../support/intercepted-d1.ts";

let person: Person;

beforeAll(async () => {
  person = await someone();
});

const keyed = (key: string = crypto.randomUUID()) => ({ "idempotency-key": key });
const create = (headers: Record<string, string>, json: object = { title: "Once" }, by: Pick<Person, "call"> = person) =>
  by.call(person.path, { json, headers });

async function countTasks(who: Person): Promise<number> {
  const row = await env.DB.prepare("select count(*) as n from task where user_id = ?")
    .bind(who.id)
    .first<{ n: number }>();
  return row?.n ?? -1;
}

describe("T1 creating with an idempotency key", () => {
  it("T1 the same key and body return the same task, marked as replayed", async () => {
    const headers = keyed();
    const first = await create(headers);
    const task = await ok<Task>(first, 201);
    expect(first.headers.get("idempotency-replayed")).toBeNull();
    for (let n = 0; n < 3; n += 1) {
      const again = await create(headers);
      expect([again.status, header(again, "idempotency-replayed")]).toEqual([201, "true"]);
      expect([header(again, "location"), header(again, "etag")]).toEqual([
        header(first, "location"),
        header(first, "etag"),
      ]);
      expect(await again.json()).toEqual(task);
    }
  });

  it("T1 spacing, order and defaults do not make another body", async () => {
    const headers = { ...keyed(), "content-type": "application/json" };
    const bodies = ['{"title":"A","completed":false}', ' { "completed":false , "title" : " A " } ', '{"title":"A"}'];
    const ids = [];
    for (const body of bodies)
      ids.push((await ok<Task>(await person.call(person.path, { method: "POST", headers, body }), 201)).id);
    expect(new Set(ids).size).toBe(1);
  });

  it("T1 12 parallel requests with one key create one task, which all return", async () => {
    const fresh = await someone();
    const headers = keyed();
    const answers = await Promise.all(Array.from({ length: 12 }, () => create(headers, { title: "Twin" }, fresh)));
    const tasks = await Promise.all(answers.map((answer) => ok<Task>(answer, 201)));
    expect(new Set(tasks.map(({ id }) => id)).size).toBe(1);
    expect(answers.filter((answer) => answer.headers.get("idempotency-replayed") === null)).toHaveLength(1);
    expect(await countTasks(fresh)).toBe(1);
  });

  it("T1 another body with the key is 422, and nothing is done", async () => {
    const headers = keyed();
    await create(headers);
    const before = await countTasks(person);
    const answer = await create(headers, { title: "Other" });
    expect(answer.status).toBe(422);
    expect(await answer.json()).toMatchObject({ code: "idempotency_key_reused" });
    const batch = await person.call(`${person.path}/batch`, {
      json: { operations: [{ op: "create", task: { title: "Once" } }] },
      headers,
    });
    expect(batch.status).toBe(422);
    expect(await countTasks(person)).toBe(before);
  });

  it("S6 each user has their own keys", async () => {
    const other = await someone();
    const headers = keyed();
    const [mine, theirs] = [
      await ok<Task>(await create(headers), 201),
      await create(headers, { title: "Theirs" }, other),
    ];
    expect(theirs.headers.get("idempotency-replayed")).toBeNull();
    expect((await ok<Task>(theirs, 201)).id).not.toBe(mine.id);
  });

  it("S6 a key and an id that two users share lead each to their own task", async () => {
    const [victim, attacker] = [await someone(), await someone()];
    const headers = keyed();
    const task = await ok<Task>(await create(headers, { title: "Victim's" }, victim), 201);
    const file = { tasks: [{ id: task.id, title: "Attacker's" }] };
    expect((await attacker.call(`${person.path}/import`, { json: file })).status).toBe(200);
    await create(headers, { title: "Attacker's, too" }, attacker);
    expect(await ok(await create(headers, { title: "Victim's" }, victim), 201)).toEqual(task);
    const theirs = await create(headers, { title: "Attacker's, too" }, attacker);
    expect(await theirs.json()).toMatchObject({ title: "Attacker's, too" });
    expect((await create(headers, { title: "Victim's" }, attacker)).status).toBe(422);
  });

  it("T1 a repetition returns the task as it is now, also a deleted one", async () => {
    const headers = keyed();
    const task = await ok<Task>(await create(headers), 201);
    await person.patch(task.id, { title: "Changed" });
    expect(await ok<Task>(await create(headers), 201)).toMatchObject({ id: task.id, title: "Changed" });
    await person.remove(task.id);
    expect(await ok<Task>(await create(headers), 201)).toMatchObject({ id: task.id, deletedAt: expect.any(String) });
  });

  it("L2 an ended session gets no replay", async () => {
    const guest = await someone();
    const headers = keyed();
    await create(headers, { title: "Once" }, guest);
    await env.DB.prepare("delete from session where user_id = ?").bind(guest.id).run();
    expect((await create(headers, { title: "Once" }, guest)).status).toBe(401);
  });

  it.each(["", "a b", "é", "x".repeat(256), "x".repeat(10_000)])("T2 %j is no key: 400", async (key) => {
    const answer = await create(keyed(key));
    expect(answer.status).toBe(400);
    expect(await answer.json()).toMatchObject({ errors: [{ path: "idempotency-key" }] });
  });
});

describe("U6 when D1 fails", () => {
  const MESSAGE = "D1_ERROR: Network connection lost.";
  const through = async (d1: D1Database) => clientFor(person.accessToken, (await appWith({ d1 })).fetch);

  it.each([1, 2])("T1 a keyed creation is retried after %i failures, and creates one task", async (failures) => {
    for (const wasDone of [false, true]) {
      const before = await countTasks(person);
      const answer = await create(
        keyed(),
        { title: "Kept" },
        await through(flakyD1(env.DB, MESSAGE, failures, wasDone)),
      );
      expect(await ok<Task>(answer, 201)).toMatchObject({ title: "Kept" });
      expect(await countTasks(person)).toBe(before + 1);
    }
  });

  it("T1 a creation whose answer was lost is found by its key", async () => {
    const headers = keyed();
    const lost = await create(headers, { title: "Lost" }, await through(flakyD1(env.DB, MESSAGE, 99, true)));
    expect(lost.status).toBe(503);
    const found = await create(headers, { title: "Lost" });
    expect([found.status, header(found, "idempotency-replayed")]).toEqual([201, "true"]);
  });

  it("T1 a replica without the record yet does not make the key count as reused", async () => {
    const headers = keyed();
    await create(headers, { title: "Once" });
    const blind = new Proxy(env.DB, {
      get(target, name) {
        if (name !== "withSession") return Reflect.get(target, name);
        return (constraint: string) => {
          const session = target.withSession(constraint);
          const prepare = (sql: string) =>
            session.prepare(
              sql.replace(/ from "receipt"( where)/, " from (select * from receipt limit 0) as receipt$1"),
            );
          return { prepare, batch: session.batch.bind(session), getBookmark: () => session.getBookmark() };
        };
      },
    });
    const answer = await create(headers, { title: "Once" }, await through(blind));
    expect([answer.status, header(answer, "retry-after")]).toEqual([503, "2"]);
    expect((await create(headers, { title: "Once" })).status).toBe(201);
  });

  it("T1 a creation without a key is not retried", async () => {
    const before = await countTasks(person);
    expect((await create({}, { title: "x" }, await through(flakyD1(env.DB, MESSAGE, 1, true)))).status).toBe(503);
    expect(await countTasks(person)).toBe(before + 1);
  });

  it("T3 a conditional write is retried, and only success is believed", async () => {
    for (const wasDone of [false, true]) {
      const task = await person.create();
      const flaky = tasksOf(await through(flakyD1(env.DB, MESSAGE, 1, wasDone)));
      const answer = await flaky.patch(task.id, { title: "Changed" }, { "if-match": `"${task.revision}"` });
      // Had it been done the first time, a second answer of 412 would be a lie.
      expect(answer.status).toBe(wasDone ? 503 : 200);
      expect((await person.read(task.id)).title).toBe("Changed");
      expect(
        (await tasksOf(await through(flakyD1(env.DB, MESSAGE, 1, false))).patch(task.id, { title: "x" })).status,
      ).toBe(503);
    }
  });

  it("U6 a lasting failure is 503 with Retry-After on every route", async () => {
    const failing = await through(failingD1(env.DB, MESSAGE));
    const { path } = person;
    for (const [way, init] of [
      [path, {}],
      [path, { json: { title: "x" }, headers: keyed() }],
      [`${path}/batch`, { json: { operations: [{ op: "create", task: { title: "x" } }] }, headers: keyed() }],
      [`${path}/changes`, {}],
      [`${path}/export`, {}],
      [`${path}/import`, { json: { tasks: [{ title: "x" }] } }],
    ] as const) {
      const answer = await failing.call(way, init);
      expect([answer.status, header(answer, "retry-after")], way).toEqual([503, "2"]);
    }
  });
});

describe("S7 a key that others use too", () => {
  it("S7 a keyed request reads the same number of rows, however many records others have", async () => {
    const counter = countingD1(env.DB);
    const { fetch } = await appWith({ d1: counter.d1 });
    const [person, other] = [await someone(fetch), await someone(fetch)];
    const measure = async () => {
      const headers = { "idempotency-key": "shared" };
      const [idle, create] = [[{ op: "delete", id: "nothing" }], [{ op: "create", task: { title: "x" } }]];
      const rows: number[] = [];
      for (const [operations, key] of [
        [idle, headers],
        [create, headers],
        [create, headers],
      ] as const) {
        counter.spent();
        const json = { atomic: false, operations };
        expect((await person.call(`${person.path}/batch`, { json, headers: key })).status).toBe(200);
        rows.push(counter.spent().rowsRead);
      }
      await env.DB.prepare("delete from receipt where user_id = ?").bind(person.id).run();
      return rows;
    };
    await measure();
    const alone = await measure();
    await env.DB.prepare(
      `with recursive n (i) as (select 1 union all select i + 1 from n where i < 300)
       insert into receipt (user_id, key, request_digest, results, created_at)
       select ?1, iif(i = 1, 'shared', 'key ' || i), 'x', '["done"]', 1 from n`,
    )
      .bind(other.id)
      .run();
    expect(await measure()).toEqual(alone);
  });

  it("T8 another user's record does not take the key of a creation that a quota refuses", async () => {
    const { fetch } = await appWith({ vars: { QUOTA_TASKS: "1" } });
    const [first, second] = [await someone(fetch), await someone(fetch)];
    const headers = { "idempotency-key": crypto.randomUUID() };
    const create = (who: Person) => who.call(who.path, { json: { title: "Keyed" }, headers });
    const { id } = await second.create();
    expect((await create(first)).status).toBe(201);
    expect((await create(second)).status).toBe(403);
    await second.remove(id);
    expect((await create(second)).status).toBe(201);
  });
});
