import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { FREE_ATTEMPTS } from "../../src/auth/throttling/throttle.ts";
import { hastyApp, limitOf } from "../support/apps.ts";
import {
  anonymous,
  clientWith,
  type Fetch,
  header,
  nextAddress,
  nextEmail,
  ORIGIN,
  PASSWORD,
  type Person,
  someone,
} from "../support/client.ts";
import { countingD1 } from "../support/intercepted-d1.ts";
import { createOutbox, linkIn } from "../support/outbox.ts";

const counter = countingD1(env.DB);
const { fetch } = await hastyApp({ d1: counter.d1 });

type From = { address?: string; headers?: Record<string, string> };

let networks = 0;

/** An address in a network of its own. */
function nextNetwork(): string {
  networks += 1;
  return `172.${16 + (networks >> 8)}.${networks & 255}.7`;
}

/** One try at an account, from a network of its own unless told otherwise. */
function attempt(email: string, password: string, { address = nextNetwork(), headers = {} }: From = {}) {
  return anonymous(fetch).call("/api/auth/sign-in/email", {
    json: { email, password },
    headers: { "cf-connecting-ip": address, ...headers },
  });
}

async function statuses(count: number, attempts: (n: number) => Promise<Response>): Promise<number[]> {
  const seen = [];
  for (let n = 0; n < count; n += 1) seen.push((await attempts(n)).status);
  return seen;
}

/** Lets time pass for whoever has to wait. */
const wait = (seconds: number) =>
  env.DB.batch([
    env.DB.prepare("update throttle set blocked_until = blocked_until - ?").bind(seconds * 1000),
    env.DB.prepare("update known_source set blocked_until = blocked_until - ?1, used_at = used_at - ?1").bind(
      seconds * 1000,
    ),
  ]);

// Time passes only by wait(): a slow machine must not end the first wait of one second.
beforeEach(() => vi.useFakeTimers({ toFake: ["Date"] }));
afterEach(() => vi.useRealTimers());

const wrong = "not the password";

/** What a browser adds to a request of our page. */
const BROWSER = { origin: ORIGIN, "sec-fetch-site": "same-origin" };

/** The device cookie that an answer hands out. */
function deviceIn(answer: Response): string {
  const cookie = answer.headers.getSetCookie().find((each) => each.includes("edge-tasks.device")) ?? "";
  return cookie.split(";")[0] ?? "";
}

describe("L7 attempts at one account", () => {
  it("L7 from one network: a few are free, then each waits twice as long, up to 15 minutes", async () => {
    const { email } = await someone(fetch);
    const address = nextNetwork();
    expect(await statuses(FREE_ATTEMPTS, () => attempt(email, wrong, { address }))).toEqual(
      Array(FREE_ATTEMPTS).fill(401),
    );
    const waits: number[] = [];
    for (let n = 0; n < 12; n += 1) {
      const refused = await attempt(email, wrong, { address });
      expect(refused.status).toBe(429);
      const seconds = Number(header(refused, "retry-after"));
      waits.push(seconds);
      expect(await refused.json()).toEqual({ code: "TOO_MANY_REQUESTS", message: expect.any(String) });
      await wait(seconds);
      expect((await attempt(email, wrong, { address })).status).toBe(401);
    }
    expect(waits).toEqual([1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900]);
  });

  it("L7 are refused before the password is checked, also the right one", async () => {
    const { email } = await someone(fetch);
    const address = nextNetwork();
    await statuses(FREE_ATTEMPTS, () => attempt(email, wrong, { address }));
    expect((await attempt(email, PASSWORD, { address })).status).toBe(429);
    await wait(1);
    expect((await attempt(email, PASSWORD, { address })).status).toBe(200);
  });

  it("L7 from one network count together: 24 bits of IPv4, 48 of IPv6", async () => {
    for (const neighbour of [(n: number) => `192.0.2.${n}`, (n: number) => `2001:db8:7:${n}::1`]) {
      const { email } = await someone(fetch);
      const seen = await statuses(7, (n) => attempt(email, wrong, { address: neighbour(n + 1) }));
      expect(seen).toEqual([401, 401, 401, 401, 401, 429, 429]);
    }
  });

  it("L7 from all networks have an hourly budget, on which a network's first two attempts do not depend", async () => {
    const { email } = await someone(fetch);
    const seen = await statuses(60, () => attempt(email, wrong));
    expect(new Set(seen)).toEqual(new Set([401]));
    await env.DB.prepare("update throttle set tries = 100 where scope = '*'").run();
    const address = nextNetwork();
    expect(await statuses(3, () => attempt(email, wrong, { address }))).toEqual([401, 401, 429]);
    const refused = await attempt(email, wrong, { address });
    expect(Number(header(refused, "retry-after"))).toBeLessThanOrEqual(3600);
    expect((await attempt(email, PASSWORD)).status, "the right one, from elsewhere").toBe(200);
  });

  it("L7 from elsewhere do not slow a source that signed in before", async () => {
    const home = nextNetwork();
    const { email } = await someone(fetch);
    expect((await attempt(email, PASSWORD, { address: home })).status).toBe(200);
    const neighbour = home.replace(/7$/, "8");
    expect(await statuses(12, () => attempt(email, wrong, { address: neighbour }))).toContain(429);
    expect((await attempt(email, PASSWORD, { address: home })).status).toBe(200);
    expect((await attempt(email, PASSWORD, { address: neighbour })).status).toBe(429);
  });

  it("L7 from the owner's address do not slow a device that signed in before", async () => {
    const home = nextNetwork();
    const { email } = await someone(fetch);
    const cookie = deviceIn(await attempt(email, PASSWORD, { address: home, headers: BROWSER }));
    expect(cookie).toMatch(/^__Host-edge-tasks\.device=[\w-]{43}\.[\w-]{43}$/);
    expect(await statuses(8, () => attempt(email, wrong, { address: home }))).toContain(429);
    expect((await attempt(email, PASSWORD, { address: home })).status).toBe(429);
    expect((await attempt(email, PASSWORD, { address: home, headers: { cookie } })).status).toBe(200);
    const forged = `__Host-edge-tasks.device=${"A".repeat(43)}.${"A".repeat(43)}`;
    const others = await someone(fetch);
    const otherDevice = deviceIn(await attempt(others.email, PASSWORD, { headers: BROWSER }));
    for (const other of [forged, otherDevice, "__Host-edge-tasks.device=x", cookie.replace("__Host-", "")]) {
      await statuses(6, () => attempt(email, wrong, { address: home, headers: { cookie: other } }));
      expect((await attempt(email, PASSWORD, { address: home, headers: { cookie: other } })).status).toBe(429);
    }
  });

  it("L7 a browser gets one device and a program none, so repeated sign-ins push out no known source", async () => {
    const { id, email } = await someone(fetch);
    const cookie = deviceIn(await attempt(email, PASSWORD, { headers: BROWSER }));
    const again = await attempt(email, PASSWORD, { headers: { ...BROWSER, cookie } });
    expect([again.status, deviceIn(again)]).toEqual([200, ""]);
    const address = nextNetwork();
    for (let n = 0; n < 5; n += 1) expect(deviceIn(await attempt(email, PASSWORD, { address }))).toBe("");
    const known = env.DB.prepare("select count(*) as n from known_source where user_id = ?").bind(id);
    // The address of the sign-up, three of signing in, and the device.
    expect(await known.first()).toEqual({ n: 5 });
  });

  it("L7 a browser with two accounts has one device for both", async () => {
    const [one, two] = [await someone(fetch), await someone(fetch)];
    const cookie = deviceIn(await attempt(one.email, PASSWORD, { headers: BROWSER }));
    expect(deviceIn(await attempt(two.email, PASSWORD, { headers: { ...BROWSER, cookie } }))).toBe("");
    for (const { email } of [one, two]) {
      const cafe = nextNetwork();
      expect(await statuses(8, () => attempt(email, wrong, { address: cafe }))).toContain(429);
      expect((await attempt(email, PASSWORD, { address: cafe })).status).toBe(429);
      expect((await attempt(email, PASSWORD, { address: cafe, headers: { cookie } })).status).toBe(200);
    }
  });

  it("L7 from neighbours at one address do not use up the platform's limit of a known device", async () => {
    const { fetch: limited } = await hastyApp({ bindings: { ACCOUNT_TRIES_RATE_LIMIT: limitOf(10) } });
    const at = (email: string, password: string, headers = {}) =>
      clientWith({ "cf-connecting-ip": "192.0.2.55", ...headers }, limited).call("/api/auth/sign-in/email", {
        json: { email, password },
      });
    const { email } = await someone(limited);
    const cookie = deviceIn(await at(email, PASSWORD, BROWSER));
    const [value = ""] = cookie.split("=").slice(1);
    await statuses(12, () => at(nextEmail(), wrong));
    expect((await at(email, PASSWORD)).status).toBe(429);
    for (const invented of [value.slice(0, -1), value.split(".")[0], `${"A".repeat(43)}.${value.split(".")[1]}`]) {
      expect((await at(email, PASSWORD, { cookie: `__Host-edge-tasks.device=${invented}` })).status).toBe(429);
    }
    expect((await at(email, PASSWORD, { cookie })).status).toBe(200);
  });

  it("L7 from many IPv6 networks of one provider: only the first ones have first attempts", async () => {
    const { email } = await someone(fetch);
    await attempt(email, wrong);
    await env.DB.prepare("update throttle set tries = 100 where scope = '*'").run();
    const from = (n: number) => attempt(email, wrong, { address: `2001:db8:${n.toString(16)}::1` });
    expect(await statuses(10, (n) => from(n + 1))).toEqual(Array(10).fill(401));
    expect(await statuses(10, (n) => from(n + 11))).toEqual(Array(10).fill(429));
    expect((await from(1)).status, "the second chance of one of the first").toBe(401);
    expect((await attempt(email, wrong, { address: "2001:db9::1" })).status, "another provider").toBe(401);
  });

  it("L7 from a known device are counted too", async () => {
    const { email } = await someone(fetch);
    const cookie = deviceIn(await attempt(email, PASSWORD, { headers: BROWSER }));
    const seen = await statuses(8, () => attempt(email, wrong, { headers: { cookie } }));
    expect(seen).toEqual([401, 401, 401, 401, 401, 429, 429, 429]);
  });

  it("L7 are reset by a success, and after a day", async () => {
    const { email } = await someone(fetch);
    const address = nextNetwork();
    await attempt(email, PASSWORD, { address });
    await statuses(FREE_ATTEMPTS - 1, () => attempt(email, wrong, { address }));
    expect((await attempt(email, PASSWORD, { address })).status).toBe(200);
    expect(await statuses(FREE_ATTEMPTS, () => attempt(email, wrong, { address }))).toEqual(
      Array(FREE_ATTEMPTS).fill(401),
    );
    await wait(24 * 3600);
    expect(await statuses(FREE_ATTEMPTS, () => attempt(email, wrong, { address }))).toEqual(
      Array(FREE_ATTEMPTS).fill(401),
    );
  });

  it("L7 count an address in any letter case, and unknown addresses alike", async () => {
    const { email } = await someone(fetch);
    const spellings = [email, email.toUpperCase(), email.replace("example", "EXAMPLE")];
    const address = nextNetwork();
    const known = await statuses(8, (n) => attempt(spellings[n % 3] ?? "", wrong, { address }));
    const [stranger, elsewhere] = [nextEmail(), nextNetwork()];
    expect(await statuses(8, () => attempt(stranger, wrong, { address: elsewhere }))).toEqual(known);
    expect(known).toEqual([401, 401, 401, 401, 401, 429, 429, 429]);
  });

  it("L7 at the own password, to change it or delete the account, are counted by session", async () => {
    for (const path of ["/change-password", "/delete-user"]) {
      const person = await someone(fetch);
      const headers = { authorization: `Bearer ${person.sessionToken}` };
      const guess = { currentPassword: wrong, newPassword: "a new and better one" };
      const json = path === "/delete-user" ? { password: wrong } : guess;
      const seen = await statuses(8, () =>
        anonymous(fetch).call(`/api/auth${path}`, { json, headers: { ...headers, "cf-connecting-ip": nextAddress() } }),
      );
      expect(seen).toEqual([400, 400, 400, 400, 400, 429, 429, 429]);
      // Guessing with a stolen session does not keep the owner from signing in.
      expect((await attempt(person.email, PASSWORD)).status).toBe(200);
    }
  });

  it("L7 30 in parallel: only the free ones pass", async () => {
    const { email } = await someone(fetch);
    const address = nextNetwork();
    const seen = await Promise.all(Array.from({ length: 30 }, () => attempt(email, wrong, { address })));
    expect(seen.filter(({ status }) => status === 401)).toHaveLength(FREE_ATTEMPTS);
  });

  it("L7 without a client address do not share one count", async () => {
    const { email } = await someone(fetch);
    const nowhere = (address: string, password: string) =>
      clientWith({ "cf-connecting-ip": "" }, fetch).call("/api/auth/sign-in/email", {
        json: { email: address, password },
      });
    await statuses(15, () => nowhere(nextEmail(), wrong));
    expect((await nowhere(email, PASSWORD)).status).toBe(200);
  });

  it("L7 are stored under a keyed hash, without the address", async () => {
    const { email } = await someone(fetch);
    await attempt(email, wrong);
    const { results } = await env.DB.prepare("select * from throttle").all();
    expect(results.length).toBeGreaterThan(0);
    expect(JSON.stringify(results)).not.toContain(email.split("@")[0]);
  });

  it("L7 that are refused write nothing; expired counts are deleted faster than new ones are added", async () => {
    const { email } = await someone(fetch);
    const address = nextNetwork();
    await statuses(FREE_ATTEMPTS, () => attempt(email, wrong, { address }));
    counter.spent();
    expect(await statuses(3, () => attempt(email, wrong, { address }))).toEqual([429, 429, 429]);
    expect(counter.spent().rowsWritten).toBe(0);

    for (const json of [{ email: "no address", password: wrong }, { email }, { email, password: 1 }]) {
      expect((await anonymous(fetch).call("/api/auth/sign-in/email", { json })).status).toBe(400);
    }
    expect(counter.spent().rowsWritten).toBe(0);

    await env.DB.prepare("update throttle set ends_at = ends_at - 2 * 86400000").run();
    const count = async () =>
      (await env.DB.prepare("select count(*) as n from throttle").first<{ n: number }>())?.n ?? 0;
    const before = await count();
    expect(before).toBeGreaterThan(40);
    for (let n = 0; n < 10; n += 1) await attempt(nextEmail(), wrong);
    expect(await count()).toBeLessThanOrEqual(before - 20);
  });
});

describe("L7 sources that were known before a reset", () => {
  const outbox = createOutbox();
  const vars = { EMAIL_FROM: "tasks@tasks.test", BETTER_AUTH_URL: ORIGIN };
  const newPassword = "a new and better one";

  /** How the owner keeps others out, from a browser; the answer hands out their device. */
  const DEFENCES: [string, (fetch: Fetch, person: Person) => Promise<Response>][] = [
    [
      "with a reset",
      async (fetch, { email }) => {
        await anonymous(fetch).call("/api/auth/request-password-reset", { json: { email } });
        const token = linkIn(await outbox.mailTo(email, "Reset")).hash.slice(1);
        const json = { token, newPassword };
        return anonymous(fetch).call("/api/auth/reset-password", { json, headers: BROWSER });
      },
    ],
    [
      "with another password",
      (fetch, { cookie }) => {
        const json = { currentPassword: PASSWORD, newPassword, revokeOtherSessions: true };
        return anonymous(fetch).call("/api/auth/change-password", { json, headers: { ...BROWSER, cookie } });
      },
    ],
  ];

  it.each(DEFENCES)("L7 %s: all of them share one count, of tries and of mails", async (_, defend) => {
    const { fetch } = await hastyApp({ vars, bindings: { EMAIL: outbox.email } });
    const person = await someone(fetch);
    await env.DB.prepare("update user set email_verified = 1 where id = ?").bind(person.id).run();
    const { email } = person;
    const through = (path: string, json: object, cookie: string, address = "203.0.113.77") =>
      anonymous(fetch).call(path, { json, headers: { ...BROWSER, cookie, "cf-connecting-ip": address } });
    const signIn = (password: string, cookie: string, address?: string) =>
      through("/api/auth/sign-in/email", { email, password }, cookie, address);
    const devices = [];
    for (let n = 0; n < 6; n += 1) devices.push(deviceIn(await signIn(PASSWORD, "")));
    const own = deviceIn(await defend(fetch, person));
    expect(own).not.toBe("");

    const before = outbox.sent.length;
    const tries = [];
    for (const device of devices) {
      for (let n = 0; n < 3; n += 1) {
        tries.push((await signIn(wrong, device)).status);
        await through("/api/auth/request-password-reset", { email }, device);
      }
    }
    // Five as those who were known, and as many as any network that is not.
    expect(tries.filter((status) => status === 401).length).toBeLessThanOrEqual(2 * FREE_ATTEMPTS);
    await scheduler.wait(50);
    expect(outbox.sent.slice(before).filter(({ subject }) => subject.includes("Reset"))).toHaveLength(5);

    const theirs = nextNetwork();
    expect((await signIn(newPassword, own)).status, "the owner, where strangers guess").toBe(200);
    expect((await signIn(newPassword, devices[0] ?? "", theirs)).status, "the owner's former device").toBe(200);
    expect((await signIn(wrong, devices[0] ?? "")).status, "which has a count of its own again").toBe(401);
  });

  it("L7 are deleted first when there are too many", async () => {
    const { id, email } = await someone(fetch);
    for (let n = 0; n < 41; n += 1) await attempt(email, PASSWORD, { headers: BROWSER });
    await env.DB.prepare("update known_source set counted_as = 'former' where user_id = ?").bind(id).run();
    const own = deviceIn(await attempt(email, PASSWORD, { headers: BROWSER }));
    await env.DB.prepare("update known_source set used_at = 1 where user_id = ? and counted_as = source")
      .bind(id)
      .run();
    await attempt(email, PASSWORD);
    const cafe = nextNetwork();
    await statuses(8, () => attempt(email, wrong, { address: cafe }));
    expect((await attempt(email, PASSWORD, { address: cafe, headers: { cookie: own } })).status).toBe(200);
  });
});
