import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { FREE_TRIES } from "../../src/auth/throttling/account.ts";
import { hastyApp } from "../support/apps.ts";
import { anonymous, header, nextAddress, nextEmail, PASSWORD, someone } from "../support/client.ts";

const { fetch } = await hastyApp();

type From = { address?: string; headers?: Record<string, string> };

/** One try at an account, from a new address unless told otherwise. */
function attempt(email: string, password: string, { address = nextAddress(), headers = {} }: From = {}) {
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

/** Lets time pass for every counter. */
const wait = (seconds: number) =>
  env.DB.batch([
    env.DB.prepare(
      "update account_throttle set blocked_until = blocked_until - ?1, last_try_at = last_try_at - ?1",
    ).bind(seconds * 1000),
    env.DB.prepare("update address_limit set window_started_at = window_started_at - ?").bind(seconds * 1000),
  ]);

const wrong = "not the password";

describe("L7 tries at one account", () => {
  it("L7 pass freely a few times, then wait twice as long every time, up to a quarter of an hour", async () => {
    const { email } = await someone(fetch);
    expect(await statuses(FREE_TRIES, () => attempt(email, wrong))).toEqual(Array(FREE_TRIES).fill(401));
    const waits: number[] = [];
    for (let n = 0; n < 12; n += 1) {
      const refused = await attempt(email, wrong);
      expect(refused.status).toBe(429);
      const seconds = Number(header(refused, "retry-after"));
      waits.push(seconds);
      expect(await refused.json()).toEqual({ code: "TOO_MANY_REQUESTS", message: expect.any(String) });
      await wait(seconds);
      expect((await attempt(email, wrong)).status).toBe(401);
    }
    expect(waits).toEqual([1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900]);
  });

  it("L7 are refused before the password is looked at: the right one, too", async () => {
    const { email } = await someone(fetch);
    await statuses(FREE_TRIES, () => attempt(email, wrong));
    expect((await attempt(email, PASSWORD)).status).toBe(429);
    await wait(1);
    expect((await attempt(email, PASSWORD)).status).toBe(200);
  });

  it("L7 from elsewhere do not make the owner wait where they signed in before", async () => {
    const home = nextAddress();
    const { email } = await someone(fetch);
    expect((await attempt(email, PASSWORD, { address: home })).status).toBe(200);
    expect(await statuses(12, () => attempt(email, wrong))).toContain(429);
    expect((await attempt(email, PASSWORD, { address: home })).status).toBe(200);
    expect((await attempt(email, PASSWORD)).status).toBe(429);
  });

  it("L7 from a known address are counted as well", async () => {
    const home = nextAddress();
    const { email } = await someone(fetch);
    await attempt(email, PASSWORD, { address: home });
    expect(await statuses(8, () => attempt(email, wrong, { address: home }))).toEqual([
      401, 401, 401, 401, 401, 429, 429, 429,
    ]);
  });

  it("L7 are forgotten after a success, and after a day", async () => {
    const { email } = await someone(fetch);
    await statuses(FREE_TRIES - 1, () => attempt(email, wrong));
    expect((await attempt(email, PASSWORD)).status).toBe(200);
    expect(await statuses(FREE_TRIES, () => attempt(email, wrong))).toEqual(Array(FREE_TRIES).fill(401));
    await wait(24 * 3600);
    expect(await statuses(FREE_TRIES, () => attempt(email, wrong))).toEqual(Array(FREE_TRIES).fill(401));
  });

  it("L7 count an address in whatever letters, and an unknown one like a known one", async () => {
    const { email } = await someone(fetch);
    const spellings = [email, email.toUpperCase(), email.replace("example", "EXAMPLE")];
    const known = await statuses(8, (n) => attempt(spellings[n % 3] ?? "", wrong));
    const stranger = nextEmail();
    expect(await statuses(8, () => attempt(stranger, wrong))).toEqual(known);
    expect(known).toEqual([401, 401, 401, 401, 401, 429, 429, 429]);
  });

  it("L7 at one's own password, when changing it or deleting the account, are counted, too", async () => {
    for (const path of ["/change-password", "/delete-user"]) {
      const person = await someone(fetch);
      const headers = { authorization: `Bearer ${person.sessionToken}` };
      const json = { currentPassword: wrong, newPassword: "a new and better one", password: wrong };
      const seen = await statuses(8, () =>
        anonymous(fetch).call(`/api/auth${path}`, { json, headers: { ...headers, "cf-connecting-ip": nextAddress() } }),
      );
      expect(seen).toEqual([400, 400, 400, 400, 400, 429, 429, 429]);
    }
  });

  it("L7 leave no address behind: the table names accounts by a keyed hash", async () => {
    const { email } = await someone(fetch);
    await attempt(email, wrong);
    const { results } = await env.DB.prepare("select * from account_throttle").all();
    expect(results.length).toBeGreaterThan(0);
    expect(JSON.stringify(results)).not.toContain(email.split("@")[0]);
  });
});

describe("L7 tries from one address", () => {
  const each = (address: string, headers: (n: number) => Record<string, string> = () => ({})) =>
    statuses(12, (n) => attempt(nextEmail(), wrong, { address, headers: headers(n) }));
  const tenThenNone = [...Array(10).fill(401), 429, 429];

  it("L7 are ten a minute, whatever accounts they are at", async () => {
    const address = nextAddress();
    expect(await each(address)).toEqual(tenThenNone);
    const refused = await attempt(nextEmail(), wrong, { address });
    expect(Number(header(refused, "retry-after"))).toBeGreaterThan(50);
    await wait(60);
    expect((await attempt(nextEmail(), wrong, { address })).status).toBe(401);
  });

  it("L7 of one IPv6 network count as one", async () => {
    const network = `2001:db8:${(Math.random() * 0xffff) | 0}:7`.replace(
      /:(\d+):7$/,
      (_all, n) => `:${Number(n).toString(16)}:7`,
    );
    const seen = await statuses(12, (n) => attempt(nextEmail(), wrong, { address: `${network}::${n + 1}` }));
    expect(seen).toEqual(tenThenNone);
    expect((await attempt(nextEmail(), wrong, { address: "2001:db8:ffff:8::1" })).status).toBe(401);
  });

  it("L7 are not hidden by headers that anybody can send", async () => {
    const spoofed = (n: number) => ({
      "x-forwarded-for": `198.51.100.${n}`,
      "x-real-ip": `198.51.100.${n}`,
      "true-client-ip": `198.51.100.${n}`,
      forwarded: `for=198.51.100.${n}`,
      "x-client-ip": `198.51.100.${n}`,
    });
    expect(await each(nextAddress(), spoofed)).toEqual(tenThenNone);
  });

  it("L7 what neither guesses nor creates nor sends is not counted, and costs no write", async () => {
    const person = await someone(fetch);
    const before = await env.DB.prepare("select count(*) as n from address_limit").first();
    for (const path of ["/ok", "/get-session", "/token", "/list-sessions"]) {
      await anonymous(fetch).call(`/api/auth${path}`, { headers: { authorization: `Bearer ${person.sessionToken}` } });
    }
    expect(await env.DB.prepare("select count(*) as n from address_limit").first()).toEqual(before);
  });
});
