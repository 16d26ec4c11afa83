import { createExecutionContext } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { version } from "../package.json";
import { createUnconfiguredApp } from "../src/app.ts";
import { readConfiguration } from "../src/env.ts";
import { detailOf, type Kind, PROBLEMS } from "../src/http/problem-kinds.ts";
import { hastyApp } from "./support/apps.ts";
import {
  anonymous,
  type CallInit,
  call,
  clientFor,
  header,
  nextEmail,
  ORIGIN,
  PASSWORD,
  type Person,
  someone,
} from "./support/client.ts";
import { failingD1 } from "./support/intercepted-d1.ts";
import { guardedRoutes } from "./support/routes.ts";

let person: Person;
let taskId: string;

beforeAll(async () => {
  person = await someone();
  taskId = (await person.create()).id;
});

describe("T6 requests that the API does not know", () => {
  const json = { "content-type": "application/json" };
  const cases: [string, string, RequestInit & { headers?: Record<string, string> }, number, string][] = [
    ["malformed JSON", "", { method: "POST", body: '{"title":', headers: json }, 400, "malformed_request"],
    ["an empty body", "", { method: "POST", headers: json }, 400, "malformed_request"],
    ["two values", "", { method: "POST", body: "{}{}", headers: json }, 400, "malformed_request"],
    ["a body without a type", "", { method: "POST", body: new Uint8Array([123, 125]) }, 415, "unsupported_media_type"],
    [
      "text",
      "",
      { method: "POST", body: "{}", headers: { "content-type": "text/plain" } },
      415,
      "unsupported_media_type",
    ],
    ["a form", "", { method: "POST", body: new URLSearchParams({ title: "x" }) }, 415, "unsupported_media_type"],
    ["an unknown path", "/x/y/z", {}, 404, "not_found"],
    ["DELETE on the list", "", { method: "DELETE" }, 405, "method_not_allowed"],
    ["POST on a task", "/{id}", { method: "POST", body: "{}", headers: json }, 405, "method_not_allowed"],
    ["GET on complete", "/{id}/complete", {}, 405, "method_not_allowed"],
    ["an invented method", "/{id}", { method: "MOVE" }, 405, "method_not_allowed"],
  ];

  it.each(cases)("T6 %s", async (_what, path, init, status, code) => {
    const url = `${ORIGIN}${person.path}${path.replace("{id}", taskId)}`;
    const headers = new Headers(init.headers);
    headers.set("authorization", `Bearer ${person.accessToken}`);
    const { fetch } = await hastyApp({});
    const answer = await fetch(new Request(url, { ...init, headers }));
    expect(answer.status).toBe(status);
    expect(header(answer, "content-type")).toBe("application/problem+json");
    const requestId = header(answer, "x-request-id");
    expect(await answer.json()).toMatchObject({
      type: `${ORIGIN}/problems/${code}`,
      status,
      code,
      requestId,
      instance: `/requests/${requestId}`,
    });
  });

  it("T6 a body of no bytes is no body, whatever its type", async () => {
    const { id } = await person.create();
    for (const type of [undefined, ""]) {
      const headers = { ...(type !== undefined && { "content-type": type }) };
      // A stream: the runtime then says that there is a body.
      const send = (method: string, path: string) => {
        const body = new ReadableStream({ start: (controller) => controller.close() });
        return person.call(path, { method, body, headers });
      };
      expect((await send("PATCH", `${person.path}/${id}`)).status).toBe(200);
      for (const [method, path] of [
        ["POST", person.path],
        ["PUT", `${person.path}/${id}`],
        ["PATCH", `${person.path}/${id}/complete`],
        ["POST", `${person.path}/batch`],
      ] as const) {
        const answer = await send(method, path);
        expect([answer.status, (await answer.json<{ code: string }>()).code]).toEqual([400, "invalid_request"]);
      }
    }
  });

  it("T6 OPTIONS is answered without credentials, with an Origin and without", async () => {
    for (const path of [person.path, "/api", "/api/auth/get-session"]) {
      for (const headers of [{}, { origin: "https://evil.test" }]) {
        const answer = await call(path, { method: "OPTIONS", headers });
        expect([path, answer.status, answer.headers.has("access-control-allow-origin")]).toEqual([path, 204, false]);
      }
    }
  });

  it("T6 405 lists exactly the methods that the path has", async () => {
    const allow = async (path: string) =>
      header(await person.call(path, { method: "PURGE" }), "allow")
        .split(", ")
        .sort();
    expect(await allow(person.path)).toEqual(["GET", "HEAD", "POST"]);
    expect(await allow(`${person.path}/${taskId}`)).toEqual(["DELETE", "GET", "HEAD", "PATCH", "PUT"]);
    expect(await allow(`${person.path}/${taskId}/complete`)).toEqual(["PATCH"]);
  });

  it("T6 a task that is absent is 404 on every allowed method, not 405", async () => {
    const answer = await person.call(`${person.path}/absent`, { method: "PATCH", json: {} });
    expect(answer.status).toBe(404);
  });

  it("T6 a body over 64 KiB is 413, and is not read to its end", async () => {
    let pulled = 0;
    const long = new ReadableStream({
      pull(controller) {
        pulled += 1;
        if (pulled > 100) return controller.close();
        controller.enqueue(new TextEncoder().encode(" ".repeat(16_384)));
      },
    });
    const headers = { "content-type": "application/json", authorization: `Bearer ${person.accessToken}` };
    const { fetch } = await hastyApp({});
    const answer = await fetch(new Request(ORIGIN + person.path, { method: "POST", body: long, headers }));
    expect(answer.status).toBe(413);
    expect(pulled).toBeLessThan(10);
    const declared = await person.call(person.path, { method: "POST", body: " ".repeat(70_000), headers });
    expect(await declared.json()).toMatchObject({ code: "body_too_large" });
    const fits = await person.call(person.path, { json: { title: "x", description: " ".repeat(65_000) } });
    expect(fits.status).toBe(400);
  });

  it("T6 deep and wide bodies are 400", async () => {
    const headers = { "content-type": "application/json" };
    for (const body of ["[".repeat(30_000), `{"title":${"[".repeat(30_000)}${"]".repeat(30_000)}}`]) {
      expect((await person.call(person.path, { method: "POST", body, headers })).status).toBe(400);
    }
    const wide = Object.fromEntries(Array.from({ length: 3000 }, (_, n) => [`k${n}`, n]));
    expect((await person.call(person.path, { json: { title: "x", ...wide } })).status).toBe(400);
  });

  it("T6 an unknown path outside the API is a problem body too", async () => {
    const answer = await call("/nothing/here");
    expect([answer.status, header(answer, "content-type")]).toEqual([404, "application/problem+json"]);
  });
});

describe("S8 what surrounds every answer", () => {
  it("S8 a valid request id is kept, and every answer has one", async () => {
    const given = await call("/health", { headers: { "x-request-id": "abc-123_=" } });
    expect(header(given, "x-request-id")).toBe("abc-123_=");
    for (const bad of ["", "a b", "<script>", "x".repeat(129), "é"]) {
      const answer = await call("/health", { headers: { "x-request-id": encodeURI(bad) === bad ? bad : "a b" } });
      expect(header(answer, "x-request-id")).toMatch(/^[0-9a-f-]{36}$/);
    }
  });

  it("S8 answers forbid sniffing, framing and caching", async () => {
    for (const path of [person.path, "/api/auth/get-session", "/api/auth/nothing", "/api/v1/nothing"]) {
      const answer = await person.call(path);
      expect(header(answer, "cache-control")).toBe("no-store");
      expect(header(answer, "x-content-type-options")).toBe("nosniff");
      expect(header(answer, "x-frame-options")).toBeTruthy();
      expect(header(answer, "strict-transport-security")).toBe("max-age=31536000; includeSubDomains");
      expect(header(answer, "content-security-policy")).toBe("default-src 'none'; frame-ancestors 'none'");
      expect(header(answer, "referrer-policy")).toBe("no-referrer");
    }
  });

  it("S8 CORS allows the trusted origins only", async () => {
    const { fetch } = await hastyApp({ vars: { TRUSTED_ORIGINS: "https://app.test, https://admin.test" } });
    const preflight = (origin: string) =>
      call(person.path, { method: "OPTIONS", headers: { origin, "access-control-request-method": "PUT" } }, fetch);
    for (const origin of ["https://app.test", "https://admin.test"]) {
      const answer = await preflight(origin);
      expect(answer.status).toBe(204);
      expect(header(answer, "access-control-allow-origin")).toBe(origin);
      expect(header(answer, "access-control-allow-methods")).toContain("PUT");
    }
    for (const origin of ["https://evil.test", "null", "http://app.test", "https://app.test.evil.test"]) {
      expect((await preflight(origin)).headers.has("access-control-allow-origin")).toBe(false);
    }
    const headers = { origin: "https://app.test" };
    const answer = await clientFor(person.accessToken, fetch).call(person.path, { headers });
    const exposed = header(answer, "access-control-expose-headers").toLowerCase();
    for (const name of [
      "etag",
      "location",
      "x-d1-bookmark",
      "x-request-id",
      "set-auth-jwt",
      "set-auth-token",
      "retry-after",
    ]) {
      expect(exposed).toContain(name);
    }
  });

  it("S8 /health returns the version without a query; /ready queries D1", async () => {
    expect(await (await call("/health")).json()).toEqual({ status: "ok", version });
    expect(await (await call("/ready")).json()).toEqual({ status: "ready" });
    const { fetch } = await hastyApp({ d1: failingD1(env.DB, "D1_ERROR: down") });
    expect((await call("/health", {}, fetch)).status).toBe(200);
    expect((await call("/ready", {}, fetch)).status).toBe(503);
  });
});

describe("S8 logs", () => {
  let lines: Record<string, unknown>[];

  beforeEach(() => {
    lines = [];
    for (const level of ["info", "error", "log", "warn", "debug"] as const) {
      vi.spyOn(console, level).mockImplementation((...args: unknown[]) => {
        const [line] = args;
        expect(args).toEqual([expect.stringMatching(/^\{.*\}$/)]);
        lines.push(JSON.parse(String(line)));
      });
    }
  });

  afterEach(() => {
    vi.restoreAllMocks();
  });

  it("S8 each request is one line of JSON with the route's pattern and the user", async () => {
    await person.call(`${person.path}/${taskId}`, { headers: { "x-request-id": "logged" } });
    expect(lines).toEqual([
      {
        level: "info",
        message: "request",
        requestId: "logged",
        method: "GET",
        route: "/api/v1/users/:userId/tasks/:id",
        status: 200,
        durationMs: expect.any(Number),
        userId: person.id,
      },
    ]);
  });

  it("S8 each account event is one line with event, user and outcome, and no address", async () => {
    const visitor = anonymous();
    const email = nextEmail();
    const account = { name: "Private Person", email, password: PASSWORD };
    const signedUp = await visitor.call("/api/auth/sign-up/email", { json: account });
    const { user } = await signedUp.json<{ user: { id: string } }>();
    const session = { authorization: `Bearer ${header(signedUp, "set-auth-token")}` };
    const signIn = (password: string) => visitor.call("/api/auth/sign-in/email", { json: { email, password } });
    await signIn("not the password");
    await signIn(PASSWORD);
    const change = { currentPassword: "not the password", newPassword: "a new and better one" };
    for (let n = 0; n < 6; n += 1) await visitor.call("/api/auth/change-password", { json: change, headers: session });
    await visitor.call("/api/auth/sign-out", { method: "POST", headers: session });
    const events = lines
      .filter(({ message }) => message === "account")
      .map((line) => [line["event"], line["outcome"], line["userId"]]);
    expect(events).toEqual([
      ["sign-up/email", "done", user.id],
      ["sign-in/email", "refused", user.id],
      ["sign-in/email", "done", user.id],
      ...Array(5).fill(["change-password", "refused", user.id]),
      ["change-password", "throttled", user.id],
      ["sign-out", "done", user.id],
    ]);
    expect(JSON.stringify(lines)).not.toContain(email);
  });

  it("S8 the log shows a refused link even if the answer is a redirect", async () => {
    const { fetch } = await hastyApp({ vars: { CALLBACK_URLS: "/done" } });
    const answer = await anonymous(fetch).call("/api/auth/verify-email?token=x&callbackURL=%2Fdone");
    expect(answer.headers.get("location")).toBe("/done?error=INVALID_TOKEN");
    expect(lines).toContainEqual(expect.objectContaining({ event: "verify-email", outcome: "refused" }));
  });

  it("S8 no failure logs a token, cookie, address, body, query or password", async () => {
    const visitor = anonymous();
    const email = "private.person@example.com";
    const credentials = { name: "Private Person", email, password: "private password 1" };
    const signedUp = await visitor.call("/api/auth/sign-up/email", { json: credentials });
    await visitor.call("/api/auth/sign-up/email", { json: credentials });
    await visitor.call("/api/auth/sign-in/email", { json: { ...credentials, password: "private password 2" } });
    const accessToken = header(signedUp, "set-auth-jwt");
    const caller = clientFor(accessToken);
    await caller.call(person.path, { json: { title: "private title", nonsense: "private nonsense" } });
    await caller.call(`${person.path}?cursor=private-cursor`, { headers: { cookie: "a=private-cookie" } });
    await caller.call("/private/path", {});
    const { fetch } = await hastyApp({ d1: failingD1(env.DB, "D1_ERROR: private detail") });
    await clientFor(accessToken, fetch).call(person.path, { json: { title: "private title" } });
    await call("/api/auth/sign-in/email", { json: credentials }, fetch);
    await call("/api/auth/sign-up/email", { json: { ...credentials, email: "other.private@example.com" } }, fetch);
    const written = JSON.stringify(lines);
    expect(lines.length).toBeGreaterThanOrEqual(11);
    expect(written).not.toMatch(/private/i);
    expect(written).not.toContain(accessToken.split(".")[1]);
    expect(written).not.toContain(header(signedUp, "set-auth-token").slice(0, 32));
  });
});

describe("U6 when D1 fails", () => {
  const messages = ["D1_ERROR: Network connection lost.", "D1_ERROR: D1 DB is overloaded.", "D1_EXEC_ERROR: reset"];

  it.each(messages)("U6 %s is 503 with Retry-After on every task route, without details", async (message) => {
    const { fetch } = await hastyApp({ d1: failingD1(env.DB, message) });
    for (const { path, ...route } of guardedRoutes("me", taskId)) {
      const { method } = route;
      const answer = await clientFor(person.accessToken, fetch).call(path, route);
      expect(answer.status, `${method} ${path}`).toBe(503);
      expect(Number(header(answer, "retry-after"))).toBeGreaterThan(0);
      const text = await answer.text();
      expect(JSON.parse(text)).toMatchObject({ code: "database_unavailable" });
      expect(text).not.toMatch(/D1_|sql|select|insert|connection|overloaded|stack/i);
    }
  });

  it("U6 an account endpoint does its work or answers 503, whichever query fails", async () => {
    const authorization = `Bearer ${person.sessionToken}`;
    const calls: [string, () => CallInit][] = [
      ["/api/auth/sign-up/email", () => ({ json: { name: "x", email: nextEmail(), password: PASSWORD } })],
      ["/api/auth/sign-in/email", () => ({ json: { email: person.email, password: PASSWORD } })],
      ["/api/auth/token", () => ({ headers: { authorization } })],
      ["/api/auth/get-session", () => ({ headers: { authorization } })],
      ["/api/auth/list-sessions", () => ({ headers: { authorization } })],
      ["/api/auth/update-user", () => ({ json: { name: "Renamed" }, headers: { authorization } })],
    ];
    for (const [path, init] of calls) {
      const statuses = [];
      for (let healthy = 0; healthy < 12; healthy += 1) {
        const { fetch } = await hastyApp({ d1: failingD1(env.DB, "D1_ERROR: down", healthy) });
        const answer = await anonymous(fetch).call(path, init());
        statuses.push(answer.status);
        if (answer.status === 200) continue;
        expect(answer.status, `${path} after ${healthy} queries`).toBe(503);
        expect(Number(header(answer, "retry-after"))).toBeGreaterThan(0);
        expect(await answer.json()).toEqual({ code: "DATABASE_UNAVAILABLE", message: expect.any(String) });
        for (const name of ["set-cookie", "set-auth-jwt", "set-auth-token"])
          expect(answer.headers.has(name)).toBe(false);
      }
      expect(statuses.at(0)).toBe(503);
      expect(statuses.at(-1)).toBe(200);
    }
  });

  it("U6 a sign-out that D1 did not store is not reported as done", async () => {
    const leaver = await someone();
    for (let healthy = 0; healthy < 12; healthy += 1) {
      const { fetch } = await hastyApp({ d1: failingD1(env.DB, "D1_ERROR: down", healthy) });
      const headers = { authorization: `Bearer ${leaver.sessionToken}` };
      const answer = await anonymous(fetch).call("/api/auth/sign-out", { method: "POST", headers });
      const ended = (await leaver.call(leaver.path)).status === 401;
      if (!ended) expect(answer.status, `after ${healthy} queries`).toBe(503);
      else if (answer.status === 200) return;
    }
    throw new Error("never signed out");
  });

  it("U6 a database without tables is 503 too", async () => {
    const { fetch } = await hastyApp({ d1: env.DB });
    await env.DB.prepare("alter table session rename to session_away").run();
    try {
      expect((await clientFor(person.accessToken, fetch).call(person.path)).status).toBe(503);
      expect(
        (await call("/api/auth/token", { headers: { authorization: `Bearer ${person.sessionToken}` } }, fetch)).status,
      ).toBe(503);
    } finally {
      await env.DB.prepare("alter table session_away rename to session").run();
    }
  });

  it("S8 an internal error is 500, without details", async () => {
    const { fetch } = await hastyApp({ d1: failingD1(env.DB, "TypeError: secret internals") });
    const answer = await clientFor(person.accessToken, fetch).call(person.path);
    expect(answer.status).toBe(500);
    expect(await answer.text()).not.toMatch(/secret|internals|TypeError/);
  });
});

describe("U6 configuration", () => {
  const good = env.BETTER_AUTH_SECRET;
  const bad: [string, Partial<Record<keyof Env, string | undefined>>, string][] = [
    ["no secret", { BETTER_AUTH_SECRET: undefined }, "BETTER_AUTH_SECRET"],
    ["an empty secret", { BETTER_AUTH_SECRET: "" }, "BETTER_AUTH_SECRET"],
    ["31 bytes", { BETTER_AUTH_SECRET: good.slice(0, 31) }, "BETTER_AUTH_SECRET"],
    ["Better Auth's default", { BETTER_AUTH_SECRET: "better-auth-secret-12345678901234567890" }, "BETTER_AUTH_SECRET"],
    ["a placeholder", { BETTER_AUTH_SECRET: "change-me-change-me-please-change-me-now" }, "BETTER_AUTH_SECRET"],
    ["one letter", { BETTER_AUTH_SECRET: "a".repeat(40) }, "BETTER_AUTH_SECRET"],
    ["one word again and again", { BETTER_AUTH_SECRET: "kX9-pQ2_mZ7!".repeat(4) }, "BETTER_AUTH_SECRET"],
    ["the alphabet", { BETTER_AUTH_SECRET: "abcdefghijklmnopqrstuvwxyz0123456789" }, "BETTER_AUTH_SECRET"],
    ["a URL with a path", { BETTER_AUTH_URL: "https://tasks.test/api" }, "BETTER_AUTH_URL"],
    ["no URL", { BETTER_AUTH_URL: "tasks.test" }, "BETTER_AUTH_URL"],
    ["a wildcard origin", { TRUSTED_ORIGINS: "*" }, "TRUSTED_ORIGINS"],
    ...[
      "https://*.test",
      "https://app.*",
      "https://a*p.test",
      "*.test",
      "https://app.test,https://*",
      "https://a?.test",
    ].map((origins): [string, Partial<Record<keyof Env, string>>, string] => [
      `a pattern of origins: ${origins}`,
      { TRUSTED_ORIGINS: origins },
      "TRUSTED_ORIGINS",
    ]),
    ...["//evil.test", "/a//b", "/..", "/a/./b", "javascript:x", "https://a.test/*", "done", "https://u@a.test/"].map(
      (url): [string, Partial<Record<keyof Env, string>>, string] => [
        `an address to be led to: ${url}`,
        { CALLBACK_URLS: url } as Partial<Record<keyof Env, string>>,
        "CALLBACK_URLS",
      ],
    ),
    ["plain http", { BETTER_AUTH_URL: "http://tasks.test" }, "BETTER_AUTH_URL"],
    ["plain http of other pages", { TRUSTED_ORIGINS: "http://app.test" }, "TRUSTED_ORIGINS"],
    ["plain http to be led to", { CALLBACK_URLS: "http://app.test/done" }, "CALLBACK_URLS"],
    ["a quota of nothing", { QUOTA_TASKS: "0" }, "QUOTA_TASKS"],
    ["a quota in words", { QUOTA_BYTES: "25 MB" }, "QUOTA_BYTES"],
    ["a slash after an origin", { TRUSTED_ORIGINS: "https://app.test/" }, "TRUSTED_ORIGINS"],
    ["a life of 59 s", { ACCESS_TOKEN_TTL_SECONDS: "59" }, "ACCESS_TOKEN_TTL_SECONDS"],
    ["a life of 86401 s", { ACCESS_TOKEN_TTL_SECONDS: "86401" }, "ACCESS_TOKEN_TTL_SECONDS"],
    ["a life in words", { ACCESS_TOKEN_TTL_SECONDS: "an hour" }, "ACCESS_TOKEN_TTL_SECONDS"],
  ];

  it.each(bad)("U6 %s is reported by name, without its value", (_what, vars, name) => {
    const configuration = readConfiguration({ ...env, ...vars } as Partial<Env>);
    if (configuration.ok) throw new Error("accepted");
    expect(configuration.problems.join()).toContain(name);
    const value = vars[name as keyof Env];
    if (value) expect(configuration.problems.join()).not.toContain(value);
  });

  it("U6 everything but the secret has a working default", () => {
    expect(readConfiguration({ BETTER_AUTH_SECRET: good })).toEqual({
      ok: true,
      settings: {
        keys: [{ id: expect.any(String), secret: good }],
        trustedOrigins: [],
        callbackUrls: [],
        quotas: { tasks: 10_000, bytes: 25_000_000, changesPerDay: 20_000 },
        accessTokenTtlSeconds: 3600,
        sessionIdleSeconds: 604_800,
        sessionMaxSeconds: 2_592_000,
        requireEmailVerification: false,
        evenAnswerMs: 500,
      },
    });
  });

  it("U6 an invalid configuration answers 503 except for /health, and the log names the variable", async () => {
    const written = vi.spyOn(console, "error").mockImplementation(() => {});
    const app = createUnconfiguredApp(["BETTER_AUTH_SECRET is missing"]);
    expect(written.mock.calls.join()).toContain("BETTER_AUTH_SECRET");
    written.mockRestore();
    const fetch = (request: Request) => app.fetch(request, {}, createExecutionContext());
    const headers = { authorization: `Bearer ${person.accessToken}` };
    const paths = [
      "/ready",
      "/",
      "/api/auth/ok",
      "/api/auth/sign-in/email",
      ...guardedRoutes("me", taskId).map(({ path }) => path),
    ];
    for (const path of paths) {
      for (const method of ["GET", "POST", "DELETE"]) {
        const answer = await call(path, { method, headers }, fetch);
        expect(answer.status, path).toBe(503);
        expect(Number(header(answer, "retry-after"))).toBeGreaterThan(0);
        expect(await answer.text()).not.toContain("BETTER_AUTH_SECRET");
      }
    }
    expect((await call("/health", {}, fetch)).status).toBe(200);
  });
});

const FACTS = {
  allowed: ["GET"],
  revision: 7,
  quota: { name: "tasks" as const, limit: 1, used: 1, renewsAt: null },
};

describe("S8 problems", () => {
  it("S8 each has a title and a detail, and a 401 its challenge", () => {
    for (const [code, kind] of Object.entries<Kind>(PROBLEMS)) {
      const { status, title, detail, ...rest } = kind;
      expect(code).toMatch(/^[a-z]+(_[a-z]+)*$/);
      expect(title.length).toBeGreaterThan(5);
      expect(detailOf(kind, FACTS)).toMatch(/^[A-Z].{20,}\.$/);
      expect(detailOf(kind, FACTS)).not.toMatch(/undefined|\[object/);
      if (status === 401) expect(JSON.stringify(rest)).toContain('Bearer realm=\\"edge-tasks\\"');
      if (status === 503) expect(JSON.stringify(rest)).toContain("Retry-After");
    }
  });

  it("S8 a 412 says what holds for each precondition: a stale, a weak or an excluded tag", () => {
    expect(detailOf(PROBLEMS.precondition_failed, { revision: 7 })).toBe(
      "The task is at revision 7, which your If-Match or If-None-Match excludes. Read it again and retry with its current ETag.",
    );
  });

  it("S8 a 429 of the daily quota holds for one change and for an import that is too large for the rest of the day", () => {
    const quota = { name: "changesPerDay" as const, limit: 20_000, used: 12, renewsAt: "2026-03-02T00:00:00.000Z" };
    expect(detailOf(PROBLEMS.daily_quota_exceeded, { quota })).toBe(
      "This would exceed your quota of 20000 changes a day (12 made). Retry after 2026-03-02T00:00:00.000Z. Until then you can still complete and delete tasks.",
    );
  });
});
