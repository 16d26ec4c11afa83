/** Chromium beside the server of test/support/node/served-app.ts, and the mails that the server wrote. */
import { mkdirSync, readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { type Browser, type BrowserContext, type BrowserContextOptions, chromium, type Page } from "playwright-core";
import { afterAll, beforeAll, inject } from "vitest";

/** A server that runs: its address, and the file with what it prints. */
export type Served = { url: string; log: string };

declare module "vitest" {
  interface ProvidedContext {
    /** What test/support/node/served-app.ts serves: a copy of the project. */
    servedApp: Served & { folder: string };
  }
}

export type System = {
  server: Served;
  readonly browser: Browser;
  /** The copy of the project that is served. */
  folder: string;
};

/** A browser for the tests of a file, beside the server that all files share. */
export function useSystem(): System {
  const { folder, ...server } = inject("servedApp");
  let browser: Browser;
  beforeAll(async () => {
    browser = await chromium.launch(LAUNCH);
  });
  afterAll(() => browser.close());
  return {
    server,
    folder,
    get browser() {
      return browser;
    },
  };
}

/** Somebody's browser. Limits by address count it alone. */
export function openContext(browser: Browser, options: BrowserContextOptions = {}): Promise<BrowserContext> {
  return browser.newContext({ extraHTTPHeaders: { "cf-connecting-ip": newAddress() }, ...options });
}

/** An IP address that nobody else has, of a whole run. */
export function newAddress(): string {
  const [a = 0, b = 0, c = 0] = crypto.getRandomValues(new Uint8Array(3));
  return `10.${a}.${b}.${c}`;
}

/** Keeps a picture of a page, where SCREENSHOTS names a folder for them. */
export async function shoot(page: Page, name: string): Promise<void> {
  const folder = process.env["SCREENSHOTS"];
  if (!folder) return;
  mkdirSync(folder, { recursive: true });
  await page.screenshot({ path: `${folder}/${name}.png` });
}

const LAUNCH = {
  executablePath: process.env["CHROMIUM_PATH"] ?? "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-quic", "--disable-background-networking"],
};

/** A browser that keeps what it knows in a folder, as a person's does from one start to the next. */
export function openPersistentBrowser(folder: string): Promise<BrowserContext> {
  return chromium.launchPersistentContext(folder, LAUNCH);
}

/** The link in the newest mail to an address; `wrangler dev` prints where it puts each. */
export async function linkMailedTo(server: Served, address: string, subject: string): Promise<string> {
  for (let wait = 0; wait < 100; wait += 1) {
    const mail = readFileSync(server.log, "utf8")
      .split("send_email binding called")
      .findLast((part) => part.includes(address) && part.includes(subject));
    const file = /Text: (\S+)/.exec(mail ?? "")?.[1];
    const link = file && /https?:\/\/\S+/.exec(readFileSync(file, "utf8"))?.[0];
    if (link) return link;
    await sleep(100);
  }
  throw new Error(`no mail to ${address}: ${readFileSync(server.log, "utf8").slice(-2000)}`);
}
