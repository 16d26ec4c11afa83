/** The docs page, as its reader uses it. */
import type { Locator, Page } from "playwright-core";
import { describe, expect, it } from "vitest";
import { openContext, shoot, useSystem } from "../support/node/browser.ts";

const system = useSystem();
const { server } = system;

async function open(width: number, colorScheme: "light" | "dark") {
  const context = await openContext(system.browser, { viewport: { width, height: 900 }, colorScheme });
  const page = await context.newPage();
  const [faults, elsewhere]: [string[], string[]] = [[], []];
  page.on("pageerror", (error) => faults.push(error.message));
  page.on("console", (message) => message.type() === "error" && faults.push(message.text()));
  page.on("request", (request) => {
    if (!/^(data|blob):/.test(request.url()) && !request.url().startsWith(server.url)) elsewhere.push(request.url());
  });
  await page.goto(`${server.url}/docs`);
  await page.locator(".opblock").first().waitFor();
  return { page, faults, elsewhere };
}

function operation(page: Page, id: string): Locator {
  return page.locator(`.opblock[id$="${id}"]`);
}

const ORIGIN = () => ({ origin: server.url });

describe("the docs page", () => {
  it("R3 signing up on it opens the task API, with nothing from elsewhere", async () => {
    const { page, faults, elsewhere } = await open(1280, "light");
    await page.locator(".topbar select").selectOption({ label: "Accounts" });
    const signUp = operation(page, "signUpEmail");
    await signUp.locator(".opblock-summary-control").click();
    // The body as the page fills it in.
    await signUp.locator("button.execute").click();
    await signUp.locator(".live-responses-table .response-col_status", { hasText: "200" }).waitFor();

    await page.locator(".topbar select").selectOption({ label: "Tasks" });
    const create = operation(page, "createTask");
    await create.locator(".opblock-summary-control").click();
    await create.locator("button.execute").click();
    await create.locator(".live-responses-table .response-col_status", { hasText: "201" }).waitFor();
    await shoot(page, "docs-tried");
    expect(await create.locator(".live-responses-table").first().textContent()).toContain("Buy oat milk");
    expect([faults, elsewhere]).toEqual([[], []]);
    expect(await page.evaluate(() => JSON.stringify({ ...localStorage }))).not.toContain("eyJ");
  });

  it("R3 L6 a session of the browser opens the task API, also once its token has expired", async () => {
    const { page } = await open(1280, "light");
    const account = { name: "Reader", email: `${crypto.randomUUID()}@example.com`, password: "correct horse battery" };
    const signUp = "/api/auth/sign-up/email";
    expect((await page.request.post(`${server.url}${signUp}`, { data: account, headers: ORIGIN() })).status()).toBe(
      200,
    );
    const fetched: string[] = [];
    page.on("request", (request) => request.url().endsWith("/api/auth/token") && fetched.push(request.url()));
    const list = operation(page, "listTasks");
    await list.locator(".opblock-summary-control").click();
    const run = async () => {
      const answered = page.waitForResponse((answer) => answer.url().includes("/api/v1/"));
      await list.locator("button.execute").click();
      return (await answered).status();
    };
    expect([await run(), fetched.length]).toEqual([200, 1]);
    expect([await run(), fetched.length]).toEqual([200, 1]);
    await page.clock.install({ time: Date.now() + 3_600_000 });
    expect([await run(), fetched.length]).toEqual([200, 2]);
  });

  it.each([
    [320, "light"],
    [375, "dark"],
    [1920, "dark"],
  ] as const)("P4 fits %i pixels, in %s", async (width, scheme) => {
    const { page, faults, elsewhere } = await open(width, scheme);
    await operation(page, "listTasks").locator(".opblock-summary-control").click();
    await operation(page, "listTasks").locator(".parameters-container").waitFor();
    await shoot(page, `docs-${width}-${scheme}`);
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(width);
    expect([faults, elsewhere]).toEqual([[], []]);
  });
});
