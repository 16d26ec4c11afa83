/** How a session travels: in a cookie that no script sees, or as a value that a program asks for; never over plain http. */
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { ALL_ENDPOINTS, ATTEMPTS_PER_MINUTE } from "../../src/auth/endpoints.ts";
import { hastyApp, limitOf } from "../support/apps.ts";
import { anonymous, header, nextAddress, nextEmail, ORIGIN, PASSWORD, someone } from "../support/client.ts";
import { countingD1 } from "../support/intercepted-d1.ts";

const counter = countingD1(env.DB);
const { fetch } = await hastyApp({ d1: counter.d1, vars: { TRUSTED_ORIGINS: "https://app.test" } });
const JSON_TYPE = { "content-type": "application/json" };

const post = (path: string, json: object, headers: Record<string, string> = {}) =>
  anonymous(fetch).call(`/api/auth${path}`, { json, headers });

/** What a browser adds to a request of a page. */
const BROWSER = { origin: ORIGIN, "sec-fetch-site": "same-origin", "sec-fetch-mode": "cors" };
const account = () => ({ name: "A", email: nextEmail(), password: PASSWORD });

describe("L1 the session's signed value", () => {
  it("L1 is not sent to a browser that did not ask for it, nor to a request with the cookie", async () => {
    for (const headers of [BROWSER, { origin: "https://app.test" }]) {
      const answer = await post("/sign-up/email", account(), headers);
      expect([answer.status, answer.headers.has("set-auth-token")]).toEqual([200, false]);
      expect(answer.headers.get("set-cookie")).toContain("__Host-better-auth.session_token=");
      expect(answer.headers.has("set-auth-jwt")).toBe(true);
    }
    const person = await someone(fetch);
    const withCookie = { cookie: person.cookie, origin: ORIGIN };
    await env.DB.prepare("update session set updated_at = 0, expires_at = expires_at - 200000000").run();
    const requests: [string, object | undefined][] = [
      ["/update-user", { name: "Renamed" }],
      ["/get-session", undefined],
      ["/token", undefined],
      [
        "/change-password",
        { currentPassword: PASSWORD, newPassword: "a new and better one", revokeOtherSessions: true },
      ],
    ];
    for (const extra of [{}, { authorization: "Bearer x.y" }, { "x-session-carrier": "bearer" }]) {
      for (const [path, json] of requests.slice(0, 3)) {
        const headers = { ...withCookie, ...extra };
        const answer = await anonymous(fetch).call(`/api/auth${path}`, { ...(json && { json }), headers });
        expect([answer.status, answer.headers.has("set-auth-token")], path).toEqual([200, false]);
        expect(await answer.text(), path).not.toContain(decodeURIComponent(person.cookie.split(".").at(-1) ?? "?"));
      }
    }
    const [path, json] = requests[3] ?? ["", {}];
    const changed = await post(path, json ?? {}, withCookie);
    expect([changed.status, changed.headers.has("set-auth-token")]).toEqual([200, false]);
    expect(changed.headers.get("set-cookie")).toContain("session_token");
  });

  it("L1 is sent to a page that asks for it in place of a cookie, and to programs", async () => {
    const asked = await post("/sign-up/email", account(), { ...BROWSER, "x-session-carrier": "bearer" });
    expect(asked.headers.getSetCookie()).toEqual([]);
    const authorization = `Bearer ${header(asked, "set-auth-token")}`;
    const token = await anonymous(fetch).call("/api/auth/token", { headers: { ...BROWSER, authorization } });
    expect([token.status, token.headers.getSetCookie()]).toEqual([200, []]);
    for (const headers of [{}, { "sec-fetch-mode": "cors" }]) {
      expect(header(await post("/sign-up/email", account(), headers), "set-auth-token")).toBeTruthy();
    }
  });

  it("L1 the token in a body is unsigned, and opens nothing", async () => {
    const answer = await post("/sign-up/email", account(), BROWSER);
    const { token } = await answer.json<{ token: string }>();
    for (const headers of [
      { authorization: `Bearer ${token}` },
      { cookie: `__Host-better-auth.session_token=${token}` },
    ]) {
      expect((await anonymous(fetch).call("/api/auth/token", { headers })).status).toBe(401);
    }
  });
});

describe("L1 plain http", () => {
  const send = (origin: string, path: string, init: RequestInit = {}) =>
    fetch(new Request(origin + path, { ...init, headers: { "cf-connecting-ip": nextAddress(), ...init.headers } }));

  it.each([
    "http://tasks.test",
    "http://192.168.1.7:8787",
    "http://localhost.evil.example",
    "http://127.0.0.1.evil.example",
    "http://10.0.0.1",
    "http://[::2]",
  ])("L1 at %s nothing is taken and nothing is done", async (origin) => {
    const { email } = await someone(fetch);
    counter.spent();
    const body = JSON.stringify({ email, password: PASSWORD });
    const answer = await send(origin, "/api/auth/sign-in/email", { method: "POST", headers: JSON_TYPE, body });
    expect([answer.status, await answer.json()]).toMatchObject([403, { code: "HTTPS_REQUIRED" }]);
    expect(answer.headers.getSetCookie()).toEqual([]);
    const task = await send(origin, "/api/v1/users/me/tasks");
    expect([task.status, await task.json()]).toMatchObject([403, { code: "https_required" }]);
    expect((await send(origin, "/api/openapi.json")).status).toBe(403);
    expect(counter.spent().roundTrips).toBe(0);
  });

  it.each(["http://localhost:8787", "http://127.0.0.1:9000", "http://[::1]:8787", "http://app.localhost"])(
    "L1 at %s, on this machine, it works, whatever BETTER_AUTH_URL says",
    async (origin) => {
      const { fetch: local } = await hastyApp({ vars: { BETTER_AUTH_URL: "https://tasks.example.com" } });
      const headers = { ...JSON_TYPE, origin, "cf-connecting-ip": nextAddress() };
      const init = { method: "POST", headers, body: JSON.stringify(account()) };
      const signedUp = await local(new Request(`${origin}/api/auth/sign-up/email`, init));
      expect(signedUp.status).toBe(200);
      const cookie = signedUp.headers.get("set-cookie") ?? "";
      expect(cookie).toMatch(/^better-auth\.session_token=/);
      expect(cookie).not.toContain("Secure");
      const token = header(signedUp, "set-auth-jwt");
      const authorization = `Bearer ${token}`;
      const tasks = await local(new Request(`${origin}/api/v1/users/me/tasks`, { headers: { authorization } }));
      expect(tasks.status).toBe(200);
      // A token of this machine is none of production's.
      const abroad = new Request("https://tasks.example.com/api/v1/users/me/tasks", { headers: { authorization } });
      expect((await local(abroad)).status).toBe(401);
    },
  );
});

describe("L7 a foreign page", () => {
  const foreign: [string, Record<string, string>][] = [
    ["another origin", { origin: "https://evil.example" }],
    ["a sandboxed frame", { origin: "null" }],
    ["a sibling", { origin: "https://evil.tasks.test" }],
    ["no origin, but another site", { "sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors" }],
    ["a frame", { "sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate", "sec-fetch-dest": "iframe" }],
  ];

  it.each(foreign)("L7 of %s is refused on every endpoint before anything is counted", async (_, headers) => {
    const { fetch: limited } = await hastyApp({
      d1: counter.d1,
      bindings: { ACCOUNT_TRIES_RATE_LIMIT: limitOf(0), ACCOUNT_CALLS_RATE_LIMIT: limitOf(0) },
    });
    counter.spent();
    for (const { method, path } of ALL_ENDPOINTS) {
      const init = method === "POST" ? { json: { email: nextEmail(), password: PASSWORD } } : {};
      const answer = await anonymous(limited).call(`/api/auth${path}`, { ...init, headers });
      expect(answer.status, path).toBe(403);
      expect(await answer.json()).toMatchObject({ code: "INVALID_ORIGIN" });
    }
    expect(counter.spent().roundTrips).toBe(0);
  });

  it("L7 a form, or a body of another type, is 415 before anything is counted", async () => {
    const { fetch: limited } = await hastyApp({
      d1: counter.d1,
      bindings: { ACCOUNT_TRIES_RATE_LIMIT: limitOf(0), ACCOUNT_CALLS_RATE_LIMIT: limitOf(0) },
    });
    counter.spent();
    const body = '{"email":"x@example.com","password":"x"}';
    for (const { method, path } of ALL_ENDPOINTS) {
      if (method !== "POST") continue;
      for (const type of ["application/x-www-form-urlencoded", "text/plain", "multipart/form-data; boundary=x", ""]) {
        const headers = type === "" ? {} : { "content-type": type };
        const bytes = new TextEncoder().encode(body);
        const answer = await anonymous(limited).call(`/api/auth${path}`, { method, body: bytes, headers });
        expect(answer.status, `${path} ${type}`).toBe(415);
        expect(await answer.json()).toMatchObject({ code: "UNSUPPORTED_MEDIA_TYPE" });
      }
    }
    expect(counter.spent().roundTrips).toBe(0);
  });

  it("L7 may link to an endpoint, but not load it", async () => {
    const followed = { "sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate", "sec-fetch-dest": "document" };
    const answer = await anonymous(fetch).call("/api/auth/verify-email?token=x", { headers: followed });
    expect(answer.status).toBe(401);
  });
});

describe("L7 limits of the platform", () => {
  it("L7 every endpoint has a limit, and a refused call costs no query", async () => {
    for (const { method, path, perMinute } of ALL_ENDPOINTS) {
      const name = perMinute === ATTEMPTS_PER_MINUTE ? "ACCOUNT_TRIES_RATE_LIMIT" : "ACCOUNT_CALLS_RATE_LIMIT";
      const { fetch: limited } = await hastyApp({ d1: counter.d1, bindings: { [name]: limitOf(0) } });
      counter.spent();
      const init = method === "POST" ? { json: {} } : {};
      const answer = await anonymous(limited).call(`/api/auth${path}`, init);
      expect([429, 503], path).toContain(answer.status);
      expect(header(answer, "retry-after")).toBeTruthy();
      expect(counter.spent()).toEqual({ roundTrips: 0, rowsRead: 0, rowsWritten: 0 });
    }
  });

  it("L7 an address uses up its own limit only", async () => {
    const { fetch: limited } = await hastyApp({ bindings: { ACCOUNT_TRIES_RATE_LIMIT: limitOf(2) } });
    const attempt = (address: string) =>
      anonymous(limited).call("/api/auth/sign-in/email", {
        json: { email: nextEmail(), password: PASSWORD },
        headers: { "cf-connecting-ip": address },
      });
    const [one, other] = [nextAddress(), nextAddress()];
    const statuses = [];
    for (const address of [one, one, one, other]) statuses.push((await attempt(address)).status);
    expect(statuses).toEqual([401, 401, 429, 401]);
    const neighbours = ["2001:db8:1:2::1", "2001:db8:1:2::2", "2001:db8:1:2:3::4", "2001:db8:1:3::1"];
    const seen = [];
    for (const address of neighbours) seen.push((await attempt(address)).status);
    expect(seen).toEqual([401, 401, 429, 401]);
  });
});

describe("L2 signing out", () => {
  it.each([
    ["/sign-out", {}],
    ["/revoke-sessions", {}],
    ["/delete-user", { password: PASSWORD }],
  ])("L2 clears what the browser kept of it: %s", async (path, json) => {
    const person = await someone(fetch);
    const headers = { cookie: person.cookie, origin: ORIGIN };
    const answer = await anonymous(fetch).call(`/api/auth${path}`, { json, headers });
    expect(answer.headers.get("clear-site-data")).toBe('"cache"');
    expect(answer.headers.getSetCookie().join()).toMatch(/session_token=;.*Max-Age=0/);
    const signIn = { json: { email: nextEmail(), password: PASSWORD, name: "A" }, headers: { origin: ORIGIN } };
    const opened = await anonymous(fetch).call("/api/auth/sign-up/email", signIn);
    expect(opened.headers.get("clear-site-data")).toBe(null);
  });
});
