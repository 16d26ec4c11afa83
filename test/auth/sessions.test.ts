import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { hastyApp } from "../support/apps.ts";
import {
  anonymous,
  clientFor,
  type Fetch,
  header,
  ORIGIN,
  ok,
  PASSWORD,
  type Person,
  someone,
  tasksOf,
} from "../support/client.ts";

type Session = { id: string; token: string; userAgent: string; createdAt: string; expiresAt: string };

const bearer = (sessionToken: string) => ({ authorization: `Bearer ${sessionToken}` });
const post = (path: string, sessionToken: string, json: object = {}) =>
  anonymous().call(`/api/auth${path}`, { json, headers: bearer(sessionToken) });

/** Signs in once more, as from another device. */
async function device(person: Person, userAgent: string, fetch?: Fetch) {
  const json = { email: person.email, password: PASSWORD };
  const answer = await anonymous(fetch).call("/api/auth/sign-in/email", { json, headers: { "user-agent": userAgent } });
  if (answer.status !== 200) throw new Error(await answer.text());
  const accessToken = header(answer, "set-auth-jwt");
  return { sessionToken: header(answer, "set-auth-token"), accessToken, ...tasksOf(clientFor(accessToken, fetch)) };
}

async function sessionsOf(sessionToken: string): Promise<Session[]> {
  return ok<Session[]>(await anonymous().call("/api/auth/list-sessions", { headers: bearer(sessionToken) }));
}

/** Whether the session behind a caller is active. Any failure other than `session_ended` fails the test. */
const isActive = (of: { list: () => Promise<unknown> }) =>
  of.list().then(
    () => true,
    (error: Error) => {
      if (!/got 401: .*"code":"session_ended"/.test(error.message)) throw error;
      return false;
    },
  );

describe("L5 sessions", () => {
  it("L5 lists the caller's own sessions with device and time", async () => {
    const person = await someone();
    await someone();
    await device(person, "Phone");
    const sessions = await sessionsOf(person.sessionToken);
    expect(sessions).toHaveLength(2);
    expect(sessions.map(({ userAgent }) => userAgent)).toContain("Phone");
    for (const { createdAt, expiresAt } of sessions) {
      expect(Math.abs(Date.parse(createdAt) - Date.now())).toBeLessThan(60_000);
      expect(Date.parse(expiresAt)).toBeGreaterThan(Date.now());
    }
  });

  it("L3 L5 revoking one session ends its access tokens, and no others", async () => {
    const person = await someone();
    const [phone, tablet] = [await device(person, "Phone"), await device(person, "Tablet")];
    const session = (await sessionsOf(person.sessionToken)).find(({ userAgent }) => userAgent === "Phone");
    expect((await post("/revoke-session", person.sessionToken, { token: session?.token })).status).toBe(200);
    expect([await isActive(phone), await isActive(tablet), await isActive(person)]).toEqual([false, true, true]);
    expect(await sessionsOf(person.sessionToken)).toHaveLength(2);
  });

  it("L3 L5 a user cannot revoke another user's session", async () => {
    const [person, other] = [await someone(), await someone()];
    const [session] = await sessionsOf(other.sessionToken);
    await post("/revoke-session", person.sessionToken, { token: session?.token });
    expect(await isActive(other)).toBe(true);
  });

  it("L3 revoke-other-sessions ends all sessions but the current one", async () => {
    const person = await someone();
    const [phone, tablet] = [await device(person, "Phone"), await device(person, "Tablet")];
    expect((await post("/revoke-other-sessions", tablet.sessionToken)).status).toBe(200);
    expect([await isActive(phone), await isActive(person), await isActive(tablet)]).toEqual([false, false, true]);
  });

  it("L3 revoke-sessions ends all sessions, including the current one", async () => {
    const person = await someone();
    const phone = await device(person, "Phone");
    expect((await post("/revoke-sessions", phone.sessionToken)).status).toBe(200);
    expect([await isActive(phone), await isActive(person)]).toEqual([false, false]);
    expect((await anonymous().call("/api/auth/token", { headers: bearer(phone.sessionToken) })).status).toBe(401);
  });
});

describe("L9 many sessions", () => {
  const DAY_MS = 86_400_000;

  /** Sessions of before, each a minute older than the last one. */
  const insert = (userId: string, sessions: number) =>
    env.DB.prepare(
      `with recursive n (i) as (select 1 union all select i + 1 from n where i < ?2)
       insert into session (id, token, expires_at, created_at, updated_at, user_id)
       select ?1 || i, ?1 || i, ?3 + 86400000, ?3 - i * 60000, ?3 - i * 60000, ?1 from n`,
    )
      .bind(userId, sessions, Date.now())
      .run();
  const countOf = async (userId: string) =>
    (await env.DB.prepare("select count(*) as n from session where user_id = ?").bind(userId).first<{ n: number }>())
      ?.n;

  it("L9 all sessions are listed, of any age", async () => {
    const person = await someone();
    await insert(person.id, 250);
    await env.DB.prepare("update session set created_at = created_at - ? where user_id = ?")
      .bind(20 * DAY_MS, person.id)
      .run();
    expect(await sessionsOf(person.sessionToken)).toHaveLength(251);
  });

  it.each([
    ["/revoke-other-sessions", 1],
    ["/revoke-sessions", 0],
  ])("L9 %s ends all, and leaves %s", async (path, left) => {
    const [person, other] = [await someone(), await someone()];
    await insert(person.id, 250);
    await insert(other.id, 3);
    expect((await post(path, person.sessionToken)).status).toBe(200);
    expect([await countOf(person.id), await countOf(other.id)]).toEqual([left, 4]);
    expect(await isActive(person)).toBe(left === 1);
  });

  it("L9 the 101st session ends the one that was unused for longest", async () => {
    const person = await someone();
    await insert(person.id, 99);
    expect(await countOf(person.id)).toBe(100);
    const phone = await device(person, "Phone");
    expect(await countOf(person.id)).toBe(100);
    const gone = env.DB.prepare("select 1 from session where id = ?").bind(`${person.id}99`);
    expect(await gone.first()).toBeNull();
    expect([await isActive(person), await isActive(phone)]).toEqual([true, true]);
    await env.DB.prepare("update session set expires_at = 1 where id = ?").bind(`${person.id}5`).run();
    await device(person, "Tablet");
    const expired = env.DB.prepare("select 1 from session where id = ?").bind(`${person.id}5`);
    expect([await expired.first(), await countOf(person.id)], "the one that has expired goes first").toEqual([
      null,
      100,
    ]);
    const many = Array.from({ length: 4 }, () => device(person, "Many"));
    await Promise.all(many);
    expect(await countOf(person.id)).toBe(100);
  });

  it("L9 a long device name is cut", async () => {
    const person = await someone();
    await device(person, "x".repeat(5000));
    const lengths = (await sessionsOf(person.sessionToken)).map(({ userAgent }) => userAgent.length);
    expect(Math.max(...lengths)).toBe(255);
  });
});

describe("L3 changing the password", () => {
  const newPassword = "a new and better one";

  it("L3 with revocation, ends all sessions and opens a new one that works at once", async () => {
    const person = await someone();
    const phone = await device(person, "Phone");
    await person.create();
    const json = { currentPassword: PASSWORD, newPassword, revokeOtherSessions: true };
    const answer = await post("/change-password", phone.sessionToken, json);
    expect(answer.status).toBe(200);
    expect([await isActive(phone), await isActive(person)]).toEqual([false, false]);
    const renewed = tasksOf(clientFor(header(answer, "set-auth-jwt")));
    expect((await renewed.list()).data).toHaveLength(1);
    expect(await sessionsOf(header(answer, "set-auth-token"))).toHaveLength(1);
  });

  it("L3 without revocation, keeps the other sessions", async () => {
    const person = await someone();
    const phone = await device(person, "Phone");
    await post("/change-password", phone.sessionToken, { currentPassword: PASSWORD, newPassword });
    expect([await isActive(phone), await isActive(person)]).toEqual([true, true]);
    await expect(device(person, "Old password")).rejects.toThrow("INVALID_EMAIL_OR_PASSWORD");
  });

  it("L3 needs the current password, and changes nothing without it", async () => {
    const person = await someone();
    for (const currentPassword of ["not the password", "", null, 7]) {
      const answer = await post("/change-password", person.sessionToken, { currentPassword, newPassword });
      expect(answer.status).toBe(400);
    }
    expect((await device(person, "Phone")).accessToken).toBeTruthy();
  });
});

describe("L1 how long a session lives", () => {
  const shift = (userId: string, seconds: number) =>
    env.DB.prepare(
      `update session set created_at = created_at - ?1, updated_at = updated_at - ?1, expires_at = expires_at - ?1
       where user_id = ?2`,
    )
      .bind(seconds * 1000, userId)
      .run();
  const day = 86_400;

  it("L1 a session in use ends at SESSION_MAX_SECONDS", async () => {
    const vars = { SESSION_IDLE_SECONDS: String(2 * day), SESSION_MAX_SECONDS: String(5 * day) };
    const { fetch } = await hastyApp({ vars });
    const person = await someone(fetch);
    const use = () => anonymous(fetch).call("/api/auth/token", { headers: bearer(person.sessionToken) });
    for (let passed = 1; passed <= 4; passed += 1) {
      await shift(person.id, day);
      expect((await use()).status, `day ${passed}`).toBe(200);
    }
    expect((await person.call(person.path)).status).toBe(200);
    await shift(person.id, day + 1);
    expect((await use()).status).toBe(401);
    expect((await person.call(person.path)).status).toBe(401);
  });

  it("L1 an unused session ends after SESSION_IDLE_SECONDS", async () => {
    const { fetch } = await hastyApp({ vars: { SESSION_IDLE_SECONDS: "7200" } });
    const person = await someone(fetch);
    await shift(person.id, 7199);
    expect((await person.call(person.path)).status).toBe(200);
    await shift(person.id, 2);
    expect((await person.call(person.path)).status).toBe(401);
  });

  it("L1 without `rememberMe`, a session ends within a day, and its cookie with the browser", async () => {
    const person = await someone();
    const json = { email: person.email, password: PASSWORD, rememberMe: false };
    const answer = await anonymous().call("/api/auth/sign-in/email", { json });
    const cookie = answer.headers.getSetCookie().find((one) => one.includes("session_token")) ?? "";
    expect(cookie).not.toContain("Max-Age");
    const newest = await env.DB.prepare(
      "select max(expires_at) as at, min(expires_at) as soon from session where user_id = ?",
    )
      .bind(person.id)
      .first<{ soon: number }>();
    expect((newest?.soon ?? 0) - Date.now()).toBeLessThanOrEqual(day * 1000);
  });

  it("L1 without `rememberMe`, a session is bound by the same limits", async () => {
    const { fetch } = await hastyApp({ vars: { SESSION_IDLE_SECONDS: "3600", SESSION_MAX_SECONDS: "7200" } });
    const person = await someone(fetch);
    const json = { email: person.email, password: PASSWORD, rememberMe: false };
    const answer = await anonymous(fetch).call("/api/auth/sign-in/email", { json });
    const use = clientFor(header(answer, "set-auth-jwt"), fetch);
    await shift(person.id, 3599);
    expect((await use.call(person.path)).status).toBe(200);
    await shift(person.id, 2);
    expect((await use.call(person.path)).status).toBe(401);
  });
});

describe("L2 signing in", () => {
  it("L2 signing in ends the caller's previous session, of any account", async () => {
    const [person, other] = [await someone(), await someone()];
    const phone = await device(person, "Phone");
    const json = { email: other.email, password: PASSWORD };
    const headers = { cookie: person.cookie, origin: ORIGIN };
    const answer = await anonymous().call("/api/auth/sign-in/email", { json, headers });
    expect(answer.status).toBe(200);
    expect([await isActive(person), await isActive(phone), await isActive(other)]).toEqual([false, true, true]);
  });

  it("L2 a failed sign-in ends no session", async () => {
    const person = await someone();
    const json = { email: person.email, password: "not the password" };
    await anonymous().call("/api/auth/sign-in/email", { json, headers: { cookie: person.cookie, origin: ORIGIN } });
    expect(await isActive(person)).toBe(true);
  });
});
