/** Several people in one browser, and several tabs: nobody sees, changes or keeps what belongs to another. */
import type { Page, Route } from "playwright-core";
import { describe, expect, it } from "vitest";
import { useSystem } from "../support/node/browser.ts";
import {
  addTask,
  type Device,
  expectSent,
  expectTitles,
  openEditor,
  openPerson,
  openTasks,
  setOffline,
  signIn,
  signUp,
} from "./people.ts";

const system = useSystem();

const url = (path: string) => system.server.url + path;

/** Answers late. */
const late = (ms: number) => async (route: Route) => {
  await new Promise((resolve) => setTimeout(resolve, ms));
  await route.continue();
};

/** Somebody else signs up in the same browser, outside the app: the session of before is replaced. */
function replacePerson({ context, page }: Pick<Device, "context" | "page">): Promise<string> {
  return signUp(system, { context, page, faults: [], elsewhere: [] }, "Second");
}

async function expectPerson(page: Page, name: string): Promise<void> {
  await page.getByRole("link", { name, exact: true }).waitFor();
}

describe("P5 S6 another person in the same browser", () => {
  it("P5 S6 the next person's tab stays, however late the former's answers are", async () => {
    const { page, context } = await openPerson(system);
    await addTask(page, "Of the first");
    await expectSent(page);
    await page.route("**/api/v1/**", late(1200));
    const other = await context.newPage();
    await other.route("**/api/auth/token", late(2500));
    await replacePerson({ context, page });
    await openTasks(system, other);
    await expectPerson(other, "Second");
    await new Promise((resolve) => setTimeout(resolve, 5000));
    expect(other.url()).toBe(url("/?view=all"));
    await addTask(other, "Of the second");
    await expectSent(other);
    await expectTitles(other, ["Of the second"]);
  });

  it("P5 S6 a tab goes over to the next person, with nothing of the first that was typed or can be undone", async () => {
    const { page, context, email } = await openPerson(system);
    await addTask(page, "Kept");
    await addTask(page, "Deleted by the first");
    await expectSent(page);
    await openEditor(page, "Deleted by the first");
    await page.getByRole("button", { name: "Delete", exact: true }).click();
    await expectSent(page);
    await openEditor(page, "Kept");
    await page.getByLabel("Notes").fill("secret note");
    await page.getByPlaceholder(/Add a task/).fill("Half a secret");
    await replacePerson({ context, page });
    const other = await context.newPage();
    await openTasks(system, other);
    await expectPerson(page, "Second");
    await page.getByPlaceholder(/Add a task/).waitFor();
    expect(await page.getByPlaceholder(/Add a task/).inputValue()).toBe("");
    expect(await page.evaluate(() => JSON.stringify({ ...sessionStorage }))).not.toContain("secret");
    expect(await page.locator(".toast").count()).toBe(0);
    await page.keyboard.press("Control+z");
    await expectTitles(page, []);
    await context.clearCookies();
    await page.reload();
    await page.waitForURL("**/sign-in");
    await signIn(page, email);
    await page.getByRole("link", { name: /All tasks/ }).click();
    await expectTitles(page, ["Kept"]);
  });

  it("P5 S6 the account page of a tab shows who is signed in now", async () => {
    const { page, context } = await openPerson(system);
    await addTask(page, "Of the first");
    await expectSent(page);
    await replacePerson({ context, page });
    // The tab may have noticed already.
    await page.getByRole("link", { name: /^(?:Ada|Second)$/ }).click();
    await expectPerson(page, "Second");
    expect(page.url()).toBe(url("/account"));
    await page.getByRole("link", { name: /All tasks/ }).click();
    await expectTitles(page, []);
  });
});

describe("P5 L2 after the end of a session", () => {
  it("P5 L2 no link and no step back shows the tasks again", async () => {
    const { page } = await openPerson(system);
    await addTask(page, "Private");
    await expectSent(page);
    await page.getByRole("link", { name: "Ada" }).click();
    await page.getByRole("button", { name: "Sign out", exact: true }).click();
    await page.waitForURL("**/sign-in");
    expect(await page.locator(".notice").count()).toBe(0);
    await page.goBack();
    await page.getByRole("heading", { name: "Sign in" }).waitFor();
    await page.getByRole("link", { name: "Edge Tasks" }).click();
    await page.getByRole("heading", { name: "Sign in" }).waitFor();
    expect(await page.locator("body").textContent()).not.toContain("Private");
  });

  it("P5 L2 what was asked before signing in, and is answered later, changes nothing", async () => {
    const { page, context, email } = await openPerson(system);
    await addTask(page, "Mine");
    await expectSent(page);
    await context.clearCookies();
    await page.reload();
    await page.waitForURL("**/sign-in");
    let isAnswered = false;
    await page.route("**/api/auth/get-session*", async (route) => {
      const answer = await route.fetch();
      await page.getByPlaceholder(/Add a task/).waitFor();
      await route.fulfill({ response: answer });
      isAnswered = true;
    });
    await page.evaluate(() => document.dispatchEvent(new Event("visibilitychange")));
    await signIn(page, email);
    await expect.poll(() => isAnswered).toBe(true);
    await expectPerson(page, "Ada");
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(page.url()).toBe(url("/"));
    await page.getByRole("link", { name: /All tasks/ }).click();
    await expectTitles(page, ["Mine"]);
  });

  it("P5 L2 what was asked before signing out, and is answered later, brings nobody back", async () => {
    const { page } = await openPerson(system);
    await addTask(page, "Private");
    await expectSent(page);
    let answered = 0;
    await page.route("**/api/auth/get-session*", async (route) => {
      const answer = await route.fetch();
      await page.waitForURL("**/sign-in");
      await route.fulfill({ response: answer });
      answered += 1;
    });
    // The account page asks who is there.
    await page.getByRole("link", { name: "Ada" }).click();
    await page.getByRole("button", { name: "Sign out", exact: true }).click();
    await page.waitForURL("**/sign-in");
    await expect.poll(() => answered).toBeGreaterThan(0);
    await new Promise((resolve) => setTimeout(resolve, 1000));
    expect(page.url()).toBe(url("/sign-in"));
    expect(await page.evaluate(() => localStorage.getItem("edge-tasks user"))).toBeNull();
  });

  it("P5 S6 what was asked about the former person, and is answered later, does not show their tasks again", async () => {
    const { page, context } = await openPerson(system);
    await addTask(page, "Of the first");
    await expectSent(page);
    let isFirst = true;
    const held: (() => Promise<void>)[] = [];
    await page.route("**/api/auth/get-session*", async (route) => {
      if (!isFirst) return route.continue();
      const answer = await route.fetch();
      held.push(() => route.fulfill({ response: answer }));
    });
    await page.getByRole("link", { name: "Ada" }).click();
    await expect.poll(() => held.length).toBeGreaterThan(0);
    await page.getByRole("link", { name: /All tasks/ }).click();
    await expectTitles(page, ["Of the first"]);
    isFirst = false;
    await replacePerson({ context, page });
    const other = await context.newPage();
    await openTasks(system, other);
    await expectPerson(page, "Second");
    // The other tab would bring this one back at once.
    await other.close();
    await page.evaluate(() => {
      const note = () => {
        if (document.body.textContent?.includes("Of the first")) document.title = "seen";
      };
      new MutationObserver(note).observe(document.body, { childList: true, subtree: true, characterData: true });
    });
    for (const release of held) await release();
    await new Promise((resolve) => setTimeout(resolve, 1000));
    expect(await page.title()).not.toBe("seen");
    await expectPerson(page, "Second");
    await expectTitles(page, []);
  });

  it("P5 L1 a sign-out that fails deletes nothing, and shows nothing to a tab that is opened meanwhile", async () => {
    const { page, context } = await openPerson(system);
    await page.route("**/api/v1/**", (route) => route.abort());
    await addTask(page, "Unsent");
    let fail = () => {};
    const failure = new Promise<void>((resolve) => {
      fail = resolve;
    });
    await page.route("**/api/auth/sign-out", async (route) => {
      await failure;
      await route.abort();
    });
    await page.getByRole("link", { name: "Ada" }).click();
    await page.getByRole("button", { name: "Sign out", exact: true }).click();
    await page.getByRole("button", { name: "Sign out and delete them" }).click();
    await page.getByText("Signing out ...").waitFor();
    const other = await context.newPage();
    await other.route("**/api/auth/**", (route) => route.abort());
    await other.goto(url("/?view=all"));
    await other.getByRole("heading", { name: "Sign in" }).waitFor();
    fail();
    await page.getByText("You are still signed in.").waitFor();
    await page.getByRole("button", { name: "Stay" }).click();
    await page.getByRole("link", { name: /All tasks/ }).click();
    await expectTitles(page, ["Unsent"]);
    await other.unroute("**/api/auth/**");
    await other.evaluate(() => document.dispatchEvent(new Event("visibilitychange")));
    await other.getByRole("link", { name: /All tasks/ }).click();
    await expectTitles(other, ["Unsent"]);
  });

  it("P5 L1 a device that cannot delete the copy at sign-out keeps it for the same person, and for nobody else", async () => {
    const device = await openPerson(system);
    const { page, email } = device;
    await addTask(page, "Kept");
    await expectSent(page);
    await page.evaluate(() => navigator.serviceWorker.ready);
    await page.evaluate(() => {
      IDBObjectStore.prototype.clear = () => {
        throw new Error("UnknownError");
      };
    });
    await page.getByRole("link", { name: "Ada" }).click();
    await page.getByRole("button", { name: "Sign out", exact: true }).click();
    await page.waitForURL("**/sign-in");
    await signIn(page, email);
    await page.getByRole("link", { name: /All tasks/ }).click();
    await setOffline(device, true);
    await addTask(page, "Unsent");
    // The device has stored it by then.
    await new Promise((resolve) => setTimeout(resolve, 2000));
    await page.reload();
    await page.getByRole("link", { name: /All tasks/ }).click();
    await expectTitles(page, ["Kept", "Unsent"]);
    await setOffline(device, false);
    await expectSent(page);
  });

  it("P5 S6 a tab that could not follow to the next person signs nobody out", async () => {
    const { page, context } = await openPerson(system);
    await addTask(page, "Of the first");
    await expectSent(page);
    await page.route("**/api/auth/get-session*", (route) => route.abort());
    await page.route("**/api/v1/**", (route) => route.abort());
    await replacePerson({ context, page });
    const other = await context.newPage();
    await openTasks(system, other);
    await expectPerson(other, "Second");
    await page.getByRole("link", { name: "Ada" }).click();
    await page.getByRole("button", { name: "Sign out", exact: true }).click();
    await page.getByText("Somebody else has signed in in another tab. Load this page again.").waitFor();
    await addTask(other, "Of the second");
    await expectSent(other);
    await other.reload();
    await expectTitles(other, ["Of the second"]);
  });

  it("P5 L2 a session that ended elsewhere leaves the tasks of this tab closed until somebody signs in", async () => {
    const { page, context, email } = await openPerson(system);
    await addTask(page, "Private");
    await expectSent(page);
    await context.clearCookies();
    await page.evaluate(() => document.dispatchEvent(new Event("visibilitychange")));
    await page.getByRole("link", { name: "Ada" }).click();
    await page.waitForURL("**/sign-in");
    await page.getByRole("link", { name: "Edge Tasks" }).click();
    await page.getByRole("heading", { name: "Sign in" }).waitFor();
    await signIn(page, email);
    await page.getByRole("link", { name: /All tasks/ }).click();
    await expectTitles(page, ["Private"]);
  });
});
