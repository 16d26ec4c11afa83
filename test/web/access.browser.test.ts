/** Whether everybody can use the pages: by keyboard alone, with a screen reader, at any width, in light and dark. */
import { AxeBuilder } from "@axe-core/playwright";
import type { Page } from "playwright-core";
import { describe, expect, it } from "vitest";
import { shoot, useSystem } from "../support/node/browser.ts";
import {
  addTask,
  expectSent,
  expectTitles,
  openDevice,
  openEditor,
  openPerson,
  openTasks,
  PASSWORD,
} from "./people.ts";

const system = useSystem();

const url = (path: string) => system.server.url + path;

async function violations(page: Page): Promise<string[]> {
  const { violations: found } = await new AxeBuilder({ page }).analyze();
  return found.flatMap(({ id, nodes }) =>
    nodes.map(({ target, failureSummary }) => `${id} ${target} ${failureSummary}`),
  );
}

const SAMPLE = [
  "Pay rent tomorrow 9am !high #home",
  "Buy oat milk today #errands",
  "Write the report !medium #work",
  "مراجعة العقد",
  "Read the chapter on locks yesterday #study",
];

describe.each(["light", "dark"] as const)("P4 in %s", (colorScheme) => {
  it("P4 no page violates a rule of axe", async () => {
    const { page, faults } = await openPerson(system, { colorScheme, reducedMotion: "reduce" });
    for (const line of SAMPLE) {
      await page.getByPlaceholder(/Add a task/).fill(line);
      await page.waitForTimeout(200);
      await page.keyboard.press("Enter");
    }
    await expectSent(page);
    const found: string[] = [];
    const check = async (what: string) => found.push(...(await violations(page)).map((text) => `${what}: ${text}`));
    await check("all tasks");
    await openEditor(page, "Buy oat milk");
    await check("editor");
    await page.keyboard.press("Escape");
    for (const [key, name] of [
      ["?", "shortcuts"],
      ["Control+k", "commands"],
    ] as const) {
      await page.keyboard.press(key);
      await page.locator("dialog").waitFor();
      await check(name);
      await page.keyboard.press("Escape");
      await page.locator("dialog").waitFor({ state: "detached" });
    }
    await page.getByRole("button", { name: "Import" }).click();
    await check("import");
    await page.keyboard.press("Escape");
    for (const path of ["/", "/?view=upcoming", "/?view=completed", "/trash", "/account"]) {
      await page.goto(url(path));
      await page.locator("h1").waitFor();
      await page.waitForTimeout(300);
      await check(path);
    }
    const guest = await openDevice(system, { colorScheme, reducedMotion: "reduce" });
    for (const path of ["/sign-in", "/sign-up", "/forgotten-password", "/reset-password#x", "/verify-email#x"]) {
      await guest.page.goto(url(path));
      await guest.page.locator("h1").waitFor();
      found.push(...(await violations(guest.page)).map((text) => `${path}: ${text}`));
    }
    expect([found, faults, guest.faults]).toEqual([[], [], []]);
  });
});

describe("P4 at any width", () => {
  it.each([
    [320, "light"],
    [360, "dark"],
    [1280, "light"],
    [1920, "dark"],
  ] as const)("P4 every page fits %i pixels, in %s", async (width, colorScheme) => {
    const { page } = await openPerson(system, { colorScheme, viewport: { width, height: 800 } });
    for (const line of SAMPLE) {
      await page.getByPlaceholder(/Add a task/).fill(line);
      await page.waitForTimeout(150);
      await page.keyboard.press("Enter");
    }
    await addTask(page, `${"unbroken".repeat(30)} #${"t".repeat(40)}`);
    const name = (what: string) => `${what}-${width}-${colorScheme}`;
    const fits = async (what: string, seen: Page = page) => {
      await seen.waitForTimeout(250);
      await shoot(seen, name(what));
      const [scroll, targets] = await seen.evaluate(() => [
        document.documentElement.scrollWidth,
        [...document.querySelectorAll<HTMLElement>("button, a, input:not(.check input), select")]
          .filter((element) => element.offsetParent !== null && !element.closest(".skip, p"))
          .filter((element) => element.offsetHeight < 24 || element.offsetWidth < 20)
          .map((element) => element.outerHTML.slice(0, 80)),
      ]);
      expect([what, scroll <= width, targets]).toEqual([what, true, []]);
    };
    await fits("all");
    await openEditor(page, "Pay rent");
    await fits("editor");
    for (const path of ["/", "/trash", "/account"]) {
      await page.goto(url(path));
      await page.locator("h1").waitFor();
      await fits(path.slice(1) || "today");
    }
    const guest = await openDevice(system, { colorScheme, viewport: { width, height: 800 } });
    for (const path of ["/sign-in", "/sign-up", "/forgotten-password", "/reset-password#x"]) {
      await guest.page.goto(url(path));
      await guest.page.locator("h1").waitFor();
      await fits(path.slice(1).replace("#x", ""), guest.page);
    }
  });
});

describe("P4 by keyboard alone", () => {
  it("P4 from sign-up to sign-out", async () => {
    const { page, faults } = await openDevice(system);
    const { keyboard } = page;
    await page.goto(url("/sign-up"));
    await page.getByRole("heading", { name: "Create an account" }).waitFor();
    // The name has the focus.
    await keyboard.type("Ada");
    await keyboard.press("Tab");
    await keyboard.type(`${crypto.randomUUID()}@example.com`);
    await keyboard.press("Tab");
    await keyboard.type(PASSWORD);
    await keyboard.press("Enter");
    await page.getByPlaceholder(/Add a task/).waitFor();
    await keyboard.press("g");
    await keyboard.press("a");
    await page.getByRole("heading", { name: "All tasks" }).waitFor();
    await keyboard.press("n");
    for (const title of ["Third", "Second", "First"]) {
      await keyboard.type(title);
      await keyboard.press("Enter");
    }
    await expectTitles(page, ["First", "Second", "Third"]);
    await keyboard.press("Escape");
    await keyboard.press("j");
    await keyboard.press("j");
    await expect.poll(() => focusedText(page)).toContain("Second");
    await keyboard.press("x");
    await expectTitles(page, ["First", "Third"]);
    await keyboard.press("u");
    await expectTitles(page, ["First", "Second", "Third"]);
    await keyboard.press("k");
    await keyboard.press("k");
    await keyboard.press("e");
    await page.locator(".editor").waitFor();
    await keyboard.press("End");
    await keyboard.type(", edited");
    await keyboard.press("Control+Enter");
    await expectTitles(page, ["First, edited", "Second", "Third"]);
    await page.waitForFunction(() => document.activeElement?.closest(".row")?.textContent?.includes("First, edited"));
    await keyboard.press("Delete");
    await expectTitles(page, ["Second", "Third"]);
    await keyboard.press("/");
    await keyboard.type("thi");
    await expectTitles(page, ["Third"]);
    await keyboard.press("Escape");
    await keyboard.press("g");
    await keyboard.press("x");
    await expectTitles(page, ["Second", "Third"]);
    await keyboard.press("?");
    await page.getByRole("heading", { name: "Keyboard shortcuts" }).waitFor();
    await keyboard.press("Escape");
    await expectSent(page);
    await keyboard.press("Control+k");
    await keyboard.type("sign out");
    await keyboard.press("Enter");
    await page.waitForURL("**/sign-in");
    expect(faults).toEqual([]);
  });

  it("P4 what is typed at once after a key goes where the key leads", async () => {
    const { page } = await openPerson(system);
    await addTask(page, "Only");
    await page.keyboard.press("Escape");
    // The keys of a quick hand, within one task of the browser.
    const type = (keys: [key: string, ctrlKey?: boolean][]) =>
      page.evaluate(async (all) => {
        for (const [key, ctrlKey = false] of all) {
          const target = document.activeElement ?? document.body;
          target.dispatchEvent(new KeyboardEvent("keydown", { key, ctrlKey, bubbles: true, cancelable: true }));
          if (key.length === 1 && !ctrlKey && target instanceof HTMLInputElement) {
            target.value += key;
            target.dispatchEvent(new InputEvent("input", { bubbles: true }));
          }
          await Promise.resolve();
          await Promise.resolve();
        }
      }, keys);
    await type([["k", true], ["x"], ["e"]]);
    expect(await page.getByRole("combobox", { name: "Find a command" }).inputValue()).toBe("xe");
    await expectTitles(page, ["Only"]);
    await page.keyboard.press("Escape");
    await page.locator("dialog").waitFor({ state: "detached" });
    await type([["?"]]);
    await page.getByRole("heading", { name: "Keyboard shortcuts" }).waitFor();
    // Also before the browser has told that a dialog was closed, be it another or the same.
    for (const _ of ["Keyboard shortcuts", "Commands"]) {
      await page.evaluate(() => {
        document.querySelector("dialog")?.close();
        document.body.dispatchEvent(new KeyboardEvent("keydown", { key: "k", ctrlKey: true, bubbles: true }));
      });
      await new Promise((resolve) => setTimeout(resolve, 300));
      expect(await page.getByRole("combobox", { name: "Find a command" }).count()).toBe(1);
    }
  });

  it("P4 the focus is never lost", async () => {
    const { page } = await openPerson(system);
    for (const title of ["Third", "Second", "First"]) await addTask(page, title);
    await expectTitles(page, ["First", "Second", "Third"]);
    const hasFocus = () => page.evaluate(() => document.activeElement !== document.body);
    await page.keyboard.press("Escape");
    await page.keyboard.press("j");
    await page.keyboard.press("e");
    await page.locator(".editor").waitFor();
    expect(await hasFocus()).toBe(true);
    await page.keyboard.press("Escape");
    await page.locator(".editor").waitFor({ state: "detached" });
    await expect.poll(() => focusedText(page)).toContain("First");
    await page.keyboard.press("x");
    await expectTitles(page, ["Second", "Third"]);
    await expect.poll(() => focusedText(page)).toContain("Second");
    await page.keyboard.press("?");
    await page.locator("dialog").waitFor();
    await page.keyboard.press("Escape");
    await expect.poll(() => focusedText(page)).toContain("Second");
  });
});

function focusedText(page: Page): Promise<string> {
  return page.evaluate(() => document.activeElement?.textContent ?? "");
}

describe("P6 many tasks", () => {
  it("P6 10,000 tasks are there at once after the first time, and only what is in view is in the page", async () => {
    const { page, context } = await openPerson(system);
    const tasks = Array.from({ length: 10_000 }, (_, n) => ({
      title: `Task ${n}`,
      priority: n % 7 === 0 ? "high" : "none",
    }));
    const token = await context.request.get(url("/api/auth/token"));
    const { token: access } = (await token.json()) as { token: string };
    const answer = await context.request.post(url("/api/v1/users/me/tasks/import"), {
      headers: { authorization: `Bearer ${access}`, "content-type": "application/json" },
      data: JSON.stringify({ tasks }),
      timeout: 120_000,
    });
    expect(answer.status()).toBe(200);
    await page.evaluate(() => dispatchEvent(new Event("online")));
    await page.getByRole("link", { name: /All tasks 10000/ }).waitFor({ timeout: 120_000 });
    await openTasks(system, page);
    await page
      .getByText(/Task \d+/)
      .first()
      .waitFor();
    expect(await page.locator(".row").count()).toBeLessThan(100);
    await page.getByPlaceholder("Search").fill("Task 9999");
    await expectTitles(page, ["Task 9999"]);
  });
});
