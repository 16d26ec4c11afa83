/** The built client in real tabs of a real browser, on the origin of a running server. */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import type { BrowserContext, Page } from "playwright-core";
import { beforeAll, describe, expect, it } from "vitest";
import type { createTasksClient } from "../../src/client/index.ts";
import { openContext as openBrowserContext, useSystem } from "../support/node/browser.ts";

const PASSWORD = "correct horse battery";

type Tab = Window & { client: ReturnType<typeof createTasksClient>; signedOut: number };
declare const window: Tab;

const TAB = `<!doctype html><title>Tab</title><script type="module">
  import { createTasksClient } from "/client/index.js";
  window.signedOut = 0;
  window.client = createTasksClient({ baseUrl: location.origin, onSignedOut: () => (window.signedOut += 1) });
</script>`;

const system = useSystem();
const { server } = system;

beforeAll(() => {
  execFileSync("npm", ["run", "--silent", "build:client"]);
});

/** A browser whose tabs can load the client; calls with a token in `expired` are answered as if it were. */
async function openContext() {
  const context = await openBrowserContext(system.browser);
  const expired = new Set<string>();
  const asked: string[] = [];
  await context.route("**/client/*.js", (route) => {
    const file = new URL(route.request().url()).pathname.replace("/client/", "src/client/dist/");
    return route.fulfill({ contentType: "text/javascript", body: readFileSync(file) });
  });
  await context.route("**/tab", (route) => route.fulfill({ contentType: "text/html", body: TAB }));
  await context.route("**/api/v1/**", (route) => {
    const token = route.request().headers()["authorization"]?.replace("Bearer ", "") ?? "";
    if (!expired.has(token)) return route.continue();
    const body = JSON.stringify({ code: "token_expired", status: 401, detail: "expired" });
    return route.fulfill({ status: 401, contentType: "application/problem+json", body });
  });
  context.on("request", (request) => asked.push(`${request.method()} ${new URL(request.url()).pathname}`));
  return { context, expired, asked };
}

async function openTab(context: BrowserContext): Promise<Page> {
  const page = await context.newPage();
  await page.goto(`${server.url}/tab`);
  await page.waitForFunction(() => "client" in window);
  return page;
}

async function signUp(page: Page): Promise<void> {
  const email = `${crypto.randomUUID()}@example.com`;
  await page.evaluate((account) => window.client.signUp(account), { name: "Somebody", email, password: PASSWORD });
}

describe("the client in tabs", () => {
  it("P2 keeps the access token in memory, and the session in a cookie that no script sees", async () => {
    const { context } = await openContext();
    const page = await openTab(context);
    await signUp(page);
    await page.evaluate(() => window.client.tasks.create({ title: "x" }));
    const seen = await page.evaluate(async () => ({
      ...{ local: { ...localStorage }, session: { ...sessionStorage }, cookie: document.cookie },
      databases: (await indexedDB.databases()).length,
    }));
    expect(seen).toEqual({ local: {}, session: {}, cookie: "", databases: 0 });
    const cookies = await context.cookies();
    expect(cookies.map(({ name }) => name).toSorted()).toEqual(["better-auth.session_token", "edge-tasks.device"]);
    for (const { httpOnly, sameSite } of cookies) expect([httpOnly, sameSite]).toEqual([true, "Lax"]);
    const again = await openTab(context);
    expect(await again.evaluate(async () => (await window.client.tasks.list()).data.length)).toBe(1);
  });

  it("P1 L6 three tabs with an expired token renew once between them, and every call is answered", async () => {
    const { context, expired, asked } = await openContext();
    const tabs = [await openTab(context), await openTab(context), await openTab(context)];
    const [first] = tabs;
    if (!first) throw new Error("no tab");
    const tokens: string[] = [];
    context.on("request", (request) => {
      const token = request.headers()["authorization"];
      if (token) tokens.push(token.replace("Bearer ", ""));
    });
    await signUp(first);
    for (let round = 1; round <= 3; round += 1) {
      for (const tab of tabs) await tab.evaluate(() => window.client.tasks.list());
      for (const token of tokens) expired.add(token);
      const before = asked.filter((call) => call === "GET /api/auth/token").length;
      const made = await Promise.all(
        tabs.map((tab) =>
          tab.evaluate(async () => {
            const calls = Array.from({ length: 4 }, (_, n) => window.client.tasks.create({ title: `${n}` }));
            return (await Promise.all(calls)).length;
          }),
        ),
      );
      expect(made).toEqual([4, 4, 4]);
      const renewals = asked.filter((call) => call === "GET /api/auth/token").length - before;
      expect(renewals, `round ${round}`).toBe(1);
    }
    expect(await first.evaluate(async () => (await window.client.tasks.list({ limit: 100 })).data.length)).toBe(36);
  });

  it("P5 signing out in one tab signs the others out", async () => {
    const { context } = await openContext();
    const [here, there] = [await openTab(context), await openTab(context)];
    await signUp(here);
    await there.evaluate(() => window.client.tasks.list());
    await here.evaluate(() => window.client.signOut());
    await there.waitForFunction(() => window.signedOut === 1);
    expect(await here.evaluate(() => window.signedOut)).toBe(1);
    const refused = there.evaluate(() => window.client.tasks.list().catch((error) => error.status));
    expect(await refused).toBe(401);
    await signUp(here);
    await there.evaluate(() => window.client.tasks.list());
    await here.evaluate(() => window.client.signOut());
    await there.waitForFunction(() => window.signedOut === 2);
    await signUp(here);
    await here.waitForTimeout(200);
    expect(await here.evaluate(async () => [window.signedOut, (await window.client.tasks.list()).data.length])).toEqual(
      [2, 0],
    );
  });

  it("P5 signing in as somebody else in one tab ends what the others had", async () => {
    const { context } = await openContext();
    const [here, there] = [await openTab(context), await openTab(context)];
    await signUp(here);
    await there.evaluate(() => window.client.tasks.create({ title: "Of the first person" }));
    await signUp(here);
    await there.waitForFunction(() => window.signedOut === 1);
    expect(await there.evaluate(async () => (await window.client.tasks.list()).data.length)).toBe(0);
  });
});
