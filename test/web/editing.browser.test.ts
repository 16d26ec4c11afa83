/** What a person types, while the same is changed elsewhere, pasted, or interrupted. Nothing is lost without a word. */
import type { Page } from "playwright-core";
import { describe, expect, it } from "vitest";
import { useSystem } from "../support/node/browser.ts";
import {
  addTask,
  expectSent,
  expectTitles,
  openEditor,
  openPerson,
  openSecondDevice,
  rename,
  titles,
} from "./people.ts";

const system = useSystem();

const save = (page: Page) => page.getByRole("button", { name: "Save" }).click();
/** Fetches what is new, as somebody who comes back to the tab does. */
const lookAgain = (page: Page) => page.evaluate(() => document.dispatchEvent(new Event("visibilitychange")));

async function twoDevices(title: string) {
  const one = await openPerson(system);
  await addTask(one.page, title);
  await expectSent(one.page);
  const two = await openSecondDevice(system, one.email);
  await expectTitles(two.page, [title]);
  return { here: one.page, there: two.page };
}

async function paste(page: Page, text: string): Promise<void> {
  await page.getByPlaceholder(/Add a task/).evaluate((field, pasted) => {
    const clipboardData = new DataTransfer();
    clipboardData.setData("text/plain", pasted);
    field.dispatchEvent(new ClipboardEvent("paste", { clipboardData, bubbles: true, cancelable: true }));
  }, text);
}

describe("P7 an open editor", () => {
  it("P7 saves only what was typed; what arrived meanwhile stays, or is a conflict", async () => {
    const { here, there } = await twoDevices("Base");
    await openEditor(here, "Base");
    await here.getByLabel("Tags, with commas").fill("mine");
    await openEditor(there, "Base");
    await there.getByLabel("Notes").fill("A long text that took an hour");
    await save(there);
    await expectSent(there);
    await lookAgain(here);
    await expect.poll(() => here.locator(".editor").count()).toBe(1);
    await new Promise((resolve) => setTimeout(resolve, 1500));
    await save(here);
    await expectSent(here);
    await lookAgain(there);
    await openEditor(there, "Base");
    await expect.poll(() => there.getByLabel("Notes").inputValue()).toBe("A long text that took an hour");
    await expect.poll(() => there.getByLabel("Tags, with commas").inputValue()).toBe("mine");
    await there.getByLabel("Title", { exact: true }).fill("There");
    await openEditor(here, "Base");
    await here.getByLabel("Title", { exact: true }).fill("Here");
    await save(there);
    await expectSent(there);
    await lookAgain(here);
    await new Promise((resolve) => setTimeout(resolve, 1500));
    await save(here);
    await here.getByRole("button", { name: "Choose what stays" }).waitFor();
    await expectTitles(here, ["There"]);
  });

  it("P7 undo does not overwrite what was changed elsewhere since", async () => {
    const { here, there } = await twoDevices("First name");
    await rename(here, "First name", "Second name");
    await expectSent(here);
    await lookAgain(there);
    await expectTitles(there, ["Second name"]);
    await rename(there, "Second name", "Third name");
    await expectSent(there);
    await lookAgain(here);
    await expectTitles(here, ["Third name"]);
    await here.keyboard.press("Escape");
    await here.keyboard.press("Control+z");
    await here.getByText("This has changed meanwhile, and stays.").waitFor();
    await expectTitles(here, ["Third name"]);
    expect(await here.getByRole("button", { name: "Choose what stays" }).count()).toBe(0);
  });

  it("P7 a task that was deleted elsewhere can be restored with what was typed", async () => {
    const { here, there } = await twoDevices("Doomed");
    await openEditor(here, "Doomed");
    await here.getByLabel("Notes").fill("Typed meanwhile");
    await openEditor(there, "Doomed");
    await there.getByRole("button", { name: "Delete", exact: true }).click();
    await expectSent(there);
    await lookAgain(here);
    await here.getByRole("button", { name: "Restore it with my changes" }).click();
    await expectTitles(here, ["Doomed"]);
    await expectSent(here);
    await openEditor(here, "Doomed");
    expect(await here.getByLabel("Notes").inputValue()).toBe("Typed meanwhile");
  });

  it("P5 Complete saves what was typed, and Escape can be taken back", async () => {
    const { page } = await openPerson(system);
    await addTask(page, "Draft");
    await openEditor(page, "Draft");
    await page.getByLabel("Title", { exact: true }).fill("Done and renamed");
    await page.getByRole("button", { name: "Complete", exact: true }).click();
    await page.getByRole("link", { name: /Completed/ }).click();
    await expectTitles(page, ["Done and renamed"]);
    await openEditor(page, "Done and renamed");
    await page.getByLabel("Notes").fill("Much text");
    await page.keyboard.press("Escape");
    await page.getByRole("button", { name: "Go on editing" }).click();
    expect(await page.getByLabel("Notes").inputValue()).toBe("Much text");
    await page.reload();
    await page.getByText("not saved yet").waitFor();
  });
});

describe("P3 pasted and quick lines", () => {
  it("P3 dates of pasted lines are read on a fresh page, and what was typed before stays", async () => {
    const { page } = await openPerson(system);
    await paste(page, "Call mum tomorrow\nBuy milk friday !high #shop");
    await page.getByRole("button", { name: "Add 2 tasks" }).click();
    await expectTitles(page, ["Buy milk", "Call mum"]);
    await page.getByPlaceholder(/Add a task/).fill("Buy: ");
    await paste(page, "one\ntwo");
    await page.getByRole("button", { name: "Paste as one" }).click();
    expect(await page.getByPlaceholder(/Add a task/).inputValue()).toBe("Buy: one two");
  });

  it("P3 a line that is sent at once still has its date", async () => {
    const { page } = await openPerson(system);
    await page.route("**/find-date*", async (route) => {
      await new Promise((resolve) => setTimeout(resolve, 1500));
      await route.continue();
    });
    await page.reload();
    await addTask(page, "Pay rent tomorrow");
    await expectTitles(page, ["Pay rent"]);
  });
});

describe("P4 keys and focus", () => {
  it("P4 keys of a task do nothing while the focus is elsewhere", async () => {
    const { page } = await openPerson(system);
    for (const title of ["Two", "One"]) await addTask(page, title);
    await expectTitles(page, ["One", "Two"]);
    await page.keyboard.press("Escape");
    await page.keyboard.press("j");
    // The task has the focus once it is drawn.
    await page.locator(".line .title:focus").waitFor();
    await page.getByRole("link", { name: "Trash" }).focus();
    for (const key of ["Backspace", "Delete", "x", "e"]) await page.keyboard.press(key);
    expect((await titles(page)).toSorted()).toEqual(["One", "Two"]);
    expect(await page.locator(".editor").count()).toBe(0);
    await page.goto(`${system.server.url}/account`);
    await page.getByRole("heading", { name: "Delete", exact: false }).first().waitFor();
    await page.setViewportSize({ width: 1280, height: 400 });
    await page.keyboard.press("ArrowDown");
    await expect.poll(() => page.evaluate(() => scrollY)).toBeGreaterThan(0);
  });

  it("P4 the focus stays in the page when what had it is gone", async () => {
    const { page } = await openPerson(system);
    const focused = () => page.evaluate(() => document.activeElement?.tagName);
    await addTask(page, "Only");
    await page.keyboard.press("Escape");
    await page.getByRole("button", { name: "Complete: Only" }).focus();
    await page.keyboard.press("Space");
    await expectTitles(page, []);
    await expect.poll(focused).not.toBe("BODY");
    await page.getByRole("button", { name: "Undo" }).last().focus();
    await page.keyboard.press("Enter");
    await expectTitles(page, ["Only"]);
    await expect.poll(focused).not.toBe("BODY");
    await page.getByRole("link", { name: "Trash" }).focus();
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "Trash" }).waitFor();
    await expect.poll(focused).not.toBe("BODY");
  });

  it("P3 odd addresses show the tasks", async () => {
    const { page, faults } = await openPerson(system);
    await addTask(page, "One");
    for (const query of ["view=all&sort=__proto__", "view=constructor&sort=zzz", "view=__proto__", "q=%00&tag=%22"]) {
      await page.goto(`${system.server.url}/?${query}`);
      await page.getByPlaceholder(/Add a task/).waitFor();
      await page.locator("h1", { hasText: /\S/ }).waitFor();
    }
    expect(faults).toEqual([]);
  });
});
