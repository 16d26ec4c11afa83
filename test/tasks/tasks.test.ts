import { env } from "cloudflare:workers";
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import type { Task } from "../../src/tasks/model.ts";
import { appWith } from "../support/apps.ts";
import { type CallInit, clientFor, header, ok, type Person, someone, tasksOf } from "../support/client.ts";

const INSTANT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;
const UUID_V7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

let person: Person;

beforeAll(async () => {
  person = await someone();
});

describe("T1 one task's life", () => {
  it("T1 is created, read, listed, replaced, changed, completed and deleted", async () => {
    const created = await person.call(person.path, { json: { title: "  Buy milk ", description: "Two cartons" } });
    const task = await ok<Task>(created, 201);
    expect(task).toEqual({
      id: expect.stringMatching(UUID_V7),
      title: "Buy milk",
      description: "Two cartons",
      completed: false,
      completedAt: null,
      priority: "none",
      due: null,
      tags: [],
      createdAt: expect.stringMatching(INSTANT),
      updatedAt: task.createdAt,
      deletedAt: null,
      revision: expect.any(Number),
    });
    expect(header(created, "location")).toBe(`${person.path}/${task.id}`);
    expect(header(created, "etag")).toBe(`"${task.revision}"`);
    expect(await ok(await person.call(header(created, "location")))).toEqual(task);

    const replaced = await ok<Task>(await person.put(task.id, { title: "Buy bread", completed: true }));
    expect(replaced).toMatchObject({ title: "Buy bread", description: null, completed: true });
    expect(replaced.completedAt).toMatch(INSTANT);
    const changed = await ok<Task>(await person.patch(task.id, { description: "Rye" }));
    expect(changed).toEqual({
      ...replaced,
      description: "Rye",
      updatedAt: changed.updatedAt,
      revision: changed.revision,
    });
    expect(await ok(await person.complete(task.id, false))).toMatchObject({ completed: false, completedAt: null });

    const removed = await person.remove(task.id);
    expect([removed.status, await removed.text()]).toEqual([204, ""]);
    for (const gone of [await person.call(`${person.path}/${task.id}`), await person.remove(task.id)]) {
      expect(gone.status).toBe(404);
    }
    expect((await person.list("?limit=100")).data.map(({ id }) => id)).not.toContain(task.id);
  });

  it("T1 HEAD answers as GET does, without the body", async () => {
    const { id } = await person.create();
    const answer = await person.call(`${person.path}/${id}`, { method: "HEAD" });
    expect([answer.status, header(answer, "etag"), await answer.text()]).toEqual([200, expect.any(String), ""]);
  });

  it("T1 survives a restart of the Worker", async () => {
    const { id } = await person.create({ title: "Kept" });
    const { fetch } = await appWith({});
    expect(await tasksOf(clientFor(person.accessToken, fetch)).read(id)).toMatchObject({ title: "Kept" });
  });

  it("T1 no read returns a tombstone, and no write changes it", async () => {
    const { id } = await person.create({ title: "Deleted" });
    await person.remove(id);
    const before = await rowOf(id);
    expect(before).toMatchObject({ title: "Deleted", deleted_at: expect.any(Number) });
    const writes = [
      person.put(id, { title: "x" }),
      person.patch(id, { title: "x" }),
      person.complete(id, true),
      person.remove(id),
    ];
    for (const answer of await Promise.all(writes)) expect(answer.status).toBe(404);
    expect(await rowOf(id)).toEqual(before);
  });
});

describe("T2 the values of fields", () => {
  const refused: [string, unknown, string][] = [
    ["a missing title", {}, "title"],
    ["a null title", { title: null }, "title"],
    ["a blank title", { title: " \t\n\u00a0\u3000 " }, "title"],
    ["an empty title", { title: "" }, "title"],
    ["a title of 256 characters", { title: "x".repeat(256) }, "title"],
    ["a numeric title", { title: 7 }, "title"],
    ["a title in a list", { title: ["x"] }, "title"],
    ["a title with NUL", { title: "a\0b" }, "title"],
    ["a title with a lone surrogate", { title: "a\ud800b" }, "title"],
    ["a description of 1001 characters", { title: "x", description: "d".repeat(1001) }, "description"],
    ["a description with NUL", { title: "x", description: "\0" }, "description"],
    ["a boolean description", { title: "x", description: false }, "description"],
    ["completed as text", { title: "x", completed: "true" }, "completed"],
    ["completed as a number", { title: "x", completed: 1 }, "completed"],
    ["completed as null", { title: "x", completed: null }, "completed"],
    ["an unknown field", { title: "x", colour: "red" }, "colour"],
    ...["id", "revision", "createdAt", "updatedAt", "completedAt", "deletedAt", "userId"].map(
      (field): [string, unknown, string] => [`the server's own ${field}`, { title: "x", [field]: "1" }, field],
    ),
    ["a prototype key", JSON.parse('{"title":"x","__proto__":{"completed":true}}'), "__proto__"],
    ["a constructor key", { title: "x", constructor: {} }, "constructor"],
    ["a list", [], ""],
    ["text", "title", ""],
    ["null", null, ""],
    ["a number", 1, ""],
  ];

  it.each(refused)("T2 %s is 400, names the field, and writes nothing", async (_what, json, field) => {
    const fresh = await tasksSnapshot();
    const task = await person.create({ title: "Before" });
    const after = await tasksSnapshot();
    const attempts: [string, CallInit][] = [
      [person.path, { json }],
      [`${person.path}/${task.id}`, { method: "PUT", json }],
      ...(field === "title" && JSON.stringify(json) === "{}"
        ? []
        : [[`${person.path}/${task.id}`, { method: "PATCH", json }] satisfies [string, CallInit]]),
    ];
    for (const [path, init] of attempts) {
      const answer = await person.call(path, init);
      expect(answer.status, init.method ?? "POST").toBe(400);
      const problem = await answer.json<{ code: string; errors: { path: string; message: string }[] }>();
      expect(problem.code).toBe("invalid_request");
      expect(problem.errors.map(({ path }) => path)).toContain(field);
    }
    expect(after).toBe(fresh + 1);
    expect(await tasksSnapshot()).toBe(after);
    expect(await person.read(task.id)).toEqual(task);
  });

  it("T2 every invalid field is named", async () => {
    const answer = await person.call(person.path, { json: { title: "", description: 1, completed: "x", extra: 1 } });
    const { errors } = await answer.json<{ errors: { path: string }[] }>();
    expect(new Set(errors.map(({ path }) => path))).toEqual(new Set(["title", "description", "completed", "extra"]));
  });

  it("T2 lengths count code points: 255 emoji fit a title, 1000 a description", async () => {
    const title = "🧨".repeat(255);
    const description = "🧨".repeat(1000);
    expect(await person.create({ title, description })).toMatchObject({ title, description });
    expect((await person.call(person.path, { json: { title: `${title}🧨` } })).status).toBe(400);
    expect((await person.call(person.path, { json: { title: "x", description: `${description}🧨` } })).status).toBe(
      400,
    );
  });

  it("T2 a description is cleared by null, and kept when left out of a PATCH", async () => {
    const { id } = await person.create({ title: "x", description: "" });
    expect(await person.read(id)).toMatchObject({ description: "" });
    await person.patch(id, { description: "there" });
    expect(await ok(await person.patch(id, { title: "y" }))).toMatchObject({ description: "there" });
    expect(await ok(await person.patch(id, { description: null }))).toMatchObject({ description: null });
  });

  it.each([undefined, null, "true", 1, {}])("T2 completion must be a boolean, not %j", async (completed) => {
    const { id } = await person.create();
    const answer = await person.complete(id, completed);
    expect(answer.status).toBe(400);
    expect(await answer.json()).toMatchObject({ errors: [{ path: "completed" }] });
  });
});

describe("T3 a write that changes nothing", () => {
  it("T3 writes nothing: same revision, same updatedAt, same answer", async () => {
    const { id } = await person.create({ title: "Same", description: "Same" });
    const done = await ok<Task>(await person.complete(id, true));
    for (const repeat of [
      person.complete(id, true),
      person.patch(id, {}),
      person.patch(id, { title: " Same ", completed: true }),
      person.put(id, { title: "Same", description: "Same", completed: true }),
    ]) {
      const answer = await repeat;
      expect(header(answer, "etag")).toBe(`"${done.revision}"`);
      expect(await ok(answer)).toEqual(done);
    }
    const undone = await ok<Task>(await person.complete(id, false));
    expect(undone).toMatchObject({ completed: false, completedAt: null, revision: done.revision + 1 });
    expect(await ok(await person.complete(id, false))).toEqual(undone);
  });

  it("T3 completing a completed task keeps the time of completion", async () => {
    const { id } = await person.create();
    const { completedAt } = await ok<Task>(await person.complete(id, true));
    expect(await ok(await person.put(id, { title: "Renamed", completed: true }))).toMatchObject({ completedAt });
  });
});

describe("T4 times and revisions", () => {
  it("T4 every real change changes updatedAt and the revision, and never createdAt", async () => {
    let task = await person.create();
    const { createdAt } = task;
    for (let round = 0; round < 20; round += 1) {
      const next = await ok<Task>(await person.patch(task.id, { title: `Title ${round}` }));
      expect(next.revision).toBeGreaterThan(task.revision);
      expect(Date.parse(next.updatedAt)).toBeGreaterThan(Date.parse(task.updatedAt));
      expect(next.createdAt).toBe(createdAt);
      task = next;
    }
  });

  it("T4 revisions are one sequence over all of a user's tasks, deletions included", async () => {
    const fresh = await someone();
    const [one, two] = [await fresh.create(), await fresh.create()];
    expect([one.revision, two.revision]).toEqual([1, 2]);
    await fresh.remove(one.id);
    expect(await ok(await fresh.complete(two.id, true))).toMatchObject({ revision: 4 });
  });
});

describe("T7 any text is stored exactly, or refused", () => {
  const samples = [
    "<script>alert(1)</script>",
    "'; drop table task; --",
    "שלום עולם \u202e\u202d",
    "e\u0301 \u0065\u0301 \u00e9",
    "__proto__",
    "👩‍👩‍👧‍👦🏳️‍🌈",
    "\u0001\u007f\u0085\u2028\u2029\ufeff.",
    "\\u0000 \\x00 %00 &#0;",
    "\ufffd\ufffe\uffff",
  ];

  it.each(samples)("T7 %j", async (text) => {
    const { id } = await person.create({ title: `a${text}b`, description: text });
    expect(await person.read(id)).toMatchObject({ title: `a${text}b`, description: text });
    expect((await person.list("?limit=1")).data[0]).toMatchObject({ title: `a${text}b`, description: text });
  });

  it("T7 for arbitrary titles and descriptions", async () => {
    const text = fc.oneof(
      fc.string({ unit: "binary", maxLength: 300 }),
      fc.string({ unit: "grapheme", maxLength: 300 }),
      fc.array(fc.nat(0xffff), { maxLength: 40 }).map((units) => String.fromCharCode(...units)),
    );
    await fc.assert(
      fc.asyncProperty(text, fc.option(text), async (title, description) => {
        const answer = await person.call(person.path, { json: { title, description } });
        const fits = (value: string, max: number) =>
          value.isWellFormed() && !value.includes("\0") && [...value].length <= max;
        const shows = /[^\s\p{Default_Ignorable_Code_Point}\u2800]/u.test(title);
        const good = shows && fits(title.trim(), 255) && (description === null || fits(description, 1000));
        expect(answer.status).toBe(good ? 201 : 400);
        if (!good) return;
        const { id } = await answer.json<Task>();
        expect(await person.read(id)).toMatchObject({ title: title.trim(), description });
      }),
      { numRuns: 150 },
    );
  });

  it("T7 for arbitrary bodies: the task as described, or 4xx and nothing written", async () => {
    const { id } = await person.create({ title: "Steady" });
    await fc.assert(
      fc.asyncProperty(fc.jsonValue({ maxDepth: 3 }), fc.constantFrom("POST", "PUT", "PATCH"), async (json, method) => {
        const before = await tasksSnapshot();
        const path = method === "POST" ? person.path : `${person.path}/${id}`;
        const answer = await person.call(path, { method, json });
        const emptyPatch = method === "PATCH" && JSON.stringify(json) === "{}";
        expect(answer.status).toBe(emptyPatch ? 200 : 400);
        expect(await tasksSnapshot()).toBe(before);
      }),
      { numRuns: 150 },
    );
  });

  it("T7 for arbitrary bytes: never a 5xx", async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), async (bytes) => {
        const headers = { "content-type": "application/json" };
        const answer = await person.call(person.path, { method: "POST", body: new Uint8Array(bytes), headers });
        expect(answer.status).toBe(400);
      }),
      { numRuns: 100 },
    );
  });

  it("T7 bytes that are not UTF-8 are refused, not repaired", async () => {
    const before = await tasksSnapshot();
    const bytes = new Uint8Array([
      ...new TextEncoder().encode('{"title":"a'),
      0xff,
      0xfe,
      ...new TextEncoder().encode('"}'),
    ]);
    const headers = { "content-type": "application/json" };
    expect((await person.call(person.path, { method: "POST", body: bytes, headers })).status).toBe(400);
    expect(await tasksSnapshot()).toBe(before);
  });
});

function rowOf(id: string) {
  return env.DB.prepare("select * from task where id = ?").bind(id).first();
}

async function tasksSnapshot(): Promise<number> {
  return (await env.DB.prepare("select count(*) as n from task").first<{ n: number }>())?.n ?? -1;
}
