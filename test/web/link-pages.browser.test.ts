import type { BrowserContextOptions, Page } from "playwright-core";
import { describe, expect, it } from "vitest";
import { linkMailedTo, newAddress, openContext, shoot, useSystem } from "../support/node/browser.ts";

const PASSWORD = "correct horse battery";
const NEW_PASSWORD = "a new and better one";

const system = useSystem();
const { server } = system;

function post(path: string, json: object): Promise<Response> {
  const headers = { "content-type": "application/json", "cf-connecting-ip": newAddress() };
  return fetch(`${server.url}/api/auth${path}`, { method: "POST", headers, body: JSON.stringify(json) });
}

async function someone(): Promise<string> {
  const email = `person-${crypto.randomUUID()}@example.com`;
  const answer = await post("/sign-up/email", { name: "Somebody", email, password: PASSWORD });
  expect(answer.status).toBe(200);
  return email;
}

/** A page on which nothing may go wrong unseen: no error, no request elsewhere, no policy violated. */
async function open(
  url: string,
  options: BrowserContextOptions = {},
): Promise<{ page: Page; faults: string[]; requests: string[] }> {
  const page = await (await openContext(system.browser, options)).newPage();
  const [faults, requests]: [string[], string[]] = [[], []];
  page.on("pageerror", (error) => faults.push(error.message));
  page.on("console", (message) => message.type() === "error" && faults.push(message.text()));
  page.on("request", (request) => requests.push(request.url()));
  await page.goto(url);
  return { page, faults, requests };
}

describe("the pages that mails lead to", () => {
  it("L8 confirming an address takes one click, and works once", async () => {
    const email = await someone();
    const link = await linkMailedTo(server, email, "Confirm");
    const { page, faults, requests } = await open(link);
    expect(new URL(page.url()).hash).toBe("");
    await shoot(page, "verify");
    await page.getByRole("button", { name: "Confirm address" }).click();
    await page.getByText("Confirmed.").waitFor();
    expect(faults).toEqual([]);
    expect(requests.every((url) => url.startsWith(server.url))).toBe(true);
    const again = await open(link);
    await again.page.getByRole("button").click();
    await again.page.getByText("This link was used").waitFor();
  });

  it("L8 a scanner that opens the link does not use it up", async () => {
    const link = await linkMailedTo(server, await someone(), "Confirm");
    for (const method of ["GET", "HEAD"]) expect((await fetch(link, { method })).status).toBe(200);
    const { page } = await open(link);
    await page.getByRole("button").click();
    await page.getByText("Confirmed.").waitFor();
  });

  it("L8 choosing a new password names what is wrong, keeps the input, and signs out on all devices", async () => {
    const email = await someone();
    await post("/request-password-reset", { email });
    const { page, faults } = await open(await linkMailedTo(server, email, "Reset"));
    const field = page.getByLabel("New password");
    expect(await field.evaluate((input) => input === document.activeElement)).toBe(true);
    await field.fill("password1");
    await page.keyboard.press("Enter");
    await page.getByText("too easy to guess").waitFor();
    expect(await field.inputValue()).toBe("password1");
    await shoot(page, "reset-refused");
    await field.fill(NEW_PASSWORD);
    await page.getByRole("button", { name: "Set password" }).click();
    await page.getByText("signed out on all devices").waitFor();
    expect((await post("/sign-in/email", { email, password: NEW_PASSWORD })).status).toBe(200);
    expect((await post("/sign-in/email", { email, password: PASSWORD })).status).toBe(401);
    // The browser itself reports the refused try as a failed request.
    expect(faults.filter((fault) => !fault.includes("400"))).toEqual([]);
  });

  it("L8 a link without a token is reported", async () => {
    const { page } = await open(`${server.url}/reset-password`);
    await page.getByText("This link is incomplete").waitFor();
    expect(await page.getByRole("button").count()).toBe(0);
  });

  it("L8 a lost network is reported, and the next attempt works", async () => {
    const { page } = await open(await linkMailedTo(server, await someone(), "Confirm"));
    await page.getByRole("button").waitFor();
    await page.context().setOffline(true);
    await page.getByRole("button").click();
    await page.getByText("offline").waitFor();
    await page.context().setOffline(false);
    await page.getByRole("button").click();
    await page.getByText("Confirmed.").waitFor();
  });

  it.each([
    [320, "light"],
    [320, "dark"],
    [1920, "light"],
    [1920, "dark"],
  ] as const)("P4 they fit %i pixels in %s, and are readable", async (width, colorScheme) => {
    const { page } = await open(`${server.url}/reset-password#token`, {
      viewport: { width, height: 640 },
      colorScheme,
    });
    await shoot(page, `reset-${width}-${colorScheme}`);
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(width);
    const contrast = await page.evaluate(() => {
      const luminance = (color: string) => {
        const [r = 0, g = 0, b = 0] = (color.match(/[\d.]+/g) ?? []).map((channel) => {
          const value = Number(channel) / 255;
          return value <= 0.03928 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
        });
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
      };
      const ratio = (one: string, other: string) => {
        const [light = 0, dark = 0] = [luminance(one), luminance(other)].sort((a, b) => b - a);
        return (light + 0.05) / (dark + 0.05);
      };
      const body = getComputedStyle(document.body);
      const button = getComputedStyle(document.querySelector("button") ?? document.body);
      return Math.min(ratio(body.color, body.backgroundColor), ratio(button.color, button.backgroundColor));
    });
    expect(contrast).toBeGreaterThanOrEqual(4.5);
  });

  it("L8 run and load nothing foreign", async () => {
    for (const path of ["/verify-email", "/reset-password"]) {
      const { headers } = await fetch(`${server.url}${path}`);
      const policy = headers.get("content-security-policy")?.split("; ") ?? [];
      expect(policy).toContain("default-src 'none'");
      expect(policy).toContain("script-src 'self'");
      expect(policy).toContain("frame-ancestors 'none'");
      expect(policy).toContain("require-trusted-types-for 'script'");
      expect(policy.join()).not.toContain("unsafe");
      expect(headers.get("referrer-policy")).toBe("no-referrer");
    }
    const { faults, requests } = await open(`${server.url}/reset-password#token`);
    expect(requests.length).toBeGreaterThan(2);
    expect(requests.filter((url) => !url.startsWith(server.url) || url.includes("token"))).toEqual([]);
    expect(faults).toEqual([]);
  });
});
