/** What real clients send: other spellings of the same thing, and mistakes that deserve to be told. */
import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, it } from "vitest";
import { runCleanup } from "../../src/housekeeping.ts";
import type { Task } from "../../src/tasks/model.ts";
import { anonymous, header, ok, type Person, someone } from "../support/client.ts";

let person: Person;
beforeAll(async () => {
  person = await someone();
});

const errorsOf = async (answer: Response) =>
  (await answer.json<{ errors: { path: string; message: string }[] }>()).errors;

describe("T3 entity tags as they come back", () => {
  it.each(["PUT", "PATCH", "complete", "DELETE"])("T3 %s takes a weak tag for the strong one", async (name) => {
    const task = await person.create();
    const headers = { "if-match": `W/"${task.revision}"` };
    const answer = await {
      PUT: () => person.put(task.id, { title: "x" }, headers),
      PATCH: () => person.patch(task.id, { title: "x" }, headers),
      complete: () => person.complete(task.id, true, headers),
      DELETE: () => person.remove(task.id, headers),
    }[name as "PUT"]();
    expect(answer.status).toBeLessThan(300);
    const again = await person.patch(task.id, { title: "y" }, headers);
    expect(again.status).toBe(name === "DELETE" ? 404 : 412);
  });

  it("T3 so does a batch, a restore and a read; a stale weak tag is 412", async () => {
    const task = await person.create();
    const batch = async (ifMatch: string) =>
      ok<{ results: { status: number }[] }>(
        await person.call(`${person.path}/batch`, {
          json: { atomic: false, operations: [{ op: "patch", id: task.id, ifMatch, task: { title: "x" } }] },
        }),
      );
    expect((await batch(`W/"${task.revision}"`)).results[0]?.status).toBe(200);
    expect((await batch(`W/"${task.revision}"`)).results[0]?.status).toBe(412);
    const { revision } = await person.read(task.id);
    const read = (tag: string) => person.call(`${person.path}/${task.id}`, { headers: { "if-match": tag } });
    expect([(await read(`W/"${revision}"`)).status, (await read('W/"999999"')).status]).toEqual([200, 412]);
  });

  it.each(["7", "W/7", "abc"])("T3 If-Match: %s is told to use quotes", async (tag) => {
    const task = await person.create();
    const answer = await person.patch(task.id, { title: "x" }, { "if-match": tag });
    expect(answer.status).toBe(400);
    const bare = tag.replace("W/", "");
    expect(await errorsOf(answer)).toEqual([
      { path: "if-match", message: `must be in quotes: "${bare}", not ${bare}` },
    ]);
    const operations = [{ op: "delete", id: task.id, ifMatch: tag }];
    const batch = await person.call(`${person.path}/batch`, { json: { operations } });
    expect(await errorsOf(batch)).toMatchObject([
      { path: "operations.0.ifMatch", message: expect.stringContaining("quotes") },
    ]);
  });
});

describe("T2 values in other spellings", () => {
  it.each([
    ["2026-03-01T09:30:00.123456+00:00", "2026-03-01T09:30:00.123Z"],
    ["2026-03-01T09:30:00.1Z", "2026-03-01T09:30:00.100Z"],
    ["2026-03-01t09:30:00z", "2026-03-01T09:30:00.000Z"],
    ["2026-03-01T09:30:00.999999999-05:30", "2026-03-01T15:00:00.999Z"],
    [`2026-03-01T09:30:00.${"1".repeat(500)}Z`, "2026-03-01T09:30:00.111Z"],
  ])("T2 the instant %s is %s", async (due, stored) => {
    expect(await person.create({ title: "x", due })).toMatchObject({ due: stored });
    const query = new URLSearchParams({ dueAfter: due, dueBefore: "2026-03-02" });
    expect((await person.list(`?${query}&limit=1`)).data).toHaveLength(1);
  });

  it.each(["2026-03-01T09:30:00", "2026-03-01T09:30:00.Z", "2026-03-01T09:30Z", "2026-02-30T00:00:00Z", "tomorrow"])(
    "T2 %s is refused, and the message says what is missing",
    async (due) => {
      const answer = await person.call(person.path, { json: { title: "x", due } });
      expect(answer.status).toBe(400);
      expect(await errorsOf(answer)).toMatchObject([
        { path: "due", message: expect.stringContaining("with its zone") },
      ]);
    },
  );

  it("T2 an id in capitals is the task", async () => {
    const task = await person.create();
    const id = task.id.toUpperCase();
    expect(await person.read(id)).toEqual(task);
    expect((await person.put(id, { title: "x" })).status).toBe(200);
    expect((await person.patch(id, { title: "y" })).status).toBe(200);
    expect((await person.complete(id, true)).status).toBe(200);
    expect((await person.remove(id)).status).toBe(204);
    expect((await person.call(`${person.path}/${id}/restore`, { method: "POST" })).status).toBe(200);
    const operations = [{ op: "patch", id, task: { title: "z" } }];
    const { results } = await ok<{ results: object[] }>(
      await person.call(`${person.path}/batch`, { json: { operations } }),
    );
    expect(results).toMatchObject([{ status: 200, id: task.id }]);
  });

  it.each(["\u200B", "\u3164", "\u2800", "\u2060\u200D", "\u00AD", " \u3000\u200B "])(
    "T2 a title that shows nothing is blank: %j",
    async (title) => {
      for (const answer of [
        await person.call(person.path, { json: { title } }),
        await person.call(`${person.path}/batch`, { json: { operations: [{ op: "create", task: { title } }] } }),
      ]) {
        expect(answer.status).toBe(400);
        expect((await errorsOf(answer))[0]?.message).toBe("must not be blank");
      }
    },
  );

  it("T6 a batch that is not atomic judges every operation by itself", async () => {
    const operations = [
      { op: "create", task: { title: "x".repeat(256) } },
      { op: "create", task: { title: "Done" } },
      { op: "nonsense" },
      5,
    ];
    const answer = await ok<{ results: object[] }>(
      await person.call(`${person.path}/batch`, { json: { atomic: false, operations } }),
    );
    expect(answer.results).toMatchObject([
      { op: "create", status: 400, errors: [{ path: "task.title" }] },
      { op: "create", status: 201, task: { title: "Done" } },
      { op: "", status: 400 },
      { op: "", status: 400 },
    ]);
  });
});

describe("T6 requests that miss their mark", () => {
  it("T6 an unknown parameter is called one, and those that there are are listed", async () => {
    const answer = await person.call(`${person.path}?page=2&stauts=open`);
    expect(answer.status).toBe(400);
    const errors = await errorsOf(answer);
    expect(errors.map(({ path }) => path)).toEqual(["page", "stauts"]);
    for (const { message } of errors) {
      expect(message).toMatch(/^is not a parameter of this operation; its parameters are status, sort.*cursor/);
    }
    const field = await person.call(person.path, { json: { title: "x", page: 2 } });
    expect(await errorsOf(field)).toEqual([{ path: "page", message: "is unknown or read-only" }]);
  });

  it("T6 a slash at the end of a path means the same", async () => {
    const task = await person.create();
    const made = await person.call(`${person.path}/`, { json: { title: "x" } });
    expect([made.status, header(made, "location")]).toEqual([201, expect.stringMatching(/\/tasks\/[0-9a-f-]{36}$/)]);
    for (const path of [
      `${person.path}/`,
      `${person.path}/${task.id}/`,
      `${person.path}/changes/`,
      "/api/v1/users/me/usage/",
    ]) {
      expect((await person.call(path)).status, path).toBe(200);
      expect((await anonymous().call(path)).status, path).toBe(401);
    }
    expect((await anonymous().call("/health/")).status).toBe(200);
    expect((await person.call(`${person.path}//`)).status).toBe(404);
    const huge = await person.call(`${person.path}/import/`, { method: "POST", body: "x".repeat(11 * 1024 * 1024) });
    expect(huge.status).toBe(413);
    const visitor = anonymous();
    const answer = await visitor.call("/api/auth/get-session/", {
      headers: { authorization: `Bearer ${person.sessionToken}` },
    });
    expect(await answer.json()).toMatchObject({ user: { id: person.id } });
  });

  it("T6 a method that a path does not have is 405, outside of the task API too", async () => {
    for (const path of ["/health", "/ready", "/api/openapi.json", "/problems/not_found"]) {
      const answer = await anonymous().call(path, { method: "POST", json: {} });
      expect([answer.status, header(answer, "allow")], path).toEqual([405, "GET, HEAD"]);
    }
    const account = await anonymous().call("/api/auth/sign-in/email");
    expect([account.status, header(account, "allow")]).toEqual([405, "POST"]);
  });

  it.each([
    ['{"title": "x"', "in line 1, column 14, the text ends too early"],
    ['{"title": "x",}', "in line 1, column 15, a name in double quotes is expected"],
    ["{\n  'title': 1}", "in line 2, column 3"],
    ['{"title": "a\nb"}', "in line 1, column 11"],
    ["[".repeat(60_000), "must be JSON"],
    ["", "must be JSON"],
  ])("T6 broken JSON says where: %s", async (body, message) => {
    const headers = { "content-type": "application/json" };
    const answer = await person.call(person.path, { method: "POST", headers, body });
    expect(answer.status).toBe(400);
    expect(await answer.json()).toMatchObject({
      code: "malformed_request",
      errors: [{ path: "body", message: expect.stringContaining(message) }],
    });
    if (body === "") return;
    const account = await anonymous().call("/api/auth/sign-in/email", { method: "POST", headers, body });
    expect(account.status).toBe(400);
    expect(await account.json()).toMatchObject({ code: "BAD_REQUEST", message: expect.stringContaining(message) });
  });

  it("S1 a token of another kind is told which one to send, and where to get it", async () => {
    for (const token of [person.sessionToken, "x.y.z", "opaque"]) {
      const answer = await anonymous().call(person.path, { headers: { authorization: `Bearer ${token}` } });
      expect(answer.status).toBe(401);
      const { detail } = await answer.json<{ detail: string }>();
      for (const kind of ["set-auth-jwt", "GET /api/auth/token", "cookie", "set-auth-token", "`token` in the body"]) {
        expect(detail).toContain(kind);
      }
    }
  });

  it("T6 the type of a problem leads to a page that explains it", async () => {
    const problem = await (await person.call(`${person.path}/nothing`)).json<{ type: string; code: string }>();
    const page = await anonymous().call(new URL(problem.type).pathname);
    expect([page.status, header(page, "content-type")]).toEqual([200, "text/html; charset=UTF-8"]);
    expect(header(page, "content-security-policy")).toMatch(/^default-src 'none'; style-src 'sha256-[\w+/]{43}='/);
    const text = await page.text();
    for (const part of [problem.code, "404", "<title>Not found"]) expect(text).toContain(part);
    const { PROBLEMS } = await import("../../src/http/problem-kinds.ts");
    for (const code of Object.keys(PROBLEMS)) {
      expect((await anonymous().call(`/problems/${code}`)).status, code).toBe(200);
    }
    for (const code of ["nothing", "constructor", "%3Cscript%3E"]) {
      expect((await anonymous().call(`/problems/${code}`)).status, code).toBe(404);
    }
    expect(await (await anonymous().call("/problems")).text()).toContain("quota_exceeded");
  });

  it.each(["short", "x".repeat(129)])("A3 the numbers of the password rules are in the message", async (password) => {
    const json = { name: "x", email: `${crypto.randomUUID()}@example.com`, password };
    const answer = await anonymous().call("/api/auth/sign-up/email", { json });
    expect([answer.status, (await answer.json<{ message: string }>()).message]).toEqual([
      400,
      expect.stringContaining("8 to 128"),
    ]);
  });
});

describe("T5 text without its case, as Unicode folds it", () => {
  it.each([
    ["Straße", "STRASSE"],
    ["Straße", "straẞe"],
    ["ﬁnd", "FIND"],
    ["ŉ", "ʼN"],
    ["ΌΣΟΣ", "όσος"],
    ["ᾳ", "ΑΙ"],
    ["ΐ", "Ϊ́"],
    ["ǰ", "J̌"],
    ["և", "ԵՒ"],
    ["ꭰ", "Ꭰ"],
    ["İ", "i̇"],
    ["ＡＢＣ", "abc"],
  ])("T5 %s is %s, in searches and as a tag", async (one, other) => {
    const who = await someone();
    for (const [written, wanted] of [
      [one, other],
      [other, one],
    ] as const) {
      const task = await who.create({ title: `a ${written} b`, tags: [written] });
      for (const query of [{ q: wanted }, { tag: wanted }]) {
        const { data } = await who.list(`?${new URLSearchParams(query)}`);
        expect(
          data.map(({ id }) => id),
          JSON.stringify(query),
        ).toContain(task.id);
      }
    }
    const twins = await who.call(who.path, { json: { title: "x", tags: [one, other] } });
    expect(await errorsOf(twins)).toMatchObject([{ path: "tags.1" }]);
  });

  it("T5 the dotless i is another letter", async () => {
    const who = await someone();
    await who.create({ title: "ısı" });
    expect((await who.list("?q=isi")).data).toEqual([]);
  });

  it("T5 titles are sorted as people expect: case and accents together, numbers by value", async () => {
    const who = await someone();
    const titles = [
      "2 x",
      "10 x",
      "٣٠ x",
      "Änder",
      "anders",
      "Apfel",
      "cote",
      "côte",
      "Cote d'Or",
      "Öl",
      "ore",
      "Øre 2",
      "resume",
      "Résumé b",
      "ß-Test",
      "step 9",
      "Step 10",
      "Zeta",
      "иа",
      "ия",
      "йод",
    ];
    for (const title of titles.toReversed()) await who.create({ title });
    expect((await who.list("?sort=title&limit=100")).data.map(({ title }) => title)).toEqual(titles);
    const paged = [];
    for (let cursor: string | null = ""; cursor !== null; ) {
      const page = await who.list(`?sort=title&limit=4${cursor && `&cursor=${cursor}`}`);
      paged.push(...page.data.map(({ title }) => title));
      cursor = page.nextCursor;
    }
    expect(paged).toEqual(titles);
  });

  it("L1 T5 keys of older rules are made anew by housekeeping, and nothing else changes", async () => {
    const [one, other] = [await someone(), await someone()];
    const id = crypto.randomUUID();
    for (const who of [one, other]) {
      await who.create({ id, title: "Große Straße 10", description: "STRAẞE", tags: ["Maß"] });
      await who.create({ title: who === one ? "Große Straße 9" : "Große Straße 9, und mehr", tags: ["ﬁx"] });
      const gone = await who.create({ title: "Großes" });
      await who.remove(gone.id);
    }
    const before = await one.list("?sort=title");
    const totals = async () =>
      (
        await env.DB.prepare(`select user_id, bytes_total, trash_total,
        (select sum(iif(deleted_at is null, bytes, 0)) from task as own where own.user_id = task.user_id) as bytes,
        (select sum(iif(deleted_at is null, 0, bytes)) from task as own where own.user_id = task.user_id) as trash
        from task where user_id in (?1, ?2) and revision = (select max(revision) from task as own where own.user_id = task.user_id) order by user_id`)
          .bind(one.id, other.id)
          .all()
      ).results;
    const kept = await totals();
    // As the rules of before had them: folded letter by letter, and without a key for sorting.
    await env.DB.prepare(`update task set title_key = lower(title), sort_key = '', description_key = lower(description), keys_version = 0,
      tags = '{"maß":"Maß","mass":"MASS"}' where user_id in (?1, ?2) and title like '%10'`)
      .bind(one.id, other.id)
      .run();
    await env.DB.prepare(
      `update task set title_key = lower(title), sort_key = '', keys_version = 0 where user_id in (?1, ?2) and title not like '%10'`,
    )
      .bind(one.id, other.id)
      .run();
    await env.DB.prepare(`update task set bytes_total = (select sum(bytes) from task as own where own.user_id = task.user_id and deleted_at is null),
      trash_total = (select sum(bytes) from task as own where own.user_id = task.user_id and deleted_at is not null)
      where user_id in (?1, ?2) and revision = (select max(revision) from task as own where own.user_id = task.user_id)`)
      .bind(one.id, other.id)
      .run();
    expect((await one.list("?q=strasse")).data).toEqual([]);
    expect((await runCleanup(env.DB, Date.now()))["task_keys"]).toBeGreaterThanOrEqual(6);
    expect((await one.list("?q=strasse")).data).toHaveLength(2);
    expect((await other.list("?tag=MASS")).data).toHaveLength(1);
    const after = await one.list("?sort=title");
    expect(after.data.map(({ title, revision, updatedAt }) => [title, revision, updatedAt])).toEqual(
      before.data.map(({ title, revision, updatedAt }) => [title, revision, updatedAt]),
    );
    expect(after.data.find((task: Task) => task.id === id)?.tags.toSorted()).toEqual(["MASS", "Maß"]);
    for (const row of await totals())
      expect([row["bytes_total"], row["trash_total"]]).toEqual([row["bytes"], row["trash"]]);
    expect(kept).toHaveLength(2);
    expect((await runCleanup(env.DB, Date.now()))["task_keys"]).toBe(0);
  });
});
