import { env } from "cloudflare:workers";
import { describe, expect, expectTypeOf, it } from "vitest";
import type { z } from "zod";
import { createTasksClient, isTasksError, type TasksError } from "../../src/client/index.ts";
import type * as client from "../../src/client/types.ts";
import type { ProblemCode } from "../../src/http/problem-kinds.ts";
import type { newTaskSchema, Task } from "../../src/tasks/model.ts";
import { hastyApp } from "../support/apps.ts";
import { nextEmail, ORIGIN, tokenWith, worker } from "../support/client.ts";
import { flakyD1 } from "../support/intercepted-d1.ts";
import { all, createNetwork, failure, newcomer, signedUp, TASKS } from "./network.ts";

describe("P1 the client", () => {
  it("P1 R3 has the types of the server, exactly", () => {
    expectTypeOf<client.Task>().toEqualTypeOf<Task>();
    expectTypeOf<client.NewTask>().toExtend<z.input<typeof newTaskSchema>>();
    expectTypeOf<keyof client.NewTask>().toEqualTypeOf<keyof z.input<typeof newTaskSchema>>();
    expectTypeOf<client.ProblemCode>().toEqualTypeOf<ProblemCode>();
  });

  it("P1 does everything that the API does", async () => {
    const { client: mine } = await signedUp();
    const { tasks } = mine;
    const milk = await tasks.create({ title: "Milk", tags: ["shop"] });
    expect(await tasks.get(milk.id)).toEqual(milk);
    const changed = await tasks.change(milk.id, { due: "2026-03-01" }, { ifMatch: milk });
    expect(await tasks.replace(milk.id, { title: "Bread" }, { ifMatch: changed.revision })).toMatchObject({
      due: null,
    });
    expect((await tasks.complete(milk.id)).completed).toBe(true);
    await tasks.delete(milk.id);
    expect((await tasks.list({ status: "deleted" })).data).toHaveLength(1);
    expect((await tasks.restore(milk.id)).title).toBe("Bread");
    const results = await tasks.batch([
      { op: "create", task: { title: "A" } },
      { op: "create", task: { title: "B" } },
      { op: "delete", id: milk.id },
    ]);
    expect(results.map(({ status }) => status)).toEqual([201, 201, 204]);
    expect((await all(mine)).map(({ title }) => title)).toEqual(["B", "A"]);
    const file = await (await tasks.export("csv")).text();
    expect(await tasks.import(file, { format: "csv" })).toMatchObject({ imported: 0, exists: 2 });

    const copy = new Map<string, client.Task>();
    for await (const { changes } of tasks.changes()) {
      for (const { id, task } of changes) task ? copy.set(id, task) : copy.delete(id);
    }
    expect([...copy.values()].map(({ title }) => title)).toEqual(["A", "B"]);
    await mine.signOut();
    expect((await failure(tasks.list())).status).toBe(401);
  });

  it("P1 its errors tell what the problem tells, by code", async () => {
    const { client: mine } = await signedUp();
    const task = await mine.tasks.create({ title: "x" });
    const invalid = await failure(mine.tasks.create({ title: " " }));
    if (invalid.code !== "invalid_request") throw invalid;
    expect(invalid.errors).toMatchObject([{ path: "title" }]);
    const stale = await failure(mine.tasks.change(task.id, { title: "y" }, { ifMatch: 999 }));
    if (stale.code !== "precondition_failed") throw stale;
    expect([stale.revision, stale.status]).toEqual([task.revision, 412]);
    expect(stale.requestId).toMatch(/^[\w-]+$/);
    expect(await failure(mine.tasks.get("x/../y"))).toMatchObject({ code: "not_found", status: 404 });
    const refused = await failure(mine.signIn({ email: nextEmail(), password: "wrong password" }));
    if (refused.code !== "account_refused") throw refused;
    expect(refused.reason).toBe("INVALID_EMAIL_OR_PASSWORD");
  });

  it("P1 carries the bookmark from each answer to the next request", async () => {
    const { client: mine, network } = await signedUp();
    await mine.tasks.create({ title: "x" });
    await mine.tasks.list();
    const bookmarks = network.sent
      .filter(({ path }) => path === TASKS)
      .map(({ headers }) => headers.get("x-d1-bookmark"));
    expect(bookmarks).toEqual([null, expect.stringMatching(/^[0-9a-f-]{59}$/)]);
  });
});

describe("P1 L6 renewing", () => {
  /** Makes every access token but the newest look expired to the server. */
  function withExpiredTokens(network: ReturnType<typeof createNetwork>) {
    const expired = new Set<string>();
    network.change = async (request) => {
      const token = request.headers.get("authorization")?.slice("Bearer ".length) ?? "";
      if (!expired.has(token)) return request;
      const claims = JSON.parse(atob((token.split(".")[1] ?? "").replaceAll("-", "+").replaceAll("_", "/")));
      const headers = new Headers(request.headers);
      headers.set(
        "authorization",
        `Bearer ${await tokenWith({ ...claims, iat: claims.iat - 7200, exp: claims.iat - 3600 })}`,
      );
      return new Request(request, { headers });
    };
    return () => {
      for (const { headers, path } of network.sent) {
        if (path.startsWith(TASKS)) expired.add(headers.get("authorization")?.slice("Bearer ".length) ?? "");
      }
    };
  }

  it("P1 L6 12 calls at once with an expired token: one renewal, and every call is answered", async () => {
    const { client: mine, network } = await signedUp();
    const expire = withExpiredTokens(network);
    await mine.tasks.list();
    for (let round = 1; round <= 2; round += 1) {
      expire();
      await Promise.all(Array.from({ length: 12 }, (_, n) => mine.tasks.create({ title: `${round}.${n}` })));
      expect(network.count("GET", "/api/auth/token")).toBe(round);
      expect(await all(mine)).toHaveLength(round * 12);
    }
  });

  it("P1 L6 several clients of one session: one renewal", async () => {
    const sessions: (string | undefined)[] = [];
    const { network } = await signedUp(createNetwork(), { onSession: (value) => sessions.push(value) });
    const clients = Array.from({ length: 4 }, () =>
      createTasksClient({ baseUrl: ORIGIN, session: sessions[0], fetch: network.fetch }),
    );
    const expire = withExpiredTokens(network);
    await clients[0]?.tasks.list();
    expire();
    const before = network.count("GET", "/api/auth/token");
    await Promise.all(clients.flatMap(({ tasks }) => [tasks.list(), tasks.create({ title: "x" })]));
    expect(network.count("GET", "/api/auth/token")).toBe(before + 1);
  });

  it("P1 a session that dies midway ends every call, says so once it does, and leaves no session behind", async () => {
    const told: unknown[] = [];
    const { client: mine, network } = await signedUp(createNetwork(), {
      onSession: (value) => told.push(value === undefined ? "no session" : "session"),
      onSignedOut: () => told.push("signed out"),
    });
    const draft = { title: "What was typed" };
    await env.DB.prepare("delete from session").run();
    const errors = await Promise.all([failure(mine.tasks.create(draft)), failure(mine.tasks.list())]);
    expect(errors.map(({ code }) => code)).toEqual(["session_ended", "session_ended"]);
    expect(told).toEqual(["session", "no session", "signed out"]);
    const before = network.sent.length;
    expect((await failure(mine.tasks.list())).status).toBe(401);
    expect(network.sent.length - before).toBeLessThanOrEqual(1);
    await mine.signUp(newcomer());
    expect(await mine.tasks.create(draft)).toMatchObject(draft);
  });
});

describe("P1 a network that fails", () => {
  type Outcome = "created" | "network";

  it.each(["before", "after", "within"] as const)(
    "P1 cut off %s any request or answer of a session's life: nothing is doubled, and nothing is lost",
    async (when) => {
      for (let at = 2; at <= 9; at += 1) {
        const { client: mine, network } = await signedUp();
        network.cut = { at, when };
        const outcomes: Outcome[] = [];
        const unsafe: TasksError[] = [];
        const attempt = async (work: () => Promise<unknown>) => {
          try {
            await work();
          } catch (error) {
            if (!isTasksError(error)) throw error;
            unsafe.push(error);
          }
        };
        for (const title of ["A", "B"]) {
          await mine.tasks.create({ title });
          outcomes.push("created");
        }
        const [a] = await all(mine);
        await attempt(() => mine.tasks.complete(a?.id ?? ""));
        await mine.tasks.batch([{ op: "create", task: { title: "C" } }]);
        await mine.tasks.import(JSON.stringify({ tasks: [{ title: "D" }] }));
        const tasks = await all(mine);
        expect(tasks.map(({ title }) => title).sort(), `${when} ${at}`).toEqual(["A", "B", "C", "D"]);
        expect(unsafe.every((error) => error.code === "network" && error.outcomeUnknown)).toBe(true);
        expect(network.count("PATCH", `${TASKS}/${a?.id}/complete`)).toBe(1);
        if (unsafe.length === 0 || when !== "before") expect(tasks.some(({ completed }) => completed)).toBe(true);
      }
    },
  );

  it("P1 never repeats an unsafe call", async () => {
    const { client: mine, network } = await signedUp();
    const { id } = await mine.tasks.create({ title: "x" });
    for (const work of [
      () => mine.tasks.change(id, { title: "y" }),
      () => mine.tasks.replace(id, { title: "y" }),
      () => mine.tasks.delete(id),
      () => mine.tasks.restore(id),
    ]) {
      const before = network.sent.length;
      network.cut = { at: before + 1, when: "before" };
      expect(await failure(work())).toMatchObject({ code: "network", outcomeUnknown: true });
      expect(network.sent.length).toBe(before + 1);
    }
  });

  it("P1 gives up at last, and says that a read can be asked again", async () => {
    const { client: mine } = await signedUp();
    const down = createTasksClient({
      baseUrl: ORIGIN,
      session: "x",
      fetch: () => Promise.reject(new TypeError("down")),
    });
    expect(await failure(down.tasks.list())).toMatchObject({ code: "network", outcomeUnknown: false, status: 0 });
    expect(await mine.tasks.list()).toMatchObject({ data: [] });
  });

  it("P1 waits as long as Retry-After says, where a repetition does no harm", async () => {
    const { fetch } = await hastyApp({ d1: flakyD1(env.DB, "D1_ERROR: Network connection lost.", 1, false) });
    const network = createNetwork();
    const sessions: (string | undefined)[] = [];
    await signedUp(network, { onSession: (value) => sessions.push(value) });
    const troubled = createNetwork((request) => (request.url.includes("/api/v1/") ? fetch(request) : worker(request)));
    const mine = createTasksClient({ baseUrl: ORIGIN, session: sessions[0], fetch: troubled.fetch });
    const start = Date.now();
    expect(await mine.tasks.list()).toMatchObject({ data: [] });
    expect(Date.now() - start).toBeGreaterThanOrEqual(2000);
    expect(troubled.count("GET", TASKS)).toBe(2);
  });
});

describe("P1 what a client is given", () => {
  it("P1 a session that was kept opens it again, and a token of another user never mixes in", async () => {
    const sessions: string[] = [];
    const people = await Promise.all(
      [0, 1, 2].map(async (n) => {
        const { client: mine } = await signedUp(createNetwork(), {
          onSession: (value) => {
            if (value) sessions[n] = value;
          },
        });
        await mine.tasks.create({ title: `Of ${n}` });
        return mine;
      }),
    );
    expect(people).toHaveLength(3);
    for (const [n, session] of sessions.entries()) {
      const again = createTasksClient({ baseUrl: `${ORIGIN}/`, session, fetch: createNetwork().fetch });
      expect((await all(again)).map(({ title }) => title)).toEqual([`Of ${n}`]);
    }
  });

  it("P1 a call of before never goes on as whoever has signed in since, nor ends their session", async () => {
    const network = createNetwork();
    const told: string[] = [];
    const { client: mine } = await signedUp(network, { onSignedOut: () => told.push("signed out") });
    let release = () => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    network.change = async (request) => {
      if (request.method !== "POST" || !request.url.endsWith(TASKS)) return request;
      network.change = (next) => next;
      await env.DB.prepare("delete from session").run();
      await held;
      return request;
    };
    const late = failure(mine.tasks.create({ title: "Of the first person" }));
    await mine.signUp(newcomer());
    release();
    expect((await late).code).toBe("session_ended");
    expect(told).toEqual([]);
    expect(await all(mine)).toEqual([]);
  });

  it("P1 says that the session has ended in one way, also when the access token had run out before", async () => {
    const { network } = await signedUp();
    const sessions: (string | undefined)[] = [];
    await signedUp(network, { onSession: (value) => sessions.push(value) });
    await env.DB.prepare("delete from session").run();
    const late = createTasksClient({ baseUrl: ORIGIN, session: sessions[0], fetch: network.fetch });
    expect(await failure(late.tasks.list())).toMatchObject({ code: "session_ended", status: 401 });
  });

  it("P1 a refused batch names its operation", async () => {
    const { client: mine } = await signedUp();
    const operations = [
      { op: "create" as const, task: { title: "x" } },
      { op: "delete" as const, id: crypto.randomUUID() },
    ];
    expect(await failure(mine.tasks.batch(operations))).toMatchObject({ code: "not_found", operation: 1 });
  });

  it("P1 signing in as somebody else leaves nothing of the one before", async () => {
    const { client: mine } = await signedUp();
    await mine.tasks.create({ title: "First person's" });
    await mine.signUp(newcomer());
    expect(await all(mine)).toEqual([]);
  });
});
