/** D1's trouble that another try does not mend: the plan's limits of the day, and a database that is not migrated. */
import { env } from "cloudflare:workers";
import { describe, expect, it, vi } from "vitest";
import { appWith, hastyApp } from "../support/apps.ts";
import { anonymous, clientFor, type Fetch, header, nextEmail, PASSWORD, someone } from "../support/client.ts";
import { failingD1 } from "../support/intercepted-d1.ts";

const daily = (kind: string) =>
  `D1_ERROR: Your account has exceeded D1's free tier daily row ${kind} limit. Upgrade to a paid plan or wait until tomorrow (midnight UTC) to continue.`;

/** Counts the round trips of a D1 that always fails. */
function alwaysFailing(message: string) {
  let tries = 0;
  const d1 = failingD1(env.DB, message);
  const watched = new Proxy(d1, {
    get(target, name) {
      if (name !== "withSession") return Reflect.get(target, name);
      return (constraint: string) => {
        const session = target.withSession(constraint);
        return {
          prepare: session.prepare.bind(session),
          getBookmark: () => null,
          batch: (statements: D1PreparedStatement[]) => {
            tries += 1;
            return session.batch(statements);
          },
        };
      };
    },
  });
  return { d1: watched, tries: () => tries };
}

function expectUntilMidnight(answer: Response): void {
  const seconds = Number(header(answer, "retry-after"));
  const midnight = 86_400 - ((Date.now() / 1000) % 86_400);
  expect(Math.abs(seconds - midnight)).toBeLessThan(10);
}

describe("U6 D1's limits of the day", () => {
  it.each(["read", "write"])(
    "U6 of rows %s are 503 until midnight, with a code of their own, and not retried",
    async (kind) => {
      const person = await someone();
      const { d1, tries } = alwaysFailing(daily(kind));
      const { fetch } = await appWith({ d1 });
      const client = clientFor(person.accessToken, fetch);
      const key = { "idempotency-key": crypto.randomUUID() };
      const requests: [string, () => Promise<Response>][] = [
        ["list", () => client.call(person.path)],
        ["create with a key", () => client.call(person.path, { json: { title: "x" }, headers: key })],
        ["import", () => client.call(`${person.path}/import`, { json: { tasks: [{ title: "x" }] } })],
      ];
      for (const [name, send] of requests) {
        const before = tries();
        const answer = await send();
        expect([answer.status, (await answer.json<{ code: string }>()).code], name).toEqual([
          503,
          "database_daily_limit",
        ]);
        expectUntilMidnight(answer);
        expect(tries() - before, name).toBe(1);
      }
      const json = { name: "A", email: nextEmail(), password: PASSWORD };
      for (const path of ["/sign-up/email", "/sign-in/email"]) {
        const { name: _, ...credentials } = json;
        const body = path === "/sign-up/email" ? json : credentials;
        const answer = await anonymous(fetch).call(`/api/auth${path}`, { json: body });
        expect([answer.status, (await answer.json<{ code: string }>()).code]).toEqual([503, "DATABASE_DAILY_LIMIT"]);
        expectUntilMidnight(answer);
      }
      expect((await fetch(new Request("https://tasks.test/ready"))).status).toBe(503);
    },
  );
});

describe("U6 a database that is not migrated", () => {
  async function logged(work: (fetch: Fetch) => Promise<void>): Promise<string> {
    const written = vi.spyOn(console, "error").mockImplementation(() => {});
    const { fetch } = await hastyApp({ d1: env.SCRATCH_DB });
    await work(fetch);
    const lines = written.mock.calls.join("\n");
    written.mockRestore();
    return lines;
  }

  it("U6 says so, with the command, in the answers and in the log", async () => {
    const person = await someone();
    const lines = await logged(async (fetch) => {
      const ready = await anonymous(fetch).call("/ready");
      const problem = await ready.json<{ code: string; detail: string }>();
      expect([ready.status, problem.code]).toEqual([503, "database_not_migrated"]);
      expect(problem.detail).toContain("wrangler d1 migrations apply DB");
      const list = await clientFor(person.accessToken, fetch).call(person.path);
      expect(await list.json()).toMatchObject({ code: "database_not_migrated" });
      const json = { name: "A", email: nextEmail(), password: PASSWORD };
      const signUp = await anonymous(fetch).call("/api/auth/sign-up/email", { json });
      expect([signUp.status, await signUp.json()]).toMatchObject([
        503,
        { code: "DATABASE_NOT_MIGRATED", message: expect.stringContaining("wrangler d1 migrations apply DB") },
      ]);
    });
    expect(lines).toContain("database_not_migrated");
    expect(lines).toMatch(/D1_ERROR SQLITE_ERROR no such (table|column): \w+/);
  });

  it.each(["no such index: task_creation", "no query solution"])(
    "U6 so does one that lacks an index: %s",
    async (text) => {
      const person = await someone();
      const { fetch } = await appWith({ d1: failingD1(env.DB, `D1_ERROR: ${text}: SQLITE_ERROR`) });
      const answer = await clientFor(person.accessToken, fetch).call(`${person.path}/export`);
      expect(await answer.json()).toMatchObject({ code: "database_not_migrated" });
    },
  );

  it("U6 so does one that lacks the newest migration alone", async () => {
    const { applyD1Migrations } = await import("cloudflare:test");
    await applyD1Migrations(env.SCRATCH_DB, env.MIGRATIONS.slice(0, -1));
    await logged(async (fetch) => {
      const ready = await anonymous(fetch).call("/ready");
      expect(await ready.json()).toMatchObject({ code: "database_not_migrated" });
      const early = await someone(fetch);
      const answer = await early.call(early.path, { json: { title: "Early" } });
      expect([answer.status, (await answer.json<{ code: string }>()).code]).toEqual([503, "database_not_migrated"]);
    });
    await applyD1Migrations(env.SCRATCH_DB, env.MIGRATIONS);
    const { fetch } = await hastyApp({ d1: env.SCRATCH_DB });
    expect((await anonymous(fetch).call("/ready")).status).toBe(200);
  });

  it("U6 the log names D1's class of every failure, and nothing of its data", async () => {
    const person = await someone();
    const secret = "private@example.com";
    for (const [message, told] of [
      [`D1_ERROR: D1 DB is overloaded. Too many requests queued. ${secret}`, "D1_ERROR overloaded"],
      [`D1_ERROR: Network connection lost. ${secret}`, "D1_ERROR connection lost"],
      [`D1_ERROR: near "${secret}": syntax error: SQLITE_ERROR`, "D1_ERROR SQLITE_ERROR"],
    ] as const) {
      const written = vi.spyOn(console, "error").mockImplementation(() => {});
      const { fetch } = await appWith({ d1: failingD1(env.DB, message) });
      await clientFor(person.accessToken, fetch).call(person.path);
      const lines = written.mock.calls.join("\n");
      written.mockRestore();
      expect(lines).toContain(`"d1":"${told}"`);
      expect(lines).not.toContain(secret);
    }
  });
});
