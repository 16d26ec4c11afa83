import { beforeAll, describe, expect, it } from "vitest";
import type { Task } from "../../src/tasks/model.ts";
import { ok, type Person, someone } from "../support/client.ts";

let person: Person;

beforeAll(async () => {
  person = await someone();
});

async function refused(json: object, path: string): Promise<void> {
  const { id } = await person.create();
  const answers = [
    await person.call(person.path, { json: { title: "x", ...json } }),
    await person.patch(id, json),
    await person.put(id, { title: "x", ...json }),
    await person.call(`${person.path}/batch`, { json: { operations: [{ op: "patch", id, task: json }] } }),
  ];
  for (const [index, answer] of answers.entries()) {
    expect(answer.status, JSON.stringify(json).slice(0, 80)).toBe(400);
    const { errors } = await answer.json<{ errors: { path: string }[] }>();
    expect(errors.map((error) => error.path)).toContain(index === 3 ? `operations.0.task.${path}` : path);
  }
  expect(await person.read(id)).toMatchObject({ priority: "none", due: null, tags: [] });
}

const WRONG = [1, true, {}, "", "x".repeat(10_000), "a\0b", "\ud800"];

describe("T2 priority", () => {
  it("T2 is one of four values, `none` by default", async () => {
    expect((await person.create()).priority).toBe("none");
    for (const priority of ["low", "medium", "high", "none"]) {
      expect((await person.create({ title: "x", priority })).priority).toBe(priority);
    }
  });

  it.each([...WRONG, null, [], ["low"], "LOW", "urgent", 0, "3"])("T2 %j is refused and named", (priority) =>
    refused({ priority }, "priority"),
  );
});

describe("T2 due", () => {
  it.each([
    ["2026-03-01", "2026-03-01"],
    ["2024-02-29", "2024-02-29"],
    ["2026-03-01T09:30:00Z", "2026-03-01T09:30:00.000Z"],
    ["2026-03-01T09:30:00.123Z", "2026-03-01T09:30:00.123Z"],
    ["2026-03-01T00:30:00+01:00", "2026-02-28T23:30:00.000Z"],
    ["2026-03-01T09:30:00.5-08:00", "2026-03-01T17:30:00.500Z"],
  ])("T2 %s is kept as %s", async (due, kept) => {
    const task = await person.create({ title: "x", due });
    expect(task.due).toBe(kept);
    expect((await ok<Task>(await person.patch(task.id, { due: null }))).due).toBeNull();
  });

  it.each([
    ...WRONG,
    [],
    "2026-02-29",
    "2026-13-01",
    "2026-3-1",
    "20260301",
    "2026-03-01T09:30Z",
    "2026-03-01T09:30:00",
    "2026-03-01 09:30:00Z",
    "2026-03-01T24:30:00Z",
    "2026-03-01T09:30:61Z",
    "0000-01-01T00:00:00+01:00",
    "9999-12-31T23:59:59-01:00",
    "+12026-03-01",
    "tomorrow",
    "~",
  ])("T2 %j is refused and named", (due) => refused({ due }, "due"));
});

describe("T2 tags", () => {
  it("T2 T7 are stored exactly, up to 20 of 40 characters", async () => {
    for (const tags of [
      [],
      ["a"],
      ["Ärger", "ÉTÉ", "日本"],
      ["__proto__", "constructor", "toString"],
      ["1", "10", "2"],
      ['"', "\\", "'", "%", "_"],
      ["👩‍👩‍👧‍👦", "🏳️‍🌈"],
      Array.from({ length: 20 }, (_, n) => `${n}`.padStart(40, "x")),
    ]) {
      const { id } = await person.create({ title: "x", tags });
      expect(new Set((await person.read(id)).tags)).toEqual(new Set(tags));
    }
  });

  it("T3 are a set: another order is no change", async () => {
    const task = await person.create({ title: "x", tags: ["b", "a", "C"] });
    const again = await ok<Task>(await person.patch(task.id, { tags: ["C", "a", "b"] }));
    expect(again).toEqual(task);
    expect((await ok<Task>(await person.patch(task.id, { tags: ["c", "a", "b"] }))).revision).toBe(task.revision + 1);
  });

  it.each([
    [["a", "A"], "tags.1"],
    [["é", "e\u0301"], "tags.1"],
    [["straße", "x", "STRASSE".toLowerCase(), "Straße"], "tags.3"],
    [[""], "tags.0"],
    [["a", " b"], "tags.1"],
    [["x".repeat(41)], "tags.0"],
    [[1], "tags.0"],
    [[null], "tags.0"],
    [[["a"]], "tags.0"],
    [["a\0b"], "tags.0"],
    [Array.from({ length: 21 }, (_, n) => `${n}`), "tags"],
    ["a", "tags"],
    [null, "tags"],
    [{ 0: "a" }, "tags"],
  ])("T2 %j is refused at %s", (tags, path) => refused({ tags }, path));
});

describe("T4 every field", () => {
  it.each([
    ["title", "Another"],
    ["description", "Another"],
    ["completed", true],
    ["priority", "high"],
    ["due", "2026-03-01"],
    ["tags", ["a"]],
  ])("T3 T4 %s moves the revision when it changes, and only then", async (field, value) => {
    const task = await person.create();
    const changed = await ok<Task>(await person.patch(task.id, { [field]: value }));
    expect(changed).toMatchObject({ [field]: value, createdAt: task.createdAt, revision: task.revision + 1 });
    expect(changed.updatedAt > task.updatedAt).toBe(true);
    expect(await ok(await person.patch(task.id, { [field]: value }))).toEqual(changed);
  });

  it.each(["deletedAt", "titleKey", "title_key", "dueKey", "user_id", "revision"])(
    "T2 %s belongs to the server: 400",
    async (field) => {
      const answer = await person.call(person.path, { json: { title: "x", [field]: "2026-03-01" } });
      expect(answer.status).toBe(400);
      expect(await answer.json()).toMatchObject({ errors: [{ path: field }] });
    },
  );
});
