/** People in front of the app: each has a browser of their own, on which nothing may go wrong unseen. */
import type { BrowserContext, BrowserContextOptions, Page } from "playwright-core";
import { expect } from "vitest";
import { openContext, type System } from "../support/node/browser.ts";

export const PASSWORD = "correct horse battery";

const WAIT_MS = 15_000;

export type Device = { context: BrowserContext; page: Page; faults: string[]; elsewhere: string[] };

/** A browser with an address of its own. `faults` holds what its console says, but for requests that failed as they should. */
export async function openDevice({ server, browser }: System, options: BrowserContextOptions = {}): Promise<Device> {
  const context = await openContext(browser, { viewport: { width: 1280, height: 900 }, ...options });
  context.setDefaultTimeout(WAIT_MS);
  const [faults, elsewhere]: [string[], string[]] = [[], []];
  context.on("console", (message) => {
    const isNetwork = /Failed to load resource/.test(message.text());
    if (["error", "warning"].includes(message.type()) && !isNetwork) faults.push(message.text());
  });
  context.on("weberror", (error) => faults.push(error.error().message));
  context.on("request", (request) => {
    if (!/^(?:data|blob):/.test(request.url()) && !request.url().startsWith(server.url)) elsewhere.push(request.url());
  });
  const page = await context.newPage();
  return { context, page, faults, elsewhere };
}

/** Signs somebody new up by the API, so that the app opens signed in. */
export async function signUp({ server }: System, { context }: Device, name = "Ada"): Promise<string> {
  const email = `${crypto.randomUUID()}@example.com`;
  const data = { name, email, password: PASSWORD };
  const answer = await context.request.post(`${server.url}/api/auth/sign-up/email`, {
    data,
    headers: { origin: server.url },
  });
  expect(answer.status()).toBe(200);
  return email;
}

/** Somebody new, with the app open on all their tasks. */
export async function openPerson(system: System, options: BrowserContextOptions = {}) {
  const device = await openDevice(system, options);
  const email = await signUp(system, device);
  await openTasks(system, device.page);
  // While a service worker takes over, a request may slip by what a test does to the network.
  type Controlled = { serviceWorker: { controller: unknown } };
  await device.page.waitForFunction(() => (navigator as unknown as Controlled).serviceWorker.controller !== null);
  return { ...device, email };
}

export async function openTasks({ server }: System, page: Page, view = "/?view=all"): Promise<void> {
  await page.goto(server.url + view);
  await page.getByPlaceholder(/Add a task/).waitFor();
}

/** Signs in on another device of the same person. */
export async function openSecondDevice(system: System, email: string): Promise<Device> {
  const device = await openDevice(system);
  await device.page.goto(`${system.server.url}/sign-in`);
  await signIn(device.page, email);
  await device.page.getByPlaceholder(/Add a task/).waitFor();
  await openTasks(system, device.page);
  return device;
}

export async function signIn(page: Page, email: string, password = PASSWORD): Promise<void> {
  await page.getByLabel("E-mail address").fill(email);
  await page.getByLabel("Password", { exact: true }).fill(password);
  await page.getByRole("button", { name: "Sign in" }).click();
}

/** Adds a task, and waits until it is there. */
export async function addTask(page: Page, line: string): Promise<void> {
  const open = async () => Number(await page.locator('a[href="/?view=all"] .count').textContent());
  const before = await open();
  await page.getByPlaceholder(/Add a task/).fill(line);
  await page.getByPlaceholder(/Add a task/).press("Enter");
  await expect.poll(open, { timeout: 10_000 }).toBeGreaterThan(before);
}

/** The titles in the list, from the top. */
export async function titles(page: Page): Promise<string[]> {
  return page.locator(".row .text").allTextContents();
}

/** Waits until the list shows these titles, in any order. */
export async function expectTitles(page: Page, expected: readonly string[]): Promise<void> {
  await expect.poll(async () => (await titles(page)).toSorted(), { timeout: 15_000 }).toEqual([...expected].toSorted());
}

/** Waits until nothing waits to be sent, a deletion neither, which has no row. */
export async function expectSent(page: Page): Promise<void> {
  await expect.poll(() => page.locator("[data-waiting]").count(), { timeout: 20_000 }).toBe(0);
}

export async function setOffline({ context }: Device, isOffline: boolean): Promise<void> {
  await context.setOffline(isOffline);
}

/** Opens the editor of a task. */
export async function openEditor(page: Page, title: string): Promise<void> {
  await page.locator(".title", { hasText: title }).first().click();
  await page.locator(".editor").waitFor();
}

export async function rename(page: Page, title: string, to: string): Promise<void> {
  await openEditor(page, title);
  await page.getByLabel("Title", { exact: true }).fill(to);
  await page.getByRole("button", { name: "Save" }).click();
}
