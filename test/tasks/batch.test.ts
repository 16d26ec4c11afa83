import { env } from "cloudflare:workers";
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import type { Task } from "../../src/tasks/model.ts";
import { appWith } from "../support/apps.ts";
import { clientFor, header, ok, type Person, someone } from "../support/client.ts";
import { countingD1, flakyD1 } from "../support/intercepted-d1.ts";

type Results = {
  results: {
    op: string;
    id: string;
    status: number;
    code?: string;
    revision?: number;
    errors?: { path: string }[];
    task: Task | null;
  }[];
};

let person: Person;

beforeAll(async () => {
  person = await someone();
});

const send = (operations: unknown, more: object = {}, headers = {}, by: Pick<Person, "call"> = person) =>
  by.call(`${person.path}/batch`, { json: { operations, ...more }, headers });

async function rowsOf(who: Person): Promise<unknown[]> {
  return (await env.DB.prepare("select * from task where user_id = ? order by id").bind(who.id).all()).results;
}

describe("T1 a batch", () => {
  it("T1 runs its operations in order, in one round trip", async () => {
    const [a, b, c, d] = [await person.create(), await person.create(), await person.create(), await person.create()];
    const counter = countingD1(env.DB);
    const counted = clientFor(person.accessToken, (await appWith({ d1: counter.d1 })).fetch);
    const operations = [
      { op: "create", task: { title: "New", priority: "high", tags: ["x"] } },
      { op: "replace", id: a.id, ifMatch: `"${a.revision}"`, task: { title: "Replaced" } },
      { op: "patch", id: b.id, task: { description: "Patched" } },
      { op: "patch", id: b.id, task: { due: "2026-03-01" } },
      { op: "complete", id: c.id, ifMatch: "*", completed: true },
      { op: "delete", id: d.id },
    ];
    const { results } = await ok<Results>(await send(operations, {}, {}, counted));
    expect(counter.spent().roundTrips).toBe(1);
    expect(results.map(({ op, status }) => `${op} ${status}`)).toEqual([
      "create 201",
      "replace 200",
      "patch 200",
      "patch 200",
      "complete 200",
      "delete 204",
    ]);
    expect(results[0]?.task).toEqual(await person.read(results[0]?.id ?? ""));
    expect(results[1]?.task).toMatchObject({ id: a.id, title: "Replaced" });
    expect(results[3]?.task).toMatchObject({ id: b.id, description: "Patched", due: "2026-03-01" });
    expect(results[4]?.task).toMatchObject({ id: c.id, completed: true });
    expect((await person.call(`${person.path}/${d.id}`)).status).toBe(404);
    const revisions = results.flatMap(({ task }) => (task ? [task.revision] : []));
    expect(revisions).toEqual([...revisions].sort((x, y) => x - y));
  });

  it("T3 an operation that changes nothing returns 200 and keeps the revision", async () => {
    const task = await person.create();
    const { results } = await ok<Results>(await send([{ op: "complete", id: task.id, completed: false }]));
    expect(results).toEqual([{ op: "complete", id: task.id, status: 200, task }]);
  });

  it("T1 atomic: a refused operation is named, and nothing is done", async () => {
    const task = await person.create();
    const stale = `"${task.revision + 100}"`;
    const absent = crypto.randomUUID();
    const good = [
      { op: "create", task: { title: "Never" } },
      { op: "patch", id: task.id, task: { title: "Never" } },
      { op: "delete", id: task.id },
    ];
    for (const [bad, status, code] of [
      [{ op: "replace", id: absent, task: { title: "x" } }, 404, "not_found"],
      [{ op: "patch", id: absent, task: { title: "x" } }, 404, "not_found"],
      [{ op: "complete", id: absent, completed: true }, 404, "not_found"],
      [{ op: "delete", id: absent }, 404, "not_found"],
      [{ op: "patch", id: task.id, ifMatch: stale, task: { title: "x" } }, 412, "precondition_failed"],
      [{ op: "complete", id: task.id, ifMatch: stale, completed: true }, 412, "precondition_failed"],
      [{ op: "delete", id: task.id, ifMatch: stale }, 412, "precondition_failed"],
    ] as const) {
      for (const at of [0, 1, 2]) {
        const operations = good.toSpliced(at, 0, bad as never);
        const before = await rowsOf(person);
        for (const headers of [{}, { "idempotency-key": crypto.randomUUID() }]) {
          const answer = await send(operations, {}, headers);
          expect(answer.status).toBe(status);
          expect(await answer.json()).toMatchObject({ code, operation: at, errors: [{ path: `operations.${at}` }] });
        }
        expect(await rowsOf(person)).toEqual(before);
      }
    }
  });

  it("T3 a 412 returns the current revision", async () => {
    const task = await person.create();
    const answer = await send([{ op: "delete", id: task.id, ifMatch: '"0"' }]);
    expect(await answer.json()).toMatchObject({ revision: task.revision, operation: 0 });
  });

  it("T1 an operation sees the effect of earlier ones", async () => {
    const task = await person.create();
    const after = await send([
      { op: "delete", id: task.id },
      { op: "patch", id: task.id, task: { title: "Gone" } },
    ]);
    expect([after.status, (await after.json<{ operation: number }>()).operation]).toEqual([404, 1]);
    const stale = await send([
      { op: "patch", id: task.id, task: { title: "First" } },
      { op: "patch", id: task.id, ifMatch: `"${task.revision}"`, task: { title: "Second" } },
    ]);
    expect(stale.status).toBe(412);
    expect((await person.read(task.id)).title).toBe(task.title);
  });

  it("T1 not atomic: each operation has its own result", async () => {
    const [a, b, c] = [await person.create(), await person.create(), await person.create()];
    const operations = [
      { op: "patch", id: crypto.randomUUID(), task: { title: "x" } },
      { op: "patch", id: a.id, task: { title: "Done" } },
      { op: "delete", id: b.id, ifMatch: '"0"' },
      { op: "create", task: { title: "Made" } },
      { op: "complete", id: c.id, completed: false },
    ];
    const { results } = await ok<Results>(await send(operations, { atomic: false }));
    expect(results.map(({ status, code }) => [status, code])).toEqual([
      [404, "not_found"],
      [200, undefined],
      [412, "precondition_failed"],
      [201, undefined],
      [200, undefined],
    ]);
    expect(results[2]?.revision).toBe(b.revision);
    expect((await person.read(b.id)).revision).toBe(b.revision);
    expect((await person.read(a.id)).title).toBe("Done");
  });

  it("S5 S6 another user's tasks get the same result as unknown ids", async () => {
    const victim = await someone();
    const { id } = await victim.create();
    const before = await rowsOf(victim);
    for (const op of [
      { op: "replace", task: { title: "x" } },
      { op: "patch", task: { title: "x" } },
      { op: "complete", completed: true },
      { op: "delete" },
    ]) {
      for (const atomic of [true, false]) {
        for (const ifMatch of [undefined, "*", '"1"']) {
          const answers = [];
          for (const each of [id, crypto.randomUUID()]) {
            const answer = await send([{ ...op, id: each, ifMatch }], { atomic }, { "x-request-id": "same" });
            answers.push([answer.status, (await answer.text()).replaceAll(each, "ID")]);
          }
          expect(answers[0]).toEqual(answers[1]);
        }
      }
    }
    expect(await rowsOf(victim)).toEqual(before);
  });

  it("T1 takes 100 operations", async () => {
    const fresh = await someone();
    const operations = Array.from({ length: 100 }, (_, n) => ({ op: "create", task: { title: `Task ${n}` } }));
    const { results } = await ok<Results>(await send(operations, {}, {}, fresh));
    expect(results.map(({ task }) => task?.revision)).toEqual(Array.from({ length: 100 }, (_, n) => n + 1));
  });

  it.each([
    [{}, "operations"],
    [{ operations: [] }, "operations"],
    [{ operations: {} }, "operations"],
    [{ operations: [null] }, "operations.0"],
    [{ operations: [{ op: "drop" }] }, "operations.0.op"],
    [{ operations: [{ op: "create" }] }, "operations.0.task"],
    [{ operations: [{ op: "create", task: { title: " " } }] }, "operations.0.task.title"],
    [{ operations: [{ op: "create", id: "x", task: { title: "x" } }] }, "operations.0.id"],
    [{ operations: [{ op: "create", userId: "x", task: { title: "x" } }] }, "operations.0.userId"],
    [{ operations: [{ op: "delete" }] }, "operations.0.id"],
    [{ operations: [{ op: "delete", id: 7 }] }, "operations.0.id"],
    [{ operations: [{ op: "delete", id: "x", ifMatch: "x" }] }, "operations.0.ifMatch"],
    [{ operations: [{ op: "delete", id: "x", ifMatch: 7 }] }, "operations.0.ifMatch"],
    [{ operations: [{ op: "complete", id: "x", completed: "yes" }] }, "operations.0.completed"],
    [{ operations: [{ op: "patch", id: "x", task: { due: "soon" } }] }, "operations.0.task.due"],
    [{ operations: Array.from({ length: 101 }, () => ({ op: "delete", id: "x" })) }, "operations"],
    [{ atomic: "no", operations: [{ op: "delete", id: "x" }] }, "atomic"],
    [{ mode: "x", operations: [{ op: "delete", id: "x" }] }, "mode"],
    [{ atomic: false, operations: [] }, "operations"],
    [{ operations: [{ op: "create", id: "a", task: { title: "x" } }] }, "operations.0.id"],
    [{ operations: [{ op: "create", task: { id: "a", title: "x" } }] }, "operations.0.task.id"],
    [
      { operations: [{ op: "create", id: crypto.randomUUID(), task: { id: crypto.randomUUID(), title: "x" } }] },
      "operations.0.id",
    ],
  ])("T2 %j is refused at %s", async (json, path) => {
    const answer = await person.call(`${person.path}/batch`, { json });
    expect(answer.status).toBe(400);
    const { errors } = await answer.json<{ errors: { path: string }[] }>();
    expect(errors.map((error) => error.path)).toContain(path);
  });

  it("T2 an id of any form and length is 404 at most", async () => {
    for (const id of ["", "x".repeat(10_000), "' or 1=1 --", "__proto__", "\u0000".replace("\u0000", "%00")]) {
      expect((await send([{ op: "delete", id }])).status).toBe(404);
    }
  });
});

describe("T1 independent operations", () => {
  it("T1 may name a task more than once, and see the effect of earlier ones", async () => {
    const { id, revision } = await person.create({ title: "One" });
    const operations = [
      { op: "patch", id, ifMatch: `"${revision}"`, task: { title: "Two" } },
      { op: "patch", id, ifMatch: `"${revision}"`, task: { title: "Never" } },
      { op: "delete", id },
      { op: "complete", id, completed: true },
      { op: "restore", id },
      { op: "restore", id },
      { op: "complete", id, completed: true },
    ];
    const headers = { "idempotency-key": crypto.randomUUID() };
    const first = await ok<Results>(await send(operations, { atomic: false }, headers));
    expect(first.results.map(({ op, status }) => `${op} ${status}`)).toEqual([
      "patch 200",
      "patch 412",
      "delete 204",
      "complete 404",
      "restore 200",
      "restore 200",
      "complete 200",
    ]);
    expect(first.results[1]?.revision).toBe(revision + 1);
    expect(await person.read(id)).toMatchObject({ title: "Two", completed: true, revision: revision + 4 });
    const again = await ok<Results>(await send(operations, { atomic: false }, headers));
    expect(again.results.map(outcomeOf)).toEqual(first.results.map(outcomeOf));
    expect((await person.read(id)).revision).toBe(revision + 4);
  });

  it("T2 an invalid one is refused by itself, and names its fields", async () => {
    const { id } = await person.create();
    const operations = [
      { op: "patch", id, task: { title: " ", due: "soon" } },
      { op: "patch", id, task: { title: "Fine" } },
      { op: "drop", id },
      { op: "delete", id, ifMatch: "x" },
      { op: "create", id: "no uuid", task: { title: "x" } },
      { op: "create", task: { title: "Made" }, userId: person.id },
      null,
      "delete",
      { op: "x".repeat(1000), id: 7 },
    ];
    const headers = { "idempotency-key": crypto.randomUUID() };
    const { results } = await ok<Results>(await send(operations, { atomic: false }, headers));
    const refused = results.map(({ status, errors }) => [status, errors?.map(({ path }) => path)]);
    expect(refused).toEqual([
      [400, ["task.title", "task.due"]],
      [200, undefined],
      [400, ["op"]],
      [400, ["ifMatch"]],
      [400, ["id"]],
      [400, ["userId"]],
      [400, [""]],
      [400, [""]],
      [400, ["op"]],
    ]);
    expect(results[0]).toMatchObject({ op: "patch", id, code: "invalid_request", task: null });
    expect((await person.read(id)).title).toBe("Fine");
    expect(await ok<Results>(await send(operations, { atomic: false }, headers))).toEqual({ results });
    const others = operations.toSpliced(0, 1, { op: "patch", id, task: { title: "  " } });
    expect((await send(others, { atomic: false }, headers)).status).toBe(422);
    const none = await ok<Results>(await send([null], { atomic: false }, { "idempotency-key": crypto.randomUUID() }));
    expect(none.results[0]?.status).toBe(400);
  });

  it("L2 invalid ones alone still need an active session", async () => {
    const guest = await someone();
    await env.DB.prepare("delete from session where user_id = ?").bind(guest.id).run();
    for (const headers of [{}, { "idempotency-key": crypto.randomUUID() }]) {
      expect((await send([null], { atomic: false }, headers, guest)).status).toBe(401);
    }
  });

  it("T1 S6 have the results of their requests one by one, and keep them under their key", async () => {
    const operation = fc.record({
      op: fc.constantFrom("create", "patch", "complete", "delete", "restore"),
      at: fc.nat(2),
      title: fc.constantFrom("a", "b", " "),
      stale: fc.boolean(),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(operation, { minLength: 1, maxLength: 10 }), async (drafts) => {
        const ids = Array.from({ length: 3 }, () => crypto.randomUUID());
        const [batched, single] = [await someone(), await someone()];
        const operations = drafts.map(({ op, at, title, stale }) => ({
          ...{ op, id: ids[at] ?? "" },
          ...((op === "create" || op === "patch") && { task: { title } }),
          ...(op === "complete" && { completed: title === "a" }),
          ...(stale && op !== "create" && { ifMatch: '"0"' }),
        }));
        const headers = { "idempotency-key": crypto.randomUUID() };
        const { results } = await ok<Results>(await send(operations, { atomic: false }, headers, batched));
        const statuses: number[] = [];
        for (const each of operations) statuses.push((await alone(single, each)).status);
        expect(results.map(({ status }) => status)).toEqual(statuses);
        const after = await statesOf(batched);
        expect(after).toEqual(await statesOf(single));
        const again = await ok<Results>(await send(operations, { atomic: false }, headers, batched));
        expect(again.results.map(outcomeOf)).toEqual(results.map(outcomeOf));
        expect(await statesOf(batched)).toEqual(after);
      }),
      { numRuns: 20 },
    );
  });
});

/** A result without its task, which a repetition shows as it is then. */
function outcomeOf({ task: _, ...outcome }: Results["results"][number]) {
  return outcome;
}

function alone(
  who: Person,
  operation: { op: string; id: string; task?: object; completed?: boolean; ifMatch?: string },
) {
  const { op, id, task, completed, ifMatch } = operation;
  const headers: Record<string, string> = ifMatch === undefined ? {} : { "if-match": ifMatch };
  const path = `${who.path}/${id}`;
  if (op === "create") return who.call(who.path, { json: { id, ...task } });
  if (op === "restore") return who.call(`${path}/restore`, { method: "POST", headers });
  if (op === "delete") return who.call(path, { method: "DELETE", headers });
  if (op === "complete") return who.call(`${path}/complete`, { method: "PATCH", json: { completed }, headers });
  return who.call(path, { method: op === "replace" ? "PUT" : "PATCH", json: task ?? {}, headers });
}

async function statesOf(who: Person): Promise<unknown[]> {
  const query =
    "select title, revision, completed_at is not null as c, deleted_at is not null as d from task where user_id = ? order by revision";
  return (await env.DB.prepare(query).bind(who.id).all()).results;
}

describe("T1 a batch with an idempotency key", () => {
  it.each([true, false])("T1 atomic %s: a repeated key returns the same results, and does nothing", async (atomic) => {
    const [a, b] = [await person.create(), await person.create()];
    const operations = [
      { op: "create", task: { title: "Once" } },
      { op: "patch", id: a.id, task: { title: "Once" } },
      { op: "complete", id: b.id, completed: false },
      ...(atomic
        ? []
        : [
            { op: "delete", id: crypto.randomUUID() },
            { op: "delete", id: (await person.create()).id, ifMatch: '"0"' },
          ]),
    ];
    const headers = { "idempotency-key": crypto.randomUUID() };
    const first = await send(operations, { atomic }, headers);
    expect(first.headers.get("idempotency-replayed")).toBeNull();
    const results = await ok<Results>(first);
    const before = await rowsOf(person);
    for (let n = 0; n < 2; n += 1) {
      const again = await send(operations, { atomic }, headers);
      expect(header(again, "idempotency-replayed")).toBe("true");
      expect(await again.json()).toEqual(results);
    }
    expect(await rowsOf(person)).toEqual(before);
    expect((await send(operations.slice(1), { atomic }, headers)).status).toBe(422);
  });

  it.each([true, false])("T1 S7 atomic %s: a key under which nothing changed is not stored", async (atomic) => {
    const task = await person.create({ title: "Same", completed: true });
    const idle = [
      { op: "patch", id: task.id, task: { title: "Same" } },
      ...(atomic ? [] : [{ op: "delete", id: "\u{1F600}".repeat(50) }]),
    ];
    const headers = { "idempotency-key": crypto.randomUUID() };
    const kept = () =>
      env.DB.prepare("select count(*) as n from receipt where user_id = ?").bind(person.id).first<number>("n");
    const before = await kept();
    const first = await ok<Results>(await send(idle, { atomic }, headers));
    expect(await ok<Results>(await send(idle, { atomic }, headers))).toEqual(first);
    expect(await kept()).toBe(before);
    expect((await send([{ op: "complete", id: task.id, completed: false }], { atomic }, headers)).status).toBe(200);
    expect(await kept()).toBe(Number(before) + 1);
  });

  it("T1 a repeated creation that a quota refused gets the same result", async () => {
    const { fetch } = await appWith({ vars: { QUOTA_TASKS: "1" } });
    const fresh = await someone(fetch);
    const operations = ["a", "b"].map((title) => ({ op: "create", task: { title } }));
    const init = { json: { operations, atomic: false }, headers: { "idempotency-key": crypto.randomUUID() } };
    const first = await ok<Results>(await fresh.call(`${fresh.path}/batch`, init));
    expect(first.results.map(({ status }) => status)).toEqual([201, 403]);
    expect(await ok<Results>(await fresh.call(`${fresh.path}/batch`, init))).toEqual(first);
  });

  it("T1 S7 a record is short, however many operations changed nothing", async () => {
    const fresh = await someone();
    const task = await fresh.create({ title: "Changed", priority: "low" });
    const done = await fresh.create({ title: "Done", completed: true });
    const operations = [
      { op: "patch", id: task.id, task: { priority: "high" } },
      ...Array.from({ length: 98 }, (_, n) => ({ op: "delete", id: `nobody's ${n}` })),
      { op: "complete", id: done.id, completed: true },
    ];
    const init = { json: { operations, atomic: false }, headers: { "idempotency-key": crypto.randomUUID() } };
    const first = await ok<Results>(await fresh.call(`${fresh.path}/batch`, init));
    expect(await ok<Results>(await fresh.call(`${fresh.path}/batch`, init))).toEqual(first);
    const sum = env.DB.prepare("select sum(length(results)) as n from receipt where user_id = ?").bind(fresh.id);
    expect(await sum.first<number>("n")).toBeLessThan(1000);
  });

  it("T1 12 parallel requests with one key run once", async () => {
    const fresh = await someone();
    const headers = { "idempotency-key": crypto.randomUUID() };
    const operations = [
      { op: "create", task: { title: "A" } },
      { op: "create", task: { title: "B" } },
    ];
    const answers = await Promise.all(Array.from({ length: 12 }, () => send(operations, {}, headers, fresh)));
    const texts = new Set(await Promise.all(answers.map((answer) => answer.text())));
    expect([texts.size, (await fresh.list()).data.length]).toEqual([1, 2]);
  });

  it("S6 a key that two users share returns each their own results only", async () => {
    const [victim, attacker] = [await someone(), await someone()];
    const headers = { "idempotency-key": crypto.randomUUID() };
    const { id } = await victim.create();
    const batches: [Person, object[]][] = [
      [victim, [{ op: "complete", id, completed: true }]],
      [
        attacker,
        [
          { op: "delete", id },
          { op: "create", task: { title: "Mine" } },
        ],
      ],
    ];
    const first = [];
    for (const [who, operations] of batches)
      first.push(await ok(await send(operations, { atomic: false }, headers, who)));
    const again = [];
    for (const [who, operations] of batches)
      again.push(await ok(await send(operations, { atomic: false }, headers, who)));
    expect(again).toEqual(first);
    expect(first[1]).toMatchObject({ results: [{ status: 404 }, { status: 201 }] });
  });

  it("T1 a batch whose answer was lost is found by its key", async () => {
    for (const atomic of [true, false]) {
      const fresh = await someone();
      const { fetch } = await appWith({ d1: flakyD1(env.DB, "D1_ERROR: Network connection lost.", 1, true) });
      const answer = await send(
        [{ op: "create", task: { title: "A" } }],
        { atomic },
        { "idempotency-key": crypto.randomUUID() },
        clientFor(fresh.accessToken, fetch),
      );
      expect((await ok<Results>(answer)).results[0]?.status).toBe(201);
      expect((await fresh.list()).data).toHaveLength(1);
    }
  });

  it("L2 an ended session does nothing", async () => {
    const guest = await someone();
    const { id } = await guest.create();
    await env.DB.prepare("delete from session where user_id = ?").bind(guest.id).run();
    const before = await rowsOf(guest);
    for (const atomic of [true, false]) {
      for (const headers of [{}, { "idempotency-key": crypto.randomUUID() }]) {
        for (const operation of [
          { op: "create", task: { title: "x" } },
          { op: "delete", id },
          { op: "delete", id: "x" },
        ]) {
          const answer = await send([operation], { atomic }, headers, guest);
          expect([answer.status, (await answer.json<{ code: string }>()).code]).toEqual([401, "session_ended"]);
        }
      }
    }
    expect(await rowsOf(guest)).toEqual(before);
  });
});

describe("T1 any batch", () => {
  it("T1 S6 has the same effect as its requests one by one", async () => {
    const operation = fc.oneof(
      fc.record({ op: fc.constant("create"), title: fc.constantFrom("a", "b") }),
      fc.record({
        op: fc.constantFrom("patch", "replace", "complete", "delete"),
        at: fc.nat(4),
        title: fc.constantFrom("a", "b"),
      }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(operation, { minLength: 1, maxLength: 8 }), async (drafts) => {
        const [batched, single] = [await someone(), await someone()];
        const ids = new Map<Person, string[]>();
        for (const who of [batched, single]) {
          ids.set(who, []);
          for (let n = 0; n < 4; n += 1) ids.get(who)?.push((await who.create({ title: `${n}` })).id);
        }
        const operationsFor = (who: Person) =>
          drafts.map((draft) => {
            if (!("at" in draft)) return { op: "create", id: crypto.randomUUID(), task: { title: draft.title } };
            const id = ids.get(who)?.[draft.at] ?? crypto.randomUUID();
            if (draft.op === "delete") return { op: "delete", id };
            if (draft.op === "complete") return { op: "complete", id, completed: draft.title === "a" };
            return { op: draft.op, id, task: { title: draft.title } };
          });
        const answer = await send(operationsFor(batched), {}, {}, batched);
        const before = await statesOf(single);
        let failed = false;
        for (const each of operationsFor(single)) failed ||= (await alone(single, each)).status >= 400;
        expect(answer.status >= 400).toBe(failed);
        expect(await statesOf(batched)).toEqual(failed ? before : await statesOf(single));
      }),
      { numRuns: 25 },
    );
  });
});
