import { type RequestOptions, request } from "node:http";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { unstable_readConfig } from "wrangler";
import { ALL_ENDPOINTS } from "../src/auth/endpoints.ts";
import {
  type Answer,
  credentials,
  type Isolate,
  type Isolates,
  leftInWindow,
  PASSWORD,
  SECRET,
  someone,
  startIsolate,
  startIsolates,
  TASK_CALLS,
} from "./support/node/isolates.ts";

const period = unstable_readConfig({ config: "wrangler.toml" }).ratelimits[0]?.simple.period ?? Number.NaN;
const TASKS = "/api/v1/users/me/tasks";

describe("the built Worker in two isolates", () => {
  let isolates: Isolates;

  beforeAll(async () => {
    isolates = await startIsolates();
  });
  afterAll(() => isolates.harness.close());

  it("T1 what one isolate writes, the other reads", async () => {
    const { first, second } = isolates;
    const { access } = await someone(first);
    expect((await first(TASKS, { json: { title: "Shared" }, headers: access })).status).toBe(201);
    expect(await (await second(TASKS, { headers: access })).json()).toMatchObject({ data: [{ title: "Shared" }] });
  });

  it("L2 sign-out ends the access token and the cookie on the very next request, in either isolate", async () => {
    const { first, second } = isolates;
    for (const [here, there] of [
      [first, second],
      [second, first],
    ] as const) {
      const { access, session, cookie } = await someone(here);
      expect((await there(TASKS, { json: { title: "Before" }, headers: access })).status).toBe(201);
      expect((await here("/api/auth/sign-out", { method: "POST", headers: cookie })).status).toBe(200);
      for (const isolate of [there, here]) {
        expect(await (await isolate(TASKS, { headers: access })).json()).toMatchObject({ code: "session_ended" });
        expect((await isolate(TASKS, { json: { title: "After" }, headers: access })).status).toBe(401);
        expect((await isolate("/api/auth/token", { headers: cookie })).status).toBe(401);
        expect((await isolate("/api/auth/token", { headers: session })).status).toBe(401);
      }
    }
  });

  const parallel = async (count: number, attempt: (isolate: Isolate, n: number) => Promise<Answer>) => {
    const { first, second } = isolates;
    const tries = Array.from({ length: count }, (_, n) => attempt(n % 2 ? first : second, n));
    return (await Promise.all(tries)).map(({ status }) => status);
  };

  it("L7 the platform accepts 10 of 20 parallel attempts from one address", async () => {
    const { first } = isolates;
    const headers = { "cf-connecting-ip": "192.0.2.7" };
    await leftInWindow(15, period);
    const statuses = await parallel(20, (_, n) =>
      first("/api/auth/sign-in/email", { json: { email: `nobody-${n}@example.com`, password: PASSWORD }, headers }),
    );
    expect(statuses.filter((status) => status !== 429)).toHaveLength(10);
  });

  it("L7 5 of 12 parallel attempts at one account pass, and one more for each wait that ended", async () => {
    const { first } = isolates;
    const { email } = await someone(first);
    for (const address of [email, "unknown@example.com"]) {
      const json = { email: address, password: "not the password" };
      const begun = Date.now();
      const statuses = await parallel(12, (isolate) => isolate("/api/auth/sign-in/email", { json }));
      const passed = statuses.filter((status) => status === 401).length;
      expect(statuses.filter((status) => status === 429)).toHaveLength(12 - passed);
      // The waits are of 1 s, 2 s, 4 s: a slow machine sees some of them end.
      const ended = Math.floor(Math.log2((Date.now() - begun) / 1000 + 1));
      expect(passed).toBeGreaterThanOrEqual(5);
      expect(passed).toBeLessThanOrEqual(5 + ended);
    }
  });

  it("L7 a user who calls the task API too often gets 429 with Retry-After; others are not affected", async () => {
    const { first } = isolates;
    const [eager, other] = [await someone(first), await someone(first)];
    await leftInWindow(15, period);
    const calls = Array.from({ length: TASK_CALLS + 10 }, () => first(TASKS, { headers: eager.access }));
    const refused = (await Promise.all(calls)).filter(({ status }) => status === 429);
    expect(refused).toHaveLength(10);
    expect(await refused[0]?.json()).toMatchObject({ code: "too_many_requests" });
    expect(refused[0]?.headers.get("retry-after")).toBe(String(period));
    expect((await first(TASKS, { headers: other.access })).status).toBe(200);
  });

  it("S8 a GET with a body, whole or in chunks, is answered like one without", async () => {
    const { url } = await isolates.harness.listen();
    const { access, session } = await someone(isolates.first);
    const lists = [TASKS, "/api/v1/openapi.json", "/api/v1/users/me/usage"];
    const account = ALL_ENDPOINTS.filter(({ method }) => method === "GET").map(({ path }) => path);
    const json = { "content-type": "application/json" };
    for (const path of [...lists, ...account.map((name) => `/api/auth${name}`)]) {
      const headers = path.startsWith("/api/auth") ? session : access;
      const plain = await raw(new URL(path, url), { headers });
      const sized = await raw(
        new URL(path, url),
        { headers: { ...headers, ...json, "content-length": "7" } },
        '{"a":1}',
      );
      const chunked = await raw(new URL(path, url), { headers: { ...headers, ...json } }, '{"a":1}');
      expect([sized, chunked], path).toEqual([plain, plain]);
      expect(plain, path).toBeLessThan(500);
    }
  });

  it("U1 a program's fetch may sign in; a page of another site may not", async () => {
    const { first } = isolates;
    const { email } = await someone(first);
    const json = { email, password: PASSWORD };
    const program = await first("/api/auth/sign-in/email", { json, headers: { "sec-fetch-mode": "cors" } });
    expect(program.status).toBe(200);
    expect((await first(TASKS, { headers: credentials(program).access })).status).toBe(200);
    for (const headers of [
      { "sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate" },
      { "sec-fetch-site": "cross-site", "sec-fetch-mode": "cors", origin: "https://evil.test" },
      { origin: "https://evil.test" },
    ]) {
      expect((await first("/api/auth/sign-in/email", { json, headers })).status).toBe(403);
    }
  });
});

describe("the built Worker with variables that Better Auth would read itself", () => {
  it("U1 do not change the origin of this machine", async () => {
    const elsewhere = "https://tasks.example.com";
    const vars = { BETTER_AUTH_SECRET: SECRET, BETTER_AUTH_URL: elsewhere, BETTER_AUTH_TRUSTED_ORIGINS: "https://*" };
    const { first, harness } = await startIsolate({ ...vars, BASE_URL: elsewhere, AUTH_SECRET: SECRET });
    try {
      const json = { name: "A", email: "a@example.com", password: PASSWORD };
      const local = "http://localhost:8787";
      const page = { origin: local, "sec-fetch-site": "same-origin" };
      const signedUp = await first(`${local}/api/auth/sign-up/email`, { json, headers: page });
      expect(signedUp.status).toBe(200);
      const { cookie } = credentials(signedUp).cookie;
      const answer = await first(`${local}/api/auth/token`, { headers: { ...page, cookie } });
      const { token } = (await answer.json()) as { token: string };
      expect((await first(local + TASKS, { headers: { authorization: `Bearer ${token}` } })).status).toBe(200);
      for (const origin of ["https://evil.test", elsewhere]) {
        const answer = await first(`${local}/api/auth/sign-in/email`, { json, headers: { origin } });
        expect(answer.status).toBe(403);
      }
    } finally {
      await harness.close();
    }
  });
});

describe("the built Worker without its secret", () => {
  it("U6 or with a weak one, serves /health only, and logs the name", async () => {
    const { first, second, harness } = await startIsolates({}, { BETTER_AUTH_SECRET: "too-short" });
    try {
      for (const isolate of [first, second]) {
        expect((await isolate("/health")).status).toBe(200);
        for (const path of ["/ready", TASKS, "/api/auth/ok", "/"]) expect((await isolate(path)).status).toBe(503);
      }
      const logs = JSON.stringify(harness.getLogs());
      expect(logs).toContain("BETTER_AUTH_SECRET is missing");
      expect(logs).toContain("BETTER_AUTH_SECRET must be 32 bytes or longer");
      expect(logs).not.toContain("too-short");
    } finally {
      await harness.close();
    }
  });
});

/** One request as Node sends it, a GET with a body, too; the status of its answer. */
function raw(url: URL, options: RequestOptions, body?: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const sent = request(url, { method: "GET", ...options }, (answer) => {
      answer.resume().on("end", () => resolve(answer.statusCode ?? 0));
    });
    sent.on("error", reject);
    if (body !== undefined && !options.headers?.["content-length" as never])
      sent.setHeader("transfer-encoding", "chunked");
    sent.end(body);
  });
}
