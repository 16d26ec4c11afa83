/**
 * An attacker with 1,000 addresses against one owner, for an hour of simulated time. Every strategy is played against the
 * throttle's own statements in SQLite, and prints how often the attacker could try and how long the owner waited at worst.
 */
import { globSync, readFileSync } from "node:fs";
import { afterAll, afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { deriveKey } from "../../src/access-tokens/keys.ts";
import * as tables from "../../src/auth/tables.ts";
import type { Source } from "../../src/auth/throttling/source.ts";
import { ATTEMPTS_PER_HOUR, createThrottle, FIRST_ATTEMPTS } from "../../src/auth/throttling/throttle.ts";
import { openPrimary } from "../../src/db/client.ts";
import { createSqliteD1 } from "../support/node/sqlite-d1.ts";

const ADDRESSES = 1000;
const HOUR_MS = 3_600_000;
const MINUTE_MS = 60_000;
/** How long a link that sets a password works (src/auth/mail/one-time-links.ts). */
const LINK_MS = 30 * MINUTE_MS;

const { d1, exec } = createSqliteD1();
for (const file of globSync("migrations/*.sql").sort()) exec(readFileSync(file, "utf8"));

const throttle = createThrottle(openPrimary(d1, tables), await deriveKey("x".repeat(32), "account throttle"));
const report: string[] = [];

/** Where the owner may come from. */
const HOME: Source = { address: "198.51.100.7", network: "198.51.100.0/24", device: "device home", isIssued: false };
const KNOWN_ADDRESS: Source = { ...HOME, device: "" };
const KNOWN_DEVICE_ELSEWHERE: Source = {
  address: "203.0.113.9",
  network: "203.0.113.0/24",
  device: "device home",
  isIssued: false,
};

type Attacker = { name: string; sources: Source[]; asksForMails?: boolean; mostTries: number };

const distinct = Array.from({ length: ADDRESSES }, (_, n) => sourceAt(`10.${n >> 8}.${n & 255}.1`));
const fewNetworks = Array.from({ length: 200 }, (_, n) => sourceAt(`10.77.${n % 4}.${n >> 2}`));

const ATTACKERS: Attacker[] = [
  {
    name: "each address in a network of its own, with invented device cookies, and asking for mails",
    sources: distinct.map((source, n) => ({ ...source, device: `device invented ${n}` })),
    asksForMails: true,
    mostTries: ADDRESSES * FIRST_ATTEMPTS + ATTEMPTS_PER_HOUR,
  },
  { name: "200 addresses in four networks: more of them gain nothing", sources: fewNetworks, mostTries: 4 * 20 },
  { name: "one address", sources: distinct.slice(0, 1), mostTries: 20 },
  {
    name: "the owner's neighbours",
    sources: Array.from({ length: 250 }, (_, n) => sourceAt(`198.51.100.${n + 8 > 254 ? 1 : n + 8}`)),
    mostTries: 20,
  },
];

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["Date"] });
});
afterEach(() => {
  vi.useRealTimers();
});
afterAll(() => {
  console.warn(`L7 an attacker with ${ADDRESSES} addresses, one hour:\n${report.join("\n")}`);
});

describe("L7 the owner is not locked out", () => {
  it.each(ATTACKERS)(
    "L7 by $name",
    async ({ name, sources, asksForMails = false, mostTries }) => {
      // The start of an hour: the attacker has the whole budget of it.
      const start = Math.ceil(Date.now() / HOUR_MS) * HOUR_MS + 1;
      vi.setSystemTime(start);
      const owner = await createOwner();
      const waiting = sources.map((source) => ({ source, at: start }));
      let tries = 0;
      let mails = 0;
      let newestLink = 0;
      const worst = { known: 0, address: 0, device: 0, elsewhere: 0, mailbox: 0 };
      let nextProbe = start + 30_000;

      for (let now = start; now < start + HOUR_MS; now += 15_000) {
        vi.setSystemTime(now);
        for (const one of waiting.filter(({ at }) => at <= now)) {
          const attempt = await throttle.countSignIn(owner.email, one.source);
          if (attempt.ok) tries += 1;
          // A refused address waits as long as it was told; the others come back at once.
          one.at = attempt.ok ? now : now + attempt.retryAfterSeconds * 1000;
        }
        if (asksForMails && (await throttle.countMail("reset", owner.email, distinct[now % ADDRESSES] ?? HOME)).ok) {
          mails += 1;
          newestLink = now;
        }
        if (now < nextProbe) continue;
        nextProbe += 5 * MINUTE_MS;
        worst.known = Math.max(worst.known, await waitOf(owner, HOME));
        worst.address = Math.max(worst.address, await waitOf(owner, KNOWN_ADDRESS));
        worst.device = Math.max(worst.device, await waitOf(owner, KNOWN_DEVICE_ELSEWHERE));
        worst.elsewhere = Math.max(
          worst.elsewhere,
          await waitOf(owner, sourceAt(`192.0.2.${(now / MINUTE_MS) & 127}`, now)),
        );
        const link = await askForLink(owner, newestLink, now);
        worst.mailbox = Math.max(worst.mailbox, link.wait);
        newestLink = link.newest;
      }
      report.push(
        `  ${name}: ${tries} tries${asksForMails ? `, ${mails} mails` : ""}; the owner waits ` +
          `${worst.known} s at home, ${worst.address} s at a known address, ${worst.device} s with a known device elsewhere, ` +
          `${worst.elsewhere} s from a new network, ${worst.mailbox} s for a link in the mailbox`,
      );
      expect(tries).toBeLessThanOrEqual(mostTries);
      expect(worst).toEqual({ known: 0, address: 0, device: 0, elsewhere: 0, mailbox: 0 });
    },
    300_000,
  );
});

async function createOwner(): Promise<{ id: string; email: string }> {
  const id = crypto.randomUUID();
  const email = `${id}@example.com`;
  await d1.prepare("insert into user (id, name, email) values (?1, 'Owner', ?2)").bind(id, email).run();
  await throttle.recordSuccess({ id, email }, KNOWN_ADDRESS, HOME.device);
  return { id, email };
}

/** How many seconds the owner, with the right password, has to wait. */
async function waitOf(owner: { id: string; email: string }, source: Source): Promise<number> {
  const attempt = await throttle.countSignIn(owner.email, source);
  if (!attempt.ok) return attempt.retryAfterSeconds;
  // They sign out of a new network again without having become known there, so that the next probe is of a new one.
  if (source === HOME || source === KNOWN_ADDRESS || source === KNOWN_DEVICE_ELSEWHERE) {
    await d1.prepare("update known_source set tries = 0 where user_id = ?").bind(owner.id).run();
  }
  return 0;
}

/** A link is there when one may be sent now, or when the newest that anybody had sent still works for a while. */
async function askForLink(owner: { email: string }, newest: number, now: number) {
  const fromKnown = await throttle.countMail("reset", owner.email, HOME);
  const fromElsewhere = await throttle.countMail("reset", owner.email, sourceAt("192.0.2.200"));
  if (fromKnown.ok || fromElsewhere.ok) return { wait: 0, newest: now };
  if (now < newest + LINK_MS - MINUTE_MS) return { wait: 0, newest };
  return { wait: Math.min(fromKnown.retryAfterSeconds, fromElsewhere.retryAfterSeconds), newest };
}

function sourceAt(address: string, of = 0): Source {
  const network = of === 0 ? address.replace(/\.\d+$/, ".0/24") : `${address} at ${of}`;
  return { address, network, device: "", isIssued: false };
}
