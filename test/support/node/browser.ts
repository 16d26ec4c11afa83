/** Chromium, and the mails that a local server wrote. */
import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { type Browser, chromium } from "playwright-core";
import type { Server } from "./server.ts";

export function openBrowser(): Promise<Browser> {
  const executablePath = process.env["CHROMIUM_PATH"] ?? "/usr/bin/chromium";
  return chromium.launch({
    executablePath,
    args: ["--no-sandbox", "--disable-quic", "--disable-background-networking"],
  });
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
