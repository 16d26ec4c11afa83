/** Chromium beside a server of its own, and the mails that the server wrote. */
import { mkdirSync, readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { type Browser, type BrowserContext, chromium, type Page } from "playwright-core";
import { copyProject, removeProject, Server } from "./server.ts";

export type System = { server: Server; browser: Browser; folder: string; close: () => Promise<void> };

/** Starts a server in a copy of the project, and a browser. */
export async function openSystem(): Promise<System> {
  const folder = copyProject();
  const [server, browser] = await Promise.all([Server.start(folder), openBrowser()]);
  async function close(): Promise<void> {
    await browser.close();
    await server.stop();
    removeProject(folder);
  }
  return { server, browser, folder, close };
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

function openBrowser(): Promise<Browser> {
  return chromium.launch(LAUNCH);
}

/** A browser that keeps what it knows in a folder, as a person's does from one start to the next. */
export function openPersistentBrowser(folder: string): Promise<BrowserContext> {
  return chromium.launchPersistentContext(folder, LAUNCH);
}

/** The link in the newest mail to an address; `wrangler dev` prints where it puts each. */
export async function linkMailedTo(server: Server, address: string, subject: string): Promise<string> {
  for (let wait = 0; wait < 100; wait += 1) {
    const mail = server.output
      .split("send_email binding called")
      .findLast((part) => part.includes(address) && part.includes(subject));
    const file = /Text: (\S+)/.exec(mail ?? "")?.[1];
    const link = file && /https?:\/\/\S+/.exec(readFileSync(file, "utf8"))?.[0];
    if (link) return link;
    await sleep(100);
  }
  throw new Error(`no mail to ${address}: ${server.output.slice(-2000)}`);
}
