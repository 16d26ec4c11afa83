import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { PRIORITIES } from "../../src/tasks/fields.ts";
import { SORTS, type Task } from "../../src/tasks/model.ts";
import { sortKey } from "../../src/tasks/text.ts";
import { appWith, limitOf } from "../support/apps.ts";
import { header, type Person, someone } from "../support/client.ts";

const fold = (text: string) => text.normalize("NFKC").toLowerCase();
const compare = (a: string | number, b: string | number) => (a < b ? -1 : a > b ? 1 : 0);

/** All pages of a list, and something done after each. */
async function walk(person: Person, query: string, between: () => Promise<unknown> = async () => {}): Promise<Task[]> {
  const tasks: Task[] = [];
  for (let cursor: string | null = ""; cursor !== null; ) {
    const page: Awaited<ReturnType<Person["list"]>> = await person.list(`?${query}${cursor && `&cursor=${cursor}`}`);
    tasks.push(...page.data);
    cursor = page.nextCursor;
    await between();
  }
  return tasks;
}

/** What a list should be, worked out the plain way. */
function expected(tasks: Task[], query: Record<string, string>): string[] {
  const { status = "all", sort = "-createdAt", dueBefore, dueAfter, priority, tag, q } = query;
  const backwards = sort.startsWith("-");
  const keys: Record<string, (task: Task) => string | number> = {
    createdAt: (task) => task.createdAt,
    due: (task) => task.due ?? "",
    priority: (task) => PRIORITIES.indexOf(task.priority),
    updatedAt: (task) => task.revision,
    title: (task) => `${sortKey(task.title) || fold(task.title)}\u0001${[...fold(task.title)].slice(0, 100).join("")}`,
  };
  const key = keys[sort.replace("-", "")] ?? (() => 0);
  return tasks
    .filter((task) => status === "all" || task.completed === (status === "completed"))
    .filter(({ due }) => dueBefore === undefined || (due !== null && due < dueBefore))
    .filter(({ due }) => dueAfter === undefined || (due !== null && due >= dueAfter))
    .filter((task) => priority === undefined || task.priority === priority)
    .filter(({ tags }) => tag === undefined || tags.map(fold).includes(fold(tag)))
    .filter(
      ({ title, description }) =>
        q === undefined || [title, description ?? ""].some((text) => fold(text).includes(fold(q))),
    )
    .sort((a, b) => {
      if (sort.endsWith("due") && (a.due === null) !== (b.due === null)) return a.due === null ? 1 : -1;
      return (backwards ? -1 : 1) * (compare(key(a), key(b)) || compare(a.id, b.id));
    })
    .map(({ id }) => id);
}

const text = fc.constantFrom(
  "Milk",
  "milk tea",
  "MILCH",
  "Ärger",
  "ärger_",
  "50%",
  "a%b",
  "_",
  "日本語",
  "Straße",
  "İ",
  "",
);
const anyTask = fc.record({
  title: text.map((title) => title || "x"),
  description: fc.option(text),
  completed: fc.boolean(),
  priority: fc.constantFrom(...PRIORITIES),
  due: fc.option(
    fc.constantFrom("2026-03-01", "2026-03-01T00:00:00.000Z", "2026-03-01T12:00:00.000Z", "2026-03-02", "2025-12-31"),
  ),
  tags: fc.constantFrom([], ["a"], ["A", "b"], ["Ä"], ["__proto__"]),
});
const dueBound = fc.constantFrom("2026-03-01", "2026-03-01T12:00:00Z", "2026-03-02", "2027-01-01");
const anyQuery = fc.record(
  {
    status: fc.constantFrom("open", "completed", "all"),
    sort: fc.constantFrom(...SORTS),
    dueBefore: dueBound,
    dueAfter: dueBound,
    priority: fc.constantFrom(...PRIORITIES),
    tag: fc.constantFrom("a", "B", "ä", "__proto__", "none"),
    q: fc.constantFrom("milk", "MIL", "ä", "%", "_", "語", "straße", "x", "tea", "'"),
    limit: fc.constantFrom("1", "2", "7", "100"),
  },
  { requiredKeys: ["limit"] },
);
const toQuery = (query: Record<string, string>) => String(new URLSearchParams(query));
const normal = (bound: string) => (bound.endsWith("Z") ? new Date(bound).toISOString() : bound);

describe("T5 finding", () => {
  let person: Person;
  let tasks: Task[];

  beforeAll(async () => {
    person = await someone();
    for (const task of fc.sample(anyTask, { numRuns: 60, seed: 7 })) await person.create(task);
    tasks = (await walk(person, "limit=100")).slice();
    const other = await someone();
    await other.create({ title: "milk", priority: "high", due: "2026-03-01", tags: ["a"] });
  });

  it("T5 S6 any filters and orders return what a plain search returns, page by page", async () => {
    await fc.assert(
      fc.asyncProperty(anyQuery, async ({ limit, ...query }) => {
        const { dueBefore, dueAfter, ...rest } = query;
        const bounds = {
          ...(dueBefore && { dueBefore: normal(dueBefore) }),
          ...(dueAfter && { dueAfter: normal(dueAfter) }),
        };
        const found = await walk(person, toQuery({ ...query, limit }));
        expect(found.map(({ id }) => id)).toEqual(expected(tasks, { ...rest, ...bounds }));
      }),
      { numRuns: 150 },
    );
  });

  it("T5 all 27 combinations of order and status", async () => {
    for (const status of ["open", "completed", "all"]) {
      for (const sort of SORTS) {
        const found = await walk(person, `status=${status}&sort=${sort}&limit=7`);
        expect(
          found.map(({ id }) => id),
          `${status} ${sort}`,
        ).toEqual(expected(tasks, { status, sort }));
      }
    }
  });

  it.each([
    ["status", "done"],
    ["status", ""],
    ["sort", "name"],
    ["sort", "--due"],
    ["sort", "-title"],
    ["sort", "due,title"],
    ["priority", "urgent"],
    ["priority", ""],
    ["dueBefore", "soon"],
    ["dueAfter", "2026-02-30"],
    ["dueAfter", ""],
    ["tag", ""],
    ["tag", "x".repeat(41)],
    ["q", ""],
    ["q", "x".repeat(256)],
    ["q", "%00"],
    ["since", "x"],
    ["wait", "25"],
    ["offset", "1"],
    ["userId", "x"],
  ])("T5 %s=%s is 400 and named", async (name, value) => {
    for (const query of [`${name}=${value}`, `${name}=${"x".repeat(10_000)}`, `${name}=open&${name}=high`]) {
      const answer = await person.call(`${person.path}?${query}`);
      expect(answer.status, query.slice(0, 40)).toBe(400);
      const { errors } = await answer.json<{ errors: { path: string }[] }>();
      expect(errors.map(({ path }) => path)).toContain(name);
    }
  });

  it("T5 a search accepts 255 characters, and no wildcard", async () => {
    expect((await person.list(`?q=${"x".repeat(255)}`)).data).toEqual([]);
    for (const q of ["%", "_", "*", "?", "[a-z]", "\\", "'", '"', "a%b"]) {
      const ids = (await walk(person, toQuery({ q }))).map(({ id }) => id);
      expect(ids, q).toEqual(expected(tasks, { q }));
    }
  });

  it("T5 a search accepts at most 512 bytes of normalized text", async () => {
    const answer = await person.call(`${person.path}?q=${encodeURIComponent("\u2A0C".repeat(254))}`);
    expect([answer.status, await answer.json()]).toMatchObject([
      400,
      { errors: [{ path: "q", message: "must be at most 512 bytes long once its letters are normalized (NFKC)" }] },
    ]);
    expect((await person.list(`?q=${encodeURIComponent("\u2A0C".repeat(42))}`)).data).toEqual([]);
  });

  it("S6 lists the caller's own task where another user has one with the same id, in every order", async () => {
    const id = crypto.randomUUID();
    const [mine, theirs] = [await someone(), await someone()];
    await theirs.create({ id, title: "Theirs" });
    await mine.create({ id, title: "Mine" });
    for (const status of ["open", "all"]) {
      for (const sort of SORTS) {
        const { data } = await mine.list(`?status=${status}&sort=${sort}`);
        expect(data.map(({ title }) => title)).toEqual(["Mine"]);
      }
    }
  });

  it("L7 searches have a limit of their own for each user", async () => {
    const { fetch } = await appWith({ bindings: { SEARCH_RATE_LIMIT: limitOf(2) } });
    const [eager, other] = [await someone(fetch), await someone(fetch)];
    const statuses = [];
    for (const query of ["?q=x", "?tag=x", "?priority=low"])
      statuses.push((await eager.call(eager.path + query)).status);
    expect(statuses).toEqual([200, 200, 429]);
    expect((await eager.call(`${eager.path}?sort=title&dueAfter=2026-01-01`)).status).toBe(429);
    expect((await eager.call(`${eager.path}?sort=due&dueAfter=2026-01-01`)).status).toBe(200);
    expect((await other.call(`${other.path}?q=x`)).status).toBe(200);
  });

  it("T5 a day and its first instant are the same bound", async () => {
    const who = await someone();
    for (const due of ["2026-02-28", "2026-03-01", "2026-03-01T00:00:00Z", "2026-03-01T00:00:00.001Z"]) {
      await who.create({ title: "x", due });
    }
    for (const bound of ["2026-03-01", "2026-03-01T00:00:00Z"]) {
      expect((await who.list(`?dueAfter=${bound}`)).data, bound).toHaveLength(3);
      expect((await who.list(`?dueBefore=${bound}`)).data, bound).toHaveLength(1);
    }
  });

  it("T5 a search ignores case in any script, and compatible forms", async () => {
    const who = await someone();
    for (const title of ["ΟΔΟΣΑ", "ΣΑΣ", "Привет", "Ｆｕｌｌ"]) await who.create({ title });
    for (const q of ["οδος", "ΟΔΟΣ", "σας", "ПРИВЕТ", "full"]) {
      expect((await who.list(`?${toQuery({ q })}`)).data.length, q).toBeGreaterThan(0);
    }
    expect((await who.call(who.path, { json: { title: "x", tags: ["ΣΑΣ", "σασ"] } })).status).toBe(400);
  });

  it("T3 50 entity tags in each header are accepted", async () => {
    const who = await someone();
    const { id, revision } = await who.create();
    const tags = (first: number) =>
      [first, ...Array.from({ length: 49 }, (_, n) => 1000 + n)].map((tag) => `"${tag}"`).join();
    const headers = { "if-match": tags(revision), "if-none-match": tags(999) };
    expect((await who.patch(id, { title: "y", due: "2026-03-01", tags: ["a"] }, headers)).status).toBe(200);
  });

  it("T5 a cursor belongs to its query", async () => {
    const queries = [
      "status=open",
      "sort=title",
      "sort=due",
      "priority=none",
      "q=m",
      "tag=a",
      "dueAfter=2020-01-01",
      "limit=2",
    ];
    const { nextCursor } = await person.list("?limit=1");
    for (const query of queries) {
      const answer = await person.call(`${person.path}?${query}&cursor=${nextCursor}`);
      expect(answer.status, query).toBe(query === "limit=2" ? 200 : 400);
    }
  });
});

describe("T5 a walk while tasks change", () => {
  it("T5 returns every unchanged task exactly once, in every order", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...SORTS),
        fc.constantFrom("open", "all"),
        fc.integer({ min: 1, max: 5 }),
        fc.array(fc.tuple(fc.constantFrom("create", "remove", "change", "complete"), fc.nat(11), anyTask), {
          maxLength: 12,
        }),
        async (sort, status, limit, writes) => {
          const person = await someone();
          const ids: string[] = [];
          for (const task of fc.sample(anyTask, { numRuns: 12, seed: limit })) {
            ids.push((await person.create({ ...task, completed: false })).id);
          }
          const touched = new Set<string>();
          const seen = await walk(person, `sort=${sort}&status=${status}&limit=${limit}`, async () => {
            const [kind, index, task] = writes.pop() ?? [];
            const id = ids[index ?? 0] ?? "";
            if (kind === "create") await person.create({ ...task, completed: false });
            if (kind === undefined || kind === "create") return;
            touched.add(id);
            if (kind === "remove") await person.remove(id);
            if (kind === "change") await person.patch(id, task ?? {});
            if (kind === "complete") await person.complete(id, true);
          });
          for (const id of ids.filter((each) => !touched.has(each))) {
            expect(seen.filter((task) => task.id === id)).toHaveLength(1);
          }
        },
      ),
      { numRuns: 25 },
    );
  });

  it("T5 by creation, a task that changes meanwhile is returned once too", async () => {
    const person = await someone();
    for (let n = 0; n < 20; n += 1) await person.create({ title: `Task ${n}` });
    const ids = (await person.list()).data.map(({ id }) => id);
    const seen = await walk(person, "limit=3", async () => {
      for (const id of ids) await person.patch(id, { title: crypto.randomUUID(), due: "2026-03-01" });
    });
    expect(seen.map(({ id }) => id)).toEqual(ids);
  });
});

describe("T3 conditional reads", () => {
  it("T3 an unchanged task is 304, a changed one is not", async () => {
    const person = await someone();
    const { id, revision } = await person.create();
    const read = (headers: Record<string, string>) => person.call(`${person.path}/${id}`, { headers });
    for (const tag of [`"${revision}"`, `W/"${revision}"`, `"0", "${revision}"`, "*"]) {
      const answer = await read({ "if-none-match": tag });
      expect([answer.status, await answer.text(), header(answer, "etag")], tag).toEqual([304, "", `"${revision}"`]);
    }
    for (const tag of [`"${revision + 1}"`, '"x"']) expect((await read({ "if-none-match": tag })).status).toBe(200);
    expect((await read({ "if-match": `"${revision}"` })).status).toBe(200);
    expect((await read({ "if-match": '"0"' })).status).toBe(412);
    expect((await read({ "if-none-match": "nonsense" })).status).toBe(400);
    const absent = await person.call(`${person.path}/${crypto.randomUUID()}`, { headers: { "if-none-match": "*" } });
    expect(absent.status).toBe(404);
  });

  it("T3 an unchanged list is 304 until any task of the user changes", async () => {
    const [person, other] = [await someone(), await someone()];
    const list = (query: string, tag: string) =>
      person.call(person.path + query, { headers: { "if-none-match": tag } });
    let etag = header(await person.call(person.path), "etag");
    const { id } = await person.create();
    for (const write of [
      () => person.patch(id, { title: "Changed" }),
      () => person.complete(id, true),
      () => person.remove(id),
      () => person.call(`${person.path}/${id}/restore`, { method: "POST" }),
    ]) {
      expect((await list("", etag)).status).toBe(200);
      etag = header(await person.call(person.path), "etag");
      await other.create();
      for (const query of ["", "?status=open&sort=title", "?q=nothing"]) {
        const unchanged = await list(query, etag);
        expect([unchanged.status, await unchanged.text(), header(unchanged, "etag")]).toEqual([304, "", etag]);
      }
      await write();
    }
    expect((await list("", etag)).status).toBe(200);
    expect((await list("", "*")).status).toBe(304);
  });

  it("T3 a later page and the trash have no ETag", async () => {
    const person = await someone();
    await person.create();
    await person.create();
    const { nextCursor } = await person.list("?limit=1");
    for (const query of [`?limit=1&cursor=${nextCursor}`, "?status=deleted"]) {
      const answer = await person.call(person.path + query, { headers: { "if-none-match": 'W/"2"' } });
      expect([answer.status, answer.headers.get("etag")]).toEqual([200, null]);
    }
  });

  it("T3 a write with If-None-Match is refused for the named revisions", async () => {
    const person = await someone();
    const { id, revision } = await person.create();
    for (const tag of ["*", `"${revision}"`, `W/"${revision}"`]) {
      for (const answer of [
        await person.patch(id, { title: "No" }, { "if-none-match": tag }),
        await person.put(id, { title: "No" }, { "if-none-match": tag }),
        await person.complete(id, true, { "if-none-match": tag }),
        await person.remove(id, { "if-none-match": tag }),
      ]) {
        expect(answer.status).toBe(412);
        const detail = expect.stringContaining(
          `at revision ${revision}, which your If-Match or If-None-Match excludes`,
        );
        expect(await answer.json()).toMatchObject({ code: "precondition_failed", revision, detail });
      }
    }
    expect((await person.patch(id, { title: "Yes" }, { "if-none-match": '"999"' })).status).toBe(200);
    expect((await person.patch(crypto.randomUUID(), { title: "No" }, { "if-none-match": "*" })).status).toBe(404);
  });
});
