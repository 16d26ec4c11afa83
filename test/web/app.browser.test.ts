/** The app as people use it, in Chromium beside a running server. */
import { appendFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { describe, expect, it } from "vitest";
import { newAddress, openPersistentBrowser, shoot, useSystem } from "../support/node/browser.ts";
import {
  addTask,
  expectSent,
  expectTitles,
  openDevice,
  openEditor,
  openPerson,
  openSecondDevice,
  openTasks,
  PASSWORD,
  rename,
  setOffline,
  signIn,
  signUp,
  titles,
} from "./people.ts";

const system = useSystem();

const url = (path: string) => system.server.url + path;

/** What scripts can find in the browser, but for the copy of the tasks. */
function visibleStorage(page: Page): Promise<string> {
  return page.evaluate(() => JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.cookie]));
}

/** How many tasks and changes the databases of the browser hold. */
function storedRecords(page: Page): Promise<number> {
  return page.evaluate(async () => {
    let count = 0;
    for (const { name = "" } of await indexedDB.databases()) {
      const database = await new Promise<IDBDatabase>((resolve) => {
        const opening = indexedDB.open(name);
        opening.onsuccess = () => resolve(opening.result);
      });
      for (const store of ["tasks", "outbox", "conflicts", "refusals"]) {
        count += await new Promise<number>((resolve) => {
          const counting = database.transaction(store).objectStore(store).count();
          counting.onsuccess = () => resolve(counting.result);
        });
      }
      database.close();
    }
    return count;
  });
}

describe("P3 entering", () => {
  it("P3 P6 somebody new signs up, adds ten tasks, edits without a network, and finds everything on a second device", async () => {
    const device = await openDevice(system);
    const { page } = device;
    await page.goto(url("/"));
    await page.waitForURL("**/sign-in");
    await page.getByRole("link", { name: "Create an account" }).click();
    const email = `${crypto.randomUUID()}@example.com`;
    await page.getByLabel("Your name").fill("Ada");
    await page.getByLabel("E-mail address").fill(email);
    await page.getByLabel("Password").fill(PASSWORD);
    await page.getByRole("button", { name: "Create account" }).click();
    await page.getByPlaceholder(/Add a task/).waitFor();
    const all = Array.from({ length: 10 }, (_, n) => `Task ${n}`);
    for (const title of all) await addTask(page, title);
    await page.getByRole("link", { name: /All tasks/ }).click();
    await expectTitles(page, all);
    await expectSent(page);
    await page.evaluate(() => navigator.serviceWorker.ready);
    await setOffline(device, true);
    await page.getByText(/Offline/).waitFor();
    await rename(page, "Task 3", "Task 3, changed offline");
    await page.getByRole("button", { name: "Complete: Task 5" }).click();
    await addTask(page, "Made offline");
    await page.getByText("3 changes waiting").waitFor();
    await page.reload();
    const expected = [...all.filter((_, n) => n !== 3 && n !== 5), "Task 3, changed offline", "Made offline"];
    await expectTitles(page, expected);
    await setOffline(device, false);
    await expectSent(page);
    const second = await openSecondDevice(system, email);
    await expectTitles(second.page, expected);
    expect([device.faults, device.elsewhere, second.faults]).toEqual([[], [], []]);
  });

  it.each(["/", "/account", "/trash"])("P3 %s leads to sign-in without a session", async (path) => {
    const { page, faults } = await openDevice(system);
    await page.goto(url(path));
    await page.waitForURL("**/sign-in");
    await page.getByRole("heading", { name: "Sign in" }).waitFor();
    expect(faults).toEqual([]);
  });

  it("P3 what goes wrong at sign-in is said in words, beside the field or above the button", async () => {
    const device = await openDevice(system);
    const { page } = device;
    await page.goto(url("/sign-in"));
    await signIn(page, "nobody@example.com");
    await page.getByText("The address or the password is wrong.").waitFor();
    expect(await page.getByLabel("E-mail address").inputValue()).toBe("nobody@example.com");
    await page.route("**/api/auth/sign-in/email", (route) =>
      route.fulfill({
        status: 429,
        headers: { "retry-after": "90" },
        json: { code: "TOO_MANY_REQUESTS", message: "x" },
      }),
    );
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByText(/Too many attempts. Try again in \d+ seconds/).waitFor();
    expect(await page.getByRole("button", { name: "Sign in" }).isDisabled()).toBe(true);
    await page.unroute("**/api/auth/sign-in/email");
    await page.goto(url("/sign-up"));
    await page.getByText("8 characters or more").waitFor();
    await page.getByLabel("Your name").fill("Ada");
    await page.getByLabel("E-mail address").fill(`${crypto.randomUUID()}@example.com`);
    await page.getByLabel("Password").fill("password1");
    await page.getByRole("button", { name: "Create account" }).click();
    await page.getByText("too easy to guess").waitFor();
    const isFocused = await page.getByLabel("Password").evaluate((field) => field === document.activeElement);
    expect([isFocused, await page.getByLabel("Password").inputValue()]).toEqual([true, "password1"]);
    await setOffline(device, true);
    await page.getByLabel("Password").fill(PASSWORD);
    await page.getByRole("button", { name: "Create account" }).click();
    await page.getByText("You are offline").waitFor();
    await setOffline(device, false);
    await page.route("**/api/auth/request-password-reset", (route) =>
      route.fulfill({ status: 503, json: { code: "EMAIL_NOT_CONFIGURED", message: "x" } }),
    );
    await page.goto(url("/forgotten-password"));
    await page.getByLabel("E-mail address").fill("ada@example.com");
    await page.getByRole("button", { name: "Send link" }).click();
    await page.getByText("This server sends no mail").waitFor();
  });
});

describe("L the life of a session", () => {
  it("L1 P2 a reload and a new tab are signed in, and nothing but the copy is kept", async () => {
    const { context, page, email } = await openPerson(system);
    await addTask(page, "Kept");
    await expectSent(page);
    await page.close();
    const again = await context.newPage();
    await openTasks(system, again);
    await expectTitles(again, ["Kept"]);
    const storage = await visibleStorage(again);
    expect(storage).not.toMatch(/eyJ|@|Bearer/);
    expect(storage).not.toContain(email);
    const cookies = await context.cookies();
    expect(cookies.every(({ httpOnly }) => httpOnly)).toBe(true);
    expect(cookies.find(({ name }) => name.includes("session"))?.expires).toBeGreaterThan(Date.now() / 1000 + 86_400);
  });

  it("L1 P6 signed in after a browser restart, with the tasks at once and without a network", async () => {
    const folder = mkdtempSync(join(tmpdir(), "browser-"));
    const first = await openPersistentBrowser(folder);
    await signUp(system, { context: first, page: await first.newPage(), faults: [], elsewhere: [] });
    const page = await first.newPage();
    await openTasks(system, page);
    await addTask(page, "Survives");
    await expectSent(page);
    await page.evaluate(() => navigator.serviceWorker.ready);
    await first.close();
    const second = await openPersistentBrowser(folder);
    await second.setOffline(true);
    const again = await second.newPage();
    await openTasks(system, again);
    await expectTitles(again, ["Survives"]);
    await second.setOffline(false);
    await rename(again, "Survives", "Still signed in");
    await expectSent(again);
    await second.close();
    rmSync(folder, { recursive: true, force: true });
  });

  it("P5 a sign-out whose answer is lost deletes the copy as well", async () => {
    const { page } = await openPerson(system);
    await addTask(page, "Private");
    await expectSent(page);
    await page.route("**/api/auth/sign-out", async (route) => {
      await route.fetch();
      await route.abort();
    });
    await page.getByRole("link", { name: "Ada" }).click();
    await page.getByRole("button", { name: "Sign out", exact: true }).click();
    await page.waitForURL("**/sign-in", { timeout: 60_000 });
    await expect.poll(() => storedRecords(page)).toBe(0);
  });

  it("P5 a sign-out whose tab was killed before it was sent deletes nothing later", async () => {
    const { page, context } = await openPerson(system);
    await addTask(page, "Kept");
    await expectSent(page);
    await markLeaving(page);
    const look = () => page.evaluate(() => document.dispatchEvent(new Event("visibilitychange")));
    await look();
    await expect.poll(() => page.evaluate(() => localStorage.getItem("edge-tasks leaving"))).toBeNull();
    await context.clearCookies();
    await page.reload();
    await page.waitForURL("**/sign-in");
    await look();
    await page.getByText("Your session has ended.").waitFor();
    expect(await storedRecords(page)).toBeGreaterThan(0);
  });

  it("P5 a sign-out whose tab was killed still deletes the copy", async () => {
    const { page, context } = await openPerson(system);
    await addTask(page, "Private");
    await expectSent(page);
    await markLeaving(page);
    await context.clearCookies();
    await page.reload();
    await page.waitForURL("**/sign-in");
    await expect.poll(() => storedRecords(page)).toBe(0);
  });

  it("L6 an expired access token is renewed unseen", async () => {
    const { page, context } = await openPerson(system);
    await addTask(page, "First");
    await expectSent(page);
    let refused = 0;
    await context.route("**/api/v1/**", (route) => {
      if (refused >= 1) return route.continue();
      refused += 1;
      const json = { code: "token_expired", status: 401, detail: "expired" };
      return route.fulfill({ status: 401, contentType: "application/problem+json", body: JSON.stringify(json) });
    });
    await addTask(page, "Second");
    await expectSent(page);
    expect(refused).toBe(1);
    expect(new URL(page.url()).pathname).toBe("/");
  });

  it("L6 P6 a dead session leads to sign-in; what was typed and not sent is there afterwards", async () => {
    const device = await openPerson(system);
    const { page, context, email } = device;
    await addTask(page, "Sent");
    await expectSent(page);
    await page.evaluate(() => navigator.serviceWorker.ready);
    await setOffline(device, true);
    await addTask(page, "Not sent yet");
    await page.getByPlaceholder(/Add a task/).fill("Half a sen");
    await endOtherSessions(email);
    await setOffline(device, false);
    await page.waitForURL("**/sign-in");
    await page.getByText("Your session has ended").waitFor();
    await signIn(page, email);
    await openTasksLink(page);
    await expectTitles(page, ["Sent", "Not sent yet"]);
    await expectSent(page);
    expect(await page.getByPlaceholder(/Add a task/).inputValue()).toBe("Half a sen");
    const second = await openSecondDevice(system, email);
    await expectTitles(second.page, ["Sent", "Not sent yet"]);
    expect(await context.cookies()).not.toEqual([]);
  });

  it("P5 L2 signing out in one tab shows in the others at once, and the next person sees nothing of the first", async () => {
    const { page, context } = await openPerson(system);
    await addTask(page, "Private");
    await expectSent(page);
    const other = await context.newPage();
    await openTasks(system, other);
    await expectTitles(other, ["Private"]);
    await page.goto(url("/account"));
    await page.getByRole("button", { name: "Sign out", exact: true }).click();
    await page.waitForURL("**/sign-in");
    await other.waitForURL("**/sign-in");
    await other.getByText(/signed out in another tab|session has ended/).waitFor();
    expect(await storedRecords(page)).toBe(0);
    const next = await signUp(system, { context, page, faults: [], elsewhere: [] }, "Next");
    await openTasks(system, page);
    await addTask(page, "Of the next");
    await expectTitles(page, ["Of the next"]);
    expect(await page.content()).not.toContain("Private");
    expect(next).toContain("@");
  });

  it("P5 S6 somebody else who signs in in another tab takes over, and each has their own tasks", async () => {
    const { page, context, email } = await openPerson(system);
    await addTask(page, "Of the first");
    await expectSent(page);
    const other = await context.newPage();
    await signUp(system, { context, page: other, faults: [], elsewhere: [] }, "Second");
    await openTasks(system, other);
    // The first tab notices, and asks who is there.
    await page.getByRole("link", { name: "Second" }).waitFor();
    await expectTitles(page, []);
    await openTasks(system, other);
    await other.getByRole("link", { name: "Second" }).waitFor();
    await addTask(other, "Of the second");
    await expectTitles(other, ["Of the second"]);
    await expectSent(other);
    const second = await openSecondDevice(system, email);
    expect(await titles(second.page)).not.toContain("Of the second");
  });

  it("P5 S6 after a dead session, another person finds nothing of the first, whose changes wait for them", async () => {
    const device = await openPerson(system);
    const { page, context, email } = device;
    await addTask(page, "Sent");
    await expectSent(page);
    const guest = await openDevice(system);
    const next = await signUp(system, guest, "Next");
    await setOffline(device, true);
    await addTask(page, "Private");
    await page.getByPlaceholder(/Add a task/).fill("Half a sen");
    await endOtherSessions(email);
    await setOffline(device, false);
    await page.waitForURL("**/sign-in");
    await signIn(page, next);
    await page.getByPlaceholder(/Add a task/).waitFor();
    await openTasksLink(page);
    await expectTitles(page, []);
    expect(await page.getByPlaceholder(/Add a task/).inputValue()).toBe("");
    await page.keyboard.press("Control+z");
    await expectTitles(page, []);
    await context.clearCookies();
    await page.reload();
    await page.waitForURL("**/sign-in");
    await signIn(page, email);
    await page.getByPlaceholder(/Add a task/).waitFor();
    await openTasksLink(page);
    await expectTitles(page, ["Sent", "Private"]);
    await expectSent(page);
  });

  it("P6 signing out with unsent changes asks first", async () => {
    const device = await openPerson(system);
    const { page } = device;
    await page.evaluate(() => navigator.serviceWorker.ready);
    await setOffline(device, true);
    await addTask(page, "Unsent");
    await page.getByRole("link", { name: "Ada" }).click();
    await page.getByRole("button", { name: "Sign out", exact: true }).click();
    await page.getByText("1 change is not on the server yet").waitFor();
    await page.getByRole("button", { name: "Sign out and delete them" }).click();
    await page.getByText(/You are offline.*still signed in/).waitFor();
    await page.getByRole("button", { name: "Stay" }).click();
    await page.getByRole("link", { name: /All tasks/ }).click();
    await expectTitles(page, ["Unsent"]);
  });
});

/** What a tab leaves that was killed while it signed out. */
async function markLeaving(page: Page): Promise<void> {
  await page.evaluate(() => localStorage.setItem("edge-tasks leaving", localStorage.getItem("edge-tasks user") ?? ""));
}

/** Ends the sessions of somebody's browsers, from a program. */
async function endOtherSessions(email: string): Promise<void> {
  const headers = { "content-type": "application/json", "cf-connecting-ip": newAddress() };
  const body = JSON.stringify({ email, password: PASSWORD });
  const opened = await fetch(url("/api/auth/sign-in/email"), { method: "POST", headers, body });
  const authorization = `Bearer ${opened.headers.get("set-auth-token")}`;
  const ended = await fetch(url("/api/auth/revoke-other-sessions"), {
    method: "POST",
    headers: { ...headers, authorization },
    body: "{}",
  });
  expect(ended.status).toBe(200);
}

/** All tasks, from wherever the app is. */
async function openTasksLink(page: Page): Promise<void> {
  await page.getByRole("link", { name: /All tasks/ }).click();
}

describe("P6 without a network", () => {
  it("P6 a killed tab loses nothing, and everything is sent once", async () => {
    const device = await openPerson(system);
    const { page, context, email } = device;
    await page.evaluate(() => navigator.serviceWorker.ready);
    await setOffline(device, true);
    for (let n = 0; n < 5; n += 1) await addTask(page, `Offline ${n}`);
    await expectTitles(
      page,
      [0, 1, 2, 3, 4].map((n) => `Offline ${n}`),
    );
    await page.close();
    const again = await context.newPage();
    await openTasks(system, again);
    await expectTitles(
      again,
      [0, 1, 2, 3, 4].map((n) => `Offline ${n}`),
    );
    await setOffline(device, false);
    await expectSent(again);
    const second = await openSecondDevice(system, email);
    await expectTitles(
      second.page,
      [0, 1, 2, 3, 4].map((n) => `Offline ${n}`),
    );
  });

  it("P6 a tab that somebody looks at is up to date, also while the tab that leads is hidden", async () => {
    const { context, page, email } = await openPerson(system);
    await page.evaluate(() => Object.defineProperty(document, "hidden", { get: () => true }));
    const tab = await context.newPage();
    await tab.clock.install();
    await openTasks(system, tab);
    const elsewhere = await openSecondDevice(system, email);
    await addTask(elsewhere.page, "Added elsewhere");
    await expectSent(elsewhere.page);
    // The tab that leads is in its pause, and then waits until somebody looks at it.
    await tab.clock.fastForward(31_000);
    await tab.clock.fastForward(31_000);
    await expectTitles(tab, ["Added elsewhere"]);
  });

  it("P6 P7 two tabs and two devices show the same", async () => {
    const { page, context, email } = await openPerson(system);
    const tab = await context.newPage();
    await openTasks(system, tab);
    const second = await openSecondDevice(system, email);
    await addTask(page, "From the first tab");
    await expectTitles(tab, ["From the first tab"]);
    await rename(tab, "From the first tab", "Renamed in the second");
    await expectTitles(page, ["Renamed in the second"]);
    await expectSent(page);
    await second.page.reload();
    await expectTitles(second.page, ["Renamed in the second"]);
    await second.page.getByRole("button", { name: /Complete: Renamed/ }).click();
    await expectSent(second.page);
    await page.reload();
    await expectTitles(page, []);
  });

  it("P7 the same field changed on two devices is a conflict that the person settles", async () => {
    const first = await openPerson(system);
    await addTask(first.page, "Original");
    await expectSent(first.page);
    const second = await openSecondDevice(system, first.email);
    await expectTitles(second.page, ["Original"]);
    await first.page.evaluate(() => navigator.serviceWorker.ready);
    await setOffline(first, true);
    await rename(first.page, "Original", "Mine");
    await rename(second.page, "Original", "Theirs");
    await expectSent(second.page);
    await setOffline(first, false);
    await first.page.getByText("One task was changed here and elsewhere").waitFor();
    await expectTitles(first.page, ["Theirs"]);
    await first.page.getByRole("button", { name: "Choose what stays" }).click();
    await first.page.getByLabel(/Yours\s*Mine/).check();
    await shoot(first.page, "conflict");
    await first.page.getByRole("button", { name: "Use these" }).click();
    await first.page.getByText("All is settled").waitFor();
    await first.page.keyboard.press("Escape");
    await expectTitles(first.page, ["Mine"]);
    await expectSent(first.page);
    await second.page.reload();
    await expectTitles(second.page, ["Mine"]);
    expect([first.faults, second.faults]).toEqual([[], []]);
  });

  it("P6 a new version says so, and keeps what is typed", async () => {
    const { page } = await openPerson(system);
    await page.evaluate(() => navigator.serviceWorker.ready);
    await page.reload();
    await page.getByPlaceholder(/Add a task/).fill("Half a sen");
    // `wrangler dev` builds anew.
    appendFileSync(join(system.folder, "src/web/style.css"), "\n.newer { color: inherit; }\n");
    await expect
      .poll(
        async () => {
          await page.evaluate(async () => (await navigator.serviceWorker.getRegistration())?.update()).catch(() => {});
          return page.getByText("A new version is ready").count();
        },
        { timeout: 30_000, interval: 1000 },
      )
      .toBe(1);
    await page.getByRole("button", { name: "Load it" }).click();
    await expect.poll(() => page.getByText("A new version is ready").count(), { timeout: 15_000 }).toBe(0);
    await expect.poll(() => page.getByPlaceholder(/Add a task/).inputValue(), { timeout: 15_000 }).toBe("Half a sen");
  });
});

describe("P3 tasks", () => {
  it("P3 a line is read into date, priority and tags; a chip that is taken off stays a word of the title", async () => {
    const { page } = await openPerson(system);
    const field = page.getByPlaceholder(/Add a task/);
    await field.fill("Pay rent tomorrow 9am !high #home");
    await page.getByRole("button", { name: "Keep tomorrow 9am in the title" }).waitFor();
    await shoot(page, "chips");
    await page.getByRole("button", { name: "Keep #home in the title" }).click();
    await field.press("Enter");
    await expectTitles(page, ["Pay rent #home"]);
    await page.getByText(/Tomorrow, 9:00/).waitFor();
    await page.locator(".facts .priority-high").waitFor();
    await page.getByRole("link", { name: /Upcoming/ }).click();
    await expectTitles(page, ["Pay rent #home"]);
    await page.getByRole("link", { name: /Today/ }).click();
    await expectTitles(page, []);
  });

  it("P5 everything can be undone for ten seconds, by button or by key", async () => {
    const { page } = await openPerson(system);
    await addTask(page, "One");
    await expectTitles(page, ["One"]);
    await page.getByRole("button", { name: "Complete: One" }).click();
    await expectTitles(page, []);
    await page.getByRole("button", { name: "Undo" }).last().click();
    await expectTitles(page, ["One"]);
    await rename(page, "One", "Two");
    await expectTitles(page, ["Two"]);
    await page.keyboard.press("Control+z");
    await expectTitles(page, ["One"]);
    await openEditor(page, "One");
    await page.getByRole("button", { name: "Delete" }).click();
    await expectTitles(page, []);
    await expectSent(page);
    await page.getByRole("button", { name: "Undo" }).last().click();
    await expectTitles(page, ["One"]);
    await expectSent(page);
  });

  it("P3 the trash restores; import and export say what they do", async () => {
    const { page } = await openPerson(system);
    await addTask(page, "To the trash");
    await expectSent(page);
    await openEditor(page, "To the trash");
    await page.getByRole("button", { name: "Delete" }).click();
    await expectTitles(page, []);
    await page.getByRole("link", { name: "Trash" }).click();
    await page.getByRole("button", { name: "Restore: To the trash" }).click();
    await openTasksLink(page);
    await expectTitles(page, ["To the trash"]);
    await page.getByRole("button", { name: "Import" }).click();
    const csv = "title,due\nFrom a sheet,2026-03-01\nWith,a cell,too many\n";
    await page.getByLabel("File").setInputFiles({ name: "tasks.csv", mimeType: "text/csv", buffer: Buffer.from(csv) });
    await page.getByText(/1 imported/).waitFor();
    const large = Buffer.alloc(10 * 1024 * 1024 + 1, "x");
    await page.getByLabel("File").setInputFiles({ name: "large.csv", mimeType: "text/csv", buffer: large });
    await page.getByText("larger than 10 MiB").waitFor();
    await page.getByLabel("File").setInputFiles({ name: "a.exe", mimeType: "x/y", buffer: Buffer.from("x") });
    await page.getByText("no file of tasks").waitFor();
    await page.keyboard.press("Escape");
    await expectTitles(page, ["To the trash", "From a sheet"]);
    await page.goto(url("/account"));
    const download = page.waitForEvent("download");
    await page.getByRole("button", { name: "JSON" }).click();
    expect((await download).suggestedFilename()).toBe("edge-tasks.json");
  });

  it("P3 P5 an import can be taken back", async () => {
    const { page } = await openPerson(system);
    await addTask(page, "From before");
    await page.getByRole("button", { name: "Import" }).click();
    const csv = `title\n${Array.from({ length: 120 }, (_, n) => `Imported ${n}`).join("\n")}\n`;
    await page.getByLabel("File").setInputFiles({ name: "tasks.csv", mimeType: "text/csv", buffer: Buffer.from(csv) });
    await page.getByText(/120 imported/).waitFor();
    await page.getByRole("link", { name: /All tasks 121/ }).waitFor();
    await page.getByRole("button", { name: "Undo the import" }).click();
    await expectTitles(page, ["From before"]);
    await page.getByRole("link", { name: "Trash" }).click();
    await page
      .getByRole("button", { name: /Restore: Imported/ })
      .first()
      .waitFor();
  });

  it("T7 P3 odd texts are kept, or refused in words", async () => {
    const { page, faults } = await openPerson(system);
    const emoji = "\u{1F469}".repeat(255);
    for (const text of [emoji, "مراجعة العقد", "<b>&amp;</b> \"'", "__proto__"]) await addTask(page, text);
    await expectTitles(page, [emoji, "مراجعة العقد", "<b>&amp;</b> \"'", "__proto__"]);
    await page.getByPlaceholder(/Add a task/).fill(`${emoji}x`);
    await page.keyboard.press("Enter");
    await page.getByText("The title must be at most 255 characters long.").waitFor();
    expect(await page.getByPlaceholder(/Add a task/).inputValue()).toBe(`${emoji}x`);
    await page.getByPlaceholder(/Add a task/).fill("");
    const lines = Array.from({ length: 120 }, (_, n) => `- [ ] Pasted ${n}`).join("\n");
    await page.getByPlaceholder(/Add a task/).focus();
    await page.evaluate((text) => {
      const data = new DataTransfer();
      data.setData("text/plain", text);
      const event = new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true });
      document.activeElement?.dispatchEvent(event);
    }, lines);
    await page.getByText("This text has 120 lines").waitFor();
    await page.getByRole("button", { name: "Add 100 tasks" }).click();
    await page.getByRole("link", { name: /All tasks 104/ }).waitFor();
    await page.getByText("This text has 20 lines").waitFor();
    await expectSent(page);
    expect(faults).toEqual([]);
  });

  it.each([
    [500, "text/html", "<h1>Oops</h1>"],
    [503, "application/problem+json", '{"code":"database_unavailable","status":503,"detail":"x"}'],
    [200, "text/html", "<h1>A portal</h1>"],
  ])("P6 a server that answers %i %s loses nothing", async (status, contentType, body) => {
    const { page, context, faults } = await openPerson(system);
    await expectSent(page);
    await context.route("**/api/v1/**", (route) => route.fulfill({ status, contentType, body }));
    await addTask(page, "Kept");
    await expectTitles(page, ["Kept"]);
    await page.getByText(/1 change waiting/).waitFor();
    await context.unroute("**/api/v1/**");
    await page.evaluate(() => dispatchEvent(new Event("online")));
    await expectSent(page);
    expect(faults).toEqual([]);
  });
});
