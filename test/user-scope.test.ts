import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, it } from "vitest";
import { appWith } from "./support/apps.ts";
import { anonymous, type CallInit, clientFor, header, type Person, someone, tasksOf } from "./support/client.ts";
import { countingD1 } from "./support/intercepted-d1.ts";
import { guardedRoutes, type Route } from "./support/routes.ts";

const REQUEST_ID = "the-same-for-all";

/** The ways in which a route may be tried, each complete enough to be accepted by its owner. */
function attempts({ method, json }: Route): CallInit[] {
  return [undefined, "*", '"1"', '"999"'].map((ifMatch) => ({
    method,
    ...(json && { json }),
    headers: { "x-request-id": REQUEST_ID, ...(ifMatch && { "if-match": ifMatch }) },
  }));
}

describe("S1 without credentials", () => {
  it("S1 every route under /api/v1 answers 401 with a challenge and a problem, and runs nothing", async () => {
    const counter = countingD1(env.DB);
    const { fetch } = await appWith({ d1: counter.d1 });
    const routes = guardedRoutes("me", crypto.randomUUID());
    expect(routes.length).toBeGreaterThanOrEqual(7);
    for (const route of routes) {
      const { method, path } = route;
      const answer = await anonymous(fetch).call(path, attempts(route)[0]);
      expect(answer.status, `${method} ${path}`).toBe(401);
      expect(header(answer, "www-authenticate")).toBe('Bearer realm="edge-tasks"');
      expect(header(answer, "content-type")).toBe("application/problem+json");
      expect(await answer.json()).toMatchObject({ status: 401, code: "credentials_missing" });
    }
    expect(counter.spent()).toEqual({ roundTrips: 0, rowsRead: 0, rowsWritten: 0 });
  });

  it.each(["GET", "POST", "PUT", "DELETE", "PATCH", "PURGE"])(
    "S1 so does %s on a path that does not exist",
    async (method) => {
      for (const path of ["/api/v1", "/api/v1/", "/api/v1/nothing", "/api/v1/users", "/api/v1/users/me/nothing"]) {
        expect((await anonymous().call(path, { method })).status).toBe(401);
      }
    },
  );
});

describe("another user's path", () => {
  it("S5 is 403 on every route, without a query", async () => {
    const [caller, other] = await Promise.all([someone(), someone()]);
    const task = await other.create();
    const counter = countingD1(env.DB);
    const { fetch } = await appWith({ d1: counter.d1 });
    for (const user of [other.id, "someone", "ME", encodeURIComponent("me/../me"), `${caller.id} `, "%00"]) {
      for (const route of guardedRoutes(user, task.id)) {
        const { method, path } = route;
        for (const attempt of attempts(route)) {
          const answer = await clientFor(caller.accessToken, fetch).call(path, attempt);
          expect(answer.status, `${method} ${path}`).toBe(403);
          expect(await answer.json()).toMatchObject({ code: "forbidden" });
        }
      }
    }
    expect(counter.spent()).toEqual({ roundTrips: 0, rowsRead: 0, rowsWritten: 0 });
  });

  it("S4 the caller's own id works like `me`", async () => {
    const caller = await someone();
    const { id } = await caller.create({ title: "Mine" });
    expect(await tasksOf(caller, caller.id).read(id)).toMatchObject({ title: "Mine" });
  });

  it("S4 a user id in the body, the query or a header changes nothing", async () => {
    const [caller, other] = await Promise.all([someone(), someone()]);
    for (const field of ["userId", "user_id", "sub", "owner"]) {
      const answer = await caller.call(caller.path, { json: { title: "x", [field]: other.id } });
      expect(answer.status).toBe(400);
      expect(await answer.json()).toMatchObject({ errors: [{ path: field }] });
      expect((await caller.call(`${caller.path}?${field}=${other.id}`)).status).toBe(400);
    }
    const headers = { "x-user-id": other.id, "x-forwarded-user": other.id, "x-original-url": other.path };
    expect((await caller.call(caller.path, { json: { title: "Mine" }, headers })).status).toBe(201);
    expect((await other.list()).data).toEqual([]);
    expect((await caller.list()).data).toHaveLength(1);
  });
});

describe("the tenant matrix", () => {
  let people: Person[];
  let owned: Map<Person, string[]>;

  beforeAll(async () => {
    people = await Promise.all(Array.from({ length: 6 }, () => someone()));
    owned = new Map();
    for (const person of people) {
      const ids = [];
      for (const title of ["One", "Two", "Three"])
        ids.push((await person.create({ title, description: person.id })).id);
      await person.complete(ids[1] ?? "", true);
      await person.remove(ids[2] ?? "");
      owned.set(person, ids);
    }
  });

  async function rowsOf(person: Person): Promise<unknown[]> {
    const query = env.DB.prepare("select * from task where user_id = ? order by id").bind(person.id);
    return (await query.all()).results;
  }

  it("S5 S6 foreign ids get the same bytes as unknown ids, and the victims' rows stay", async () => {
    for (const [index, attacker] of people.entries()) {
      const victim = people.at(index - 1) ?? attacker;
      const before = await rowsOf(victim);
      const foreign = owned.get(victim) ?? [];
      for (const route of guardedRoutes("me", "{id}").filter(({ path }) => path.includes("{id}"))) {
        const { method, path } = route;
        for (const attempt of attempts(route)) {
          const at = (id: string) => attacker.call(path.replace("{id}", id), attempt);
          const absent = await describeAnswer(await at(crypto.randomUUID()));
          expect(absent.status).toBe(404);
          for (const id of foreign) expect(await describeAnswer(await at(id)), `${method} ${path}`).toEqual(absent);
        }
      }
      expect(await rowsOf(victim)).toEqual(before);
    }
  });

  it("S6 each user sees all their own tasks, and no others", async () => {
    for (const person of people) {
      const [one, two] = owned.get(person) ?? [];
      const { data } = await person.list("?limit=100");
      expect(data.map(({ id, description }) => [id, description])).toEqual([
        [two, person.id],
        [one, person.id],
      ]);
    }
  });

  it("S6 a cursor of one user is refused to every other", async () => {
    for (const person of people) {
      const { nextCursor } = await person.list("?limit=1");
      expect((await person.list(`?limit=1&cursor=${nextCursor}`)).data).toHaveLength(1);
      for (const other of people.filter((candidate) => candidate !== person)) {
        const answer = await other.call(`${other.path}?limit=1&cursor=${nextCursor}`);
        expect(answer.status).toBe(400);
        expect(await answer.json()).toMatchObject({ code: "invalid_request", errors: [{ path: "cursor" }] });
      }
    }
  });

  it("S6 revisions are counted for each user, without gaps of others' changes", async () => {
    const [first, second] = await Promise.all([someone(), someone()]);
    await first.create();
    await second.create();
    await second.create();
    expect((await first.create()).revision).toBe(2);
  });

  async function describeAnswer(answer: Response) {
    const headers = Object.fromEntries(answer.headers);
    return { status: answer.status, headers: { ...headers, "x-d1-bookmark": "" }, body: await answer.text() };
  }
});

describe("the end of a session", () => {
  it("L2 S7 a signed-out token is refused on every route, and nothing is written", async () => {
    const person = await someone();
    const { id } = await person.create();
    const signOut = await anonymous().call("/api/auth/sign-out", {
      method: "POST",
      headers: { authorization: `Bearer ${person.sessionToken}` },
    });
    expect(await signOut.json()).toMatchObject({ success: true });
    for (const route of guardedRoutes("me", id)) {
      const { method, path } = route;
      const attempt = attempts(route)[0];
      const answer = await person.call(path, attempt);
      expect(answer.status, `${method} ${path}`).toBe(401);
      expect(await answer.json()).toMatchObject({ code: "session_ended" });
      expect(header(answer, "www-authenticate")).toContain('error="invalid_token"');
    }
    const rows = await env.DB.prepare("select title, revision, deleted_at from task where user_id = ?")
      .bind(person.id)
      .all();
    expect(rows.results).toEqual([{ title: "A task", revision: 1, deleted_at: null }]);
  });

  it("L2 ending one session keeps the user's other sessions", async () => {
    const person = await someone();
    const second = await anonymous().call("/api/auth/sign-in/email", {
      json: { email: person.email, password: "correct horse battery" },
    });
    const other = tasksOf(clientFor(header(second, "set-auth-jwt")));
    const authorization = `Bearer ${header(second, "set-auth-token")}`;
    await person.create();
    await anonymous().call("/api/auth/sign-out", { method: "POST", headers: { authorization } });
    await expect(other.list()).rejects.toThrow('"code":"session_ended"');
    expect((await person.list()).data).toHaveLength(1);
  });

  it("L2 an expired session ends its access tokens, although they have not expired", async () => {
    const person = await someone();
    await env.DB.prepare("update session set expires_at = ? where user_id = ?")
      .bind(Date.now() - 1, person.id)
      .run();
    expect(await (await person.call(person.path)).json()).toMatchObject({ code: "session_ended" });
    expect((await person.call(person.path, { json: { title: "x" } })).status).toBe(401);
  });

  it("S6 a signed token with another user's session id reaches no tasks", async () => {
    const { claimsFor, tokenWith } = await import("./support/client.ts");
    const [caller, other] = await Promise.all([someone(), someone()]);
    await other.create();
    const token = await tokenWith({ ...claimsFor(other), sub: caller.id });
    const answer = await clientFor(token).call(caller.path);
    expect(answer.status).toBe(401);
  });
});

describe("bookmarks", () => {
  it("S7 an answer carries the bookmark, and a request may send it back", async () => {
    const person = await someone();
    const created = await person.call(person.path, { json: { title: "x" } });
    const bookmark = header(created, "x-d1-bookmark");
    const read = await person.call(person.path, { headers: { "x-d1-bookmark": bookmark } });
    expect((await read.json<{ data: unknown[] }>()).data).toHaveLength(1);
  });

  it.each(["", "first-unconstrained", "first-primary", "x", "0".repeat(10_000)])(
    "T5 %j is no bookmark: 400",
    async (bookmark) => {
      const person = await someone();
      const answer = await person.call(person.path, { headers: { "x-d1-bookmark": bookmark } });
      expect(answer.status).toBe(400);
      expect(await answer.json()).toMatchObject({ errors: [{ path: "x-d1-bookmark" }] });
    },
  );
});
