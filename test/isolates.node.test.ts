import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { unstable_readConfig } from "wrangler";
import {
  type Answer,
  credentials,
  type Isolate,
  type Isolates,
  PASSWORD,
  someone,
  startIsolates,
} from "./support/node/isolates.ts";

const { ratelimits } = unstable_readConfig({ config: "wrangler.toml" });
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

  it("L7 of 20 parallel tries from one address exactly 10 pass, whichever isolate they reach", async () => {
    const headers = { "cf-connecting-ip": "192.0.2.7" };
    const statuses = await parallel(20, (isolate, n) =>
      isolate("/api/auth/sign-in/email", { json: { email: `nobody-${n}@example.com`, password: PASSWORD }, headers }),
    );
    expect(statuses.filter((status) => status !== 429)).toHaveLength(10);
  });

  it("L7 of 12 parallel tries at one account exactly 5 pass, wherever they come from", async () => {
    const { first } = isolates;
    const { email } = await someone(first);
    const json = { email, password: "not the password" };
    const statuses = await parallel(12, (isolate) => isolate("/api/auth/sign-in/email", { json }));
    expect(statuses.sort()).toEqual([...Array(5).fill(401), ...Array(7).fill(429)]);
    const unknown = { email: "unknown@example.com", password: "not the password" };
    const others = await parallel(12, (isolate) => isolate("/api/auth/sign-in/email", { json: unknown }));
    expect(others.sort()).toEqual(statuses);
  });

  it("L7 a user who calls the task API too often is told when to come back; others are not touched", async () => {
    const { first } = isolates;
    const [eager, other] = [await someone(first), await someone(first)];
    let refused: Answer | undefined;
    for (let calls = 0; !refused && calls < 700; calls += 20) {
      const answers = await Promise.all(Array.from({ length: 20 }, () => first(TASKS, { headers: eager.access })));
      refused = answers.find(({ status }) => status === 429);
    }
    expect(await refused?.json()).toMatchObject({ code: "too_many_requests" });
    expect(refused?.headers.get("retry-after")).toBe(String(ratelimits[0]?.simple.period));
    expect((await first(TASKS, { headers: other.access })).status).toBe(200);
  });

  it("U1 a program's fetch, which sends a mode but no site, may sign in; a foreign site may not", async () => {
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

describe("the built Worker without its secret", () => {
  it.each([{}, { BETTER_AUTH_SECRET: "too-short" }])(
    "U6 %j serves /health, refuses the rest, and logs the name",
    async (vars) => {
      const { first, harness } = await startIsolates(vars);
      try {
        expect((await first("/health")).status).toBe(200);
        for (const path of ["/ready", TASKS, "/api/auth/ok", "/"]) expect((await first(path)).status).toBe(503);
        const logs = JSON.stringify(harness.getLogs());
        expect(logs).toContain("BETTER_AUTH_SECRET");
        expect(logs).not.toContain("too-short");
      } finally {
        await harness.close();
      }
    },
  );
});
