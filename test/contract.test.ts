/** The document is what is served, and every operation in it keeps users apart: attacks made from the document alone. */
import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, it } from "vitest";
import { createApp } from "../src/app.ts";
import { ALL_ENDPOINTS } from "../src/auth/endpoints.ts";
import { PROBLEMS } from "../src/http/problem-kinds.ts";
import { appWith } from "./support/apps.ts";
import { anonymous, type CallInit, claimsFor, clientFor, type Person, someone, tokenWith } from "./support/client.ts";
import { exampleBody, type Operation, operations } from "./support/contract.ts";
import { countingD1 } from "./support/intercepted-d1.ts";
import { settingsWith } from "./support/settings.ts";

const guarded = operations.filter(({ path }) => path.startsWith("/api/v1/"));
const named = guarded.map((operation) => [operation.operationId, operation] as const);

describe("R3 the document", () => {
  it("R3 names every route, and every operation in it is served", async () => {
    const app = await createApp(settingsWith({}), env);
    const pages = ["/api/openapi", "/api/auth/", "/problems"];
    const served = app.routes
      .filter(({ method, path }) => method !== "ALL" && !pages.some((page) => path.startsWith(page)))
      .map(({ method, path }) => `${method} ${path.replaceAll(/:(\w+)/g, "{$1}")}`);
    expect(new Set(served)).toEqual(new Set(operations.map(({ method, path }) => `${method} ${path}`)));
  });

  it("R3 of the accounts names every open endpoint, and no other", async () => {
    const document = await (await anonymous().call("/api/openapi-accounts.json")).json<{
      paths: Record<string, object>;
    }>();
    const described = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
    );
    expect(new Set(described)).toEqual(new Set(ALL_ENDPOINTS.map(({ method, path }) => `${method} /api/auth${path}`)));
    expect(JSON.stringify(document)).not.toContain("nullable");
  });

  it("R3 names every problem code that an operation can answer with", () => {
    const codes = new Set(
      operations.flatMap(({ responses }) =>
        [...JSON.stringify(responses).matchAll(/"code":"(\w+)"/g)].map(([, code]) => code),
      ),
    );
    const elsewhere = ["method_not_allowed"];
    expect([...codes, ...elsewhere].sort()).toEqual(Object.keys(PROBLEMS).sort());
  });

  it.each(named)("R3 S1 %s asks for an access token, and has an id of its own", (_, operation) => {
    expect(operation.security).toBeUndefined();
    expect(operations.filter(({ operationId }) => operationId === operation.operationId)).toHaveLength(1);
    for (const status of [401, 403, 429, 500, 503]) expect(operation.responses).toHaveProperty(String(status));
  });
});

describe("T6 a body that is too much, or of another kind", () => {
  const withBody = named.filter(([, { requestBody }]) => requestBody);

  it.each(withBody)("T6 %s refuses it, and writes nothing", async (_, { method, path, operationId }) => {
    const person = await someone();
    const task = await person.create();
    const at = path.replace("{userId}", "me").replace("{id}", task.id);
    const most = operationId === "importTasks" ? 10 * 1024 * 1024 : 64 * 1024;
    const [type, other] = ["application/json", "image/png"].map((kind) => ({ "content-type": kind }));
    const huge = await person.call(at, { method, headers: { ...type }, body: `{"x":"${"x".repeat(most)}"}` });
    expect([huge.status, (await huge.json<{ code: string }>()).code]).toEqual([413, "body_too_large"]);
    const text = await person.call(at, { method, headers: { ...other }, body: "no JSON" });
    expect([text.status, (await text.json<{ code: string }>()).code]).toEqual([415, "unsupported_media_type"]);
    expect((await person.list()).data).toEqual([task]);
  });
});

describe("T6 a method that a path does not have", () => {
  it.each([...new Set(guarded.map(({ path }) => path))])(
    "T6 %s is 405, and Allow names those that it has",
    async (path) => {
      const person = await someone();
      const has = guarded.filter((operation) => operation.path === path).map(({ method }) => method);
      const allowed = has.includes("GET") ? [...has, "HEAD"] : has;
      const at = path.replace("{userId}", "me").replace("{id}", (await person.create()).id);
      for (const method of ["GET", "POST", "PUT", "PATCH", "DELETE"].filter((each) => !has.includes(each))) {
        const answer = await person.call(at, { method });
        expect([answer.status, answer.headers.get("content-type")], method).toEqual([405, "application/problem+json"]);
        expect(answer.headers.get("allow")?.split(", ").sort(), method).toEqual(allowed.toSorted());
      }
    },
  );
});

describe("R3 trying an operation", () => {
  it.each(named)("R3 %s fills in nothing that its reader should choose", (_, { parameters = [] }) => {
    const filledIn = parameters.filter(({ required, schema }) => !required && "example" in schema);
    expect(filledIn.map(({ name }) => name)).toEqual([]);
  });
});

describe("S6 attacks made from the document", () => {
  let attacker: Person;
  let victim: Person;
  let victimTask: string;
  let before: string;

  beforeAll(async () => {
    [attacker, victim] = [await someone(), await someone()];
    victimTask = (await victim.create({ title: "Victim's", tags: ["secret"] })).id;
    const gone = await victim.create({ title: "Victim's, deleted" });
    await victim.remove(gone.id);
    await attacker.create({ title: "Attacker's" });
    before = await rowsOf(victim);
  });

  async function rowsOf(who: Person): Promise<string> {
    const rows = [];
    for (const table of ["task", "receipt", "session", "account"]) {
      rows.push(
        (await env.DB.prepare(`select * from ${table} where user_id = ? order by 1, 2`).bind(who.id).all()).results,
      );
    }
    return JSON.stringify(rows);
  }

  /** The request that the document describes, with its path filled in. */
  function requestFor({ method, path }: Operation, user = "me", id: string = crypto.randomUUID()): [string, CallInit] {
    const json = exampleBody(method, path);
    return [path.replace("{userId}", user).replace("{id}", id), { method, ...(json && { json }) }];
  }

  it.each(named)("S1 S2 S3 %s refuses what is no good access token, and asks D1 nothing", async (_, operation) => {
    const counter = countingD1(env.DB);
    const { fetch } = await appWith({ d1: counter.d1 });
    const [path, init] = requestFor(operation, "me", victimTask);
    const claims = claimsFor(attacker);
    const expired = { iat: Number(claims["iat"]) - 7200, exp: Number(claims["iat"]) - 3600 };
    for (const [token, code] of [
      [undefined, "credentials_missing"],
      [await tokenWith({ ...claims, ...expired }), "token_expired"],
      [await tokenWith({ ...claims, aud: "https://elsewhere.test" }), "token_invalid"],
      [await tokenWith({ ...claims, iss: "https://elsewhere.test" }), "token_invalid"],
      [await tokenWith(claims, {}, "x".repeat(32)), "token_invalid"],
      [attacker.sessionToken, "token_invalid"],
    ] as const) {
      const client = token === undefined ? anonymous(fetch) : clientFor(token, fetch);
      const answer = await client.call(path, init);
      expect([answer.status, (await answer.json<{ code: string }>()).code]).toEqual([401, code]);
    }
    expect(counter.spent().roundTrips).toBe(0);
  });

  it.each(named)("S4 S5 %s is 403 on another user's path, and asks D1 nothing", async (_, operation) => {
    const counter = countingD1(env.DB);
    const { fetch } = await appWith({ d1: counter.d1 });
    const answer = await clientFor(attacker.accessToken, fetch).call(...requestFor(operation, victim.id, victimTask));
    expect(answer.status).toBe(403);
    expect(counter.spent().roundTrips).toBe(0);
  });

  it.each(named.filter(([, { path }]) => path.includes("{id}")))(
    "S5 %s answers another user's task byte for byte like none, under every header",
    async (_, operation) => {
      const keys = [
        {},
        { "if-match": "*" },
        { "if-match": '"1"' },
        { "if-none-match": '"1"' },
        { "idempotency-key": "k" },
      ];
      for (const headers of keys) {
        const answers = [];
        for (const id of [victimTask, crypto.randomUUID()]) {
          const [path, init] = requestFor(operation, "me", id);
          const answer = await attacker.call(path, { ...init, headers: { ...headers, "x-request-id": "same" } });
          const kept = Object.fromEntries([...answer.headers].filter(([name]) => name !== "x-d1-bookmark"));
          answers.push([answer.status, kept, await answer.text()]);
        }
        expect(answers[0]?.[0]).toBe(404);
        expect(answers[0]).toEqual(answers[1]);
      }
      expect(await rowsOf(victim)).toBe(before);
    },
  );

  it.each(named)(
    "S4 S6 %s takes another user's id, key, cursor or tag nowhere, and shows nothing of theirs",
    async (_, operation) => {
      const { nextCursor } = await victim.list("?limit=1");
      const { nextToken } = await (await victim.call(`${victim.path}/changes`)).json<{ nextToken: string }>();
      const [path, init] = requestFor(operation);
      const foreign = [victim.id, victimTask, nextCursor ?? "", nextToken];
      const parameters = ["userId", "user_id", "sub", "owner", ...(operation.parameters ?? []).map(({ name }) => name)];
      for (const value of foreign) {
        for (const name of new Set(parameters)) {
          await expectNothingOfTheVictim(attacker.call(`${path}?${name}=${value}`, init));
        }
        const headers = ["x-user-id", "if-match", "if-none-match", "idempotency-key", "x-d1-bookmark"];
        for (const name of headers) {
          await expectNothingOfTheVictim(attacker.call(path, { ...init, headers: { [name]: value } }));
        }
        for (const json of init.json === undefined ? [] : withForeign(init.json, value)) {
          await expectNothingOfTheVictim(attacker.call(path, { ...init, json }));
        }
      }
      expect(await rowsOf(victim)).toBe(before);
    },
  );

  async function expectNothingOfTheVictim(asked: Promise<Response>): Promise<void> {
    const answer = await asked;
    expect(answer.status).toBeLessThan(500);
    const text = await answer.text();
    for (const theirs of ["Victim's", "secret", victim.email]) expect(text).not.toContain(theirs);
  }

  /** The body with a foreign value added to, or in place of, everything in it. */
  function withForeign(json: unknown, value: string): unknown[] {
    if (Array.isArray(json))
      return json.flatMap((each, at) => withForeign(each, value).map((bad) => json.with(at, bad)));
    if (typeof json !== "object" || json === null) return [value];
    const added = ["id", "userId", "user_id", "ifMatch", "cursor"].map((name) => ({ ...json, [name]: value }));
    const replaced = Object.entries(json).flatMap(([name, inner]) =>
      withForeign(inner, value).map((bad) => ({ ...json, [name]: bad })),
    );
    return [...added, ...replaced];
  }

  it("S6 every operation on a task in a batch leaves another user's alone", async () => {
    const newcomer = await someone();
    const edits = [
      { op: "replace", task: { title: "x" } },
      { op: "patch", task: { title: "x" } },
      { op: "complete", completed: true },
      { op: "delete" },
    ];
    for (const edit of edits) {
      for (const atomic of [true, false]) {
        for (const key of [{}, { "idempotency-key": crypto.randomUUID() }]) {
          const json = { atomic, operations: [{ ...edit, id: victimTask }] };
          for (let n = 0; n < 2; n += 1) {
            const answer = await newcomer.call(`${newcomer.path}/batch`, { json, headers: key });
            expect(await answer.text()).toContain("not_found");
          }
        }
      }
    }
    expect(await rowsOf(victim)).toBe(before);
  });
});
