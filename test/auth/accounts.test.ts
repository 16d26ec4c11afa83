import { env } from "cloudflare:workers";
import { createAuthClient } from "better-auth/client";
import { jwtClient } from "better-auth/client/plugins";
import { describe, expect, it } from "vitest";
import { appWith, hastyApp, limitOf } from "../support/apps.ts";
import {
  anonymous,
  clientFor,
  header,
  nextAddress,
  nextEmail,
  ORIGIN,
  ok,
  PASSWORD,
  someone,
  tasksOf,
  worker,
} from "../support/client.ts";
import { countingD1, failingD1 } from "../support/intercepted-d1.ts";
import { createOutbox } from "../support/outbox.ts";

const SIGN_UP = "/api/auth/sign-up/email";
const SIGN_IN = "/api/auth/sign-in/email";

describe("U1 signing up", () => {
  it("U1 signing up returns the user, a session and an access token that works at once", async () => {
    const email = nextEmail();
    const answer = await anonymous().call(SIGN_UP, { json: { name: "Ada", email, password: PASSWORD } });
    const { user } = await ok<{ user: Record<string, unknown> }>(answer);
    expect(user).toMatchObject({ name: "Ada", email, emailVerified: false });
    expect(JSON.stringify(user)).not.toContain("password");
    const tasks = tasksOf(clientFor(header(answer, "set-auth-jwt")));
    expect(await tasks.create({ title: "First" })).toMatchObject({ title: "First", revision: 1 });
    const authorization = `Bearer ${header(answer, "set-auth-token")}`;
    const session = await anonymous().call("/api/auth/get-session", { headers: { authorization } });
    expect(await session.json()).toMatchObject({ user: { email }, session: { userId: user["id"] } });
    const token = await ok<{ token: string; expiresAt: string }>(
      await anonymous().call("/api/auth/token", { headers: { authorization } }),
    );
    expect(Date.parse(token.expiresAt) - Date.now()).toBeGreaterThan(3_590_000);
    expect((await tasksOf(clientFor(token.token)).list()).data).toHaveLength(1);
  });

  it("U1 L1 the cookie is HttpOnly, for this host and https only, and survives a browser restart", async () => {
    const answer = await anonymous().call(SIGN_UP, { json: { name: "A", email: nextEmail(), password: PASSWORD } });
    const cookie = header(answer, "set-cookie");
    expect(cookie).toMatch(/^__Host-better-auth\.session_token=/);
    for (const part of ["HttpOnly", "Secure", "SameSite=Lax", "Path=/", "Max-Age=604800"])
      expect(cookie).toContain(part);
    expect(cookie).not.toContain("Domain");
  });

  it("U1 the cookie works without https on a developer's machine", async () => {
    const json = { name: "A", email: nextEmail(), password: PASSWORD };
    const headers = { "content-type": "application/json", "cf-connecting-ip": nextAddress() };
    const local = "http://localhost:8787";
    const init = { method: "POST", headers, body: JSON.stringify(json) };
    const answer = await worker(new Request(local + SIGN_UP, init));
    const cookie = header(answer, "set-cookie");
    expect(cookie).not.toContain("Secure");
    const session = await worker(
      new Request(`${local}/api/auth/token`, { headers: { cookie: cookie.split(";")[0] ?? "" } }),
    );
    expect(session.status).toBe(200);
  });

  it.each([
    ["a missing name", { name: undefined }],
    ...[" ", "\u200b", "\u034f", "\ufe0f", "\u{e0100}", "\u180b", "\u2065", "\u0300", "\u3164", "\u2800"].map(
      (name): [string, object] => [`a name of ${name.codePointAt(0)?.toString(16)}, which shows nothing`, { name }],
    ),
    ["no address", { email: "nobody" }],
    ["no password", { password: undefined }],
    ["7 characters", { password: "1234567" }],
    ["129 characters", { password: "x".repeat(129) }],
    ["a password in a list", { password: [PASSWORD] }],
  ])("U1 %s is refused as Better Auth refuses, and makes no account", async (_what, change) => {
    const email = nextEmail();
    const answer = await anonymous().call(SIGN_UP, { json: { name: "A", email, password: PASSWORD, ...change } });
    expect(answer.status).toBe(400);
    expect(await answer.json()).toEqual({ code: expect.any(String), message: expect.any(String) });
    expect(await env.DB.prepare("select 1 from user where email = ?").bind(email).first()).toBeNull();
  });
});

describe("U2 signing in", () => {
  it("U2 each sign-in opens a session of its own", async () => {
    const person = await someone();
    const answer = await anonymous().call(SIGN_IN, { json: { email: person.email, password: PASSWORD } });
    await person.create({ title: "Shared by both" });
    expect((await tasksOf(clientFor(header(answer, "set-auth-jwt"))).list()).data).toHaveLength(1);
    expect(header(answer, "set-auth-token")).not.toBe(person.sessionToken);
  });

  it("U2 a wrong password and an unknown address get the same answer, and both hash", async () => {
    const person = await someone();
    const attempt = (email: string) => anonymous().call(SIGN_IN, { json: { email, password: "not the password" } });
    const [wrong, unknown] = [await attempt(person.email), await attempt(nextEmail())];
    const tell = async (answer: Response) => {
      const headers = Object.fromEntries(answer.headers);
      return { status: answer.status, body: await answer.text(), headers: { ...headers, "x-request-id": "" } };
    };
    expect(await tell(wrong)).toEqual(await tell(unknown));
    expect(wrong.status).toBe(401);
    expect(wrong.headers.has("set-auth-jwt")).toBe(false);
  });
});

describe("U2 the time of an answer", () => {
  it("U2 L8 a reset takes the same round trips for known and unknown addresses", async () => {
    const counter = countingD1(env.DB);
    const vars = { EMAIL_FROM: "tasks@tasks.test", BETTER_AUTH_URL: ORIGIN };
    const { fetch } = await hastyApp({ vars, d1: counter.d1 });
    const { email } = await someone(fetch);
    // The sign-up's mail is sent behind its answer.
    await scheduler.wait(50);
    const roundTrips = [];
    for (const address of [nextEmail(), email, nextEmail(), email]) {
      counter.spent();
      await anonymous(fetch).call("/api/auth/request-password-reset", { json: { email: address } });
      roundTrips.push(counter.spent().roundTrips);
    }
    expect(roundTrips).toEqual(Array(4).fill(roundTrips[0]));
  });

  it("U2 L8 an answer that could reveal an account takes at least 500 ms", async () => {
    const { fetch } = await hastyApp({
      vars: { EMAIL_FROM: "tasks@tasks.test", BETTER_AUTH_URL: ORIGIN },
      settings: { evenAnswerMs: 500 },
    });
    const person = await someone(fetch);
    const took = async (path: string, json: object) => {
      const start = Date.now();
      await anonymous(fetch).call(`/api/auth${path}`, { json });
      return Date.now() - start;
    };
    for (const email of [person.email, nextEmail()]) {
      for (const path of ["/sign-in/email", "/request-password-reset", "/send-verification-email"]) {
        expect(await took(path, { email, password: "not the password" }), path).toBeGreaterThanOrEqual(499);
      }
    }
  });

  it("U2 L8 a sign-up that needs verification takes the same minimum time", async () => {
    const vars = { EMAIL_FROM: "tasks@tasks.test", BETTER_AUTH_URL: ORIGIN, REQUIRE_EMAIL_VERIFICATION: "true" };
    const { fetch } = await hastyApp({
      vars,
      settings: { evenAnswerMs: 300 },
      bindings: { EMAIL: createOutbox().email },
    });
    const email = nextEmail();
    for (const attempt of ["a new address", "a known one"]) {
      const start = Date.now();
      const answer = await anonymous(fetch).call(SIGN_UP, { json: { name: "A", email, password: PASSWORD } });
      expect([answer.status, Date.now() - start >= 299], attempt).toEqual([200, true]);
    }
  });
});

describe("U3 one address, one account", () => {
  it("U3 an address in another letter case is the same account", async () => {
    const name = crypto.randomUUID();
    const signUp = (email: string) => anonymous().call(SIGN_UP, { json: { name: "A", email, password: PASSWORD } });
    expect((await signUp(`${name}@Example.COM`)).status).toBe(200);
    const again = await signUp(`${name.toUpperCase()}@example.com`);
    expect(again.status).toBe(422);
    expect(await again.json()).toMatchObject({ code: expect.stringContaining("USER_ALREADY_EXISTS") });
    const signIn = await anonymous().call(SIGN_IN, {
      json: { email: `${name.toUpperCase()}@EXAMPLE.com`, password: PASSWORD },
    });
    expect(signIn.status).toBe(200);
  });

  it("U3 two sign-ups at once: one account, one clear refusal, no 500", async () => {
    for (let round = 0; round < 5; round += 1) {
      const email = nextEmail();
      const signUp = () => anonymous().call(SIGN_UP, { json: { name: "A", email, password: PASSWORD } });
      const statuses = (await Promise.all([signUp(), signUp(), signUp()])).map(({ status }) => status);
      expect(statuses.sort()).toEqual([200, 422, 422]);
      const counted = env.DB.prepare("select count(*) as n from user where email = ?").bind(email);
      expect(await counted.first()).toEqual({ n: 1 });
      expect((await anonymous().call(SIGN_IN, { json: { email, password: PASSWORD } })).status).toBe(200);
    }
  });
});

describe("U5 a sign-up that is cut off", () => {
  it("U5 a sign-up that fails at any round trip leaves an address that can sign up or sign in", async () => {
    for (let healthy = 0; healthy < 8; healthy += 1) {
      const { fetch } = await hastyApp({ d1: failingD1(env.DB, "D1_ERROR: gone", healthy) });
      const email = nextEmail();
      const json = { name: "A", email, password: PASSWORD };
      const cutOff = await anonymous(fetch).call(SIGN_UP, { json });
      const [signUp, signIn] = [await anonymous().call(SIGN_UP, { json }), await anonymous().call(SIGN_IN, { json })];
      expect([200, 422], `after ${healthy}`).toContain(signUp.status);
      expect(signIn.status, `after ${healthy}: ${cutOff.status} ${signUp.status}`).toBe(200);
    }
  });
});

describe("L1 a session's life", () => {
  const age = (seconds: number, userId: string) =>
    env.DB.prepare("update session set expires_at = expires_at - ?, updated_at = updated_at - ? where user_id = ?")
      .bind(seconds * 1000, seconds * 1000, userId)
      .run();
  const expiry = async (userId: string) =>
    (
      await env.DB.prepare("select expires_at as at from session where user_id = ?")
        .bind(userId)
        .first<{ at: number }>()
    )?.at ?? 0;

  it("L1 a session is renewed once a day while it is used", async () => {
    const person = await someone();
    const headers = { cookie: person.cookie };
    const fresh = await expiry(person.id);
    await anonymous().call("/api/auth/token", { headers });
    expect(await expiry(person.id)).toBe(fresh);
    await age(25 * 3600, person.id);
    const renewed = await anonymous().call("/api/auth/token", { headers });
    expect(renewed.status).toBe(200);
    expect(header(renewed, "set-cookie")).toContain("Max-Age=604800");
    expect(await expiry(person.id)).toBeGreaterThanOrEqual(fresh);
  });

  it("L1 a session that is unused for a week ends, and gives no token", async () => {
    const person = await someone();
    await age(7 * 24 * 3600 + 1, person.id);
    const headers = { cookie: person.cookie };
    expect((await anonymous().call("/api/auth/token", { headers })).status).toBe(401);
    expect(await (await anonymous().call("/api/auth/get-session", { headers })).json()).toBeNull();
  });
});

describe("Better Auth's own client, unmodified", () => {
  it("U1 L2 signs up, signs in, gets a token and signs out by the bearer value", async () => {
    const address = nextAddress();
    let bearer = "";
    const client = createAuthClient({
      baseURL: ORIGIN,
      plugins: [jwtClient()],
      fetchOptions: {
        customFetchImpl: (input, init) => Promise.resolve(worker(new Request(input, init))),
        headers: { "cf-connecting-ip": address },
        auth: { type: "Bearer", token: () => bearer },
        onSuccess: ({ response }) => {
          bearer = response.headers.get("set-auth-token") ?? bearer;
        },
      },
    });
    const email = nextEmail();
    const signedUp = await client.signUp.email({ name: "Client", email, password: PASSWORD });
    expect(signedUp.data?.user.email).toBe(email);
    const signedIn = await client.signIn.email({ email, password: PASSWORD });
    expect(signedIn.error).toBeNull();
    const { data } = await client.$fetch<{ token: string }>("/token");
    const tasks = tasksOf(clientFor(data?.token ?? ""));
    expect(await tasks.create()).toMatchObject({ revision: 1 });
    expect((await client.getSession()).data?.user.email).toBe(email);
    expect((await client.signOut()).data).toMatchObject({ success: true });
    await expect(tasks.list()).rejects.toThrow("session_ended");
    expect((await client.$fetch("/token")).error?.status).toBe(401);
  });

  it("L2 does the same with the cookie, as in a browser", async () => {
    let jar = "";
    const client = createAuthClient({
      baseURL: ORIGIN,
      plugins: [jwtClient()],
      fetchOptions: {
        customFetchImpl: async (input, init) => {
          const request = new Request(input, init);
          request.headers.set("cf-connecting-ip", nextAddress());
          request.headers.set("origin", ORIGIN);
          if (jar) request.headers.set("cookie", jar);
          const answer = await worker(request);
          jar =
            answer.headers
              .getSetCookie()
              .map((cookie) => cookie.split(";")[0])
              .join("; ") || jar;
          return answer;
        },
      },
    });
    await client.signUp.email({ name: "Browser", email: nextEmail(), password: PASSWORD });
    const { data } = await client.$fetch<{ token: string }>("/token");
    const tasks = tasksOf(clientFor(data?.token ?? ""));
    await tasks.create();
    expect((await client.listSessions()).data).toHaveLength(1);
    await client.signOut();
    await expect(tasks.list()).rejects.toThrow("session_ended");
    expect((await client.getSession()).data).toBeNull();
  });
});

describe("cross-site requests", () => {
  it("L2 a POST with the cookie from another origin is refused, and changes nothing", async () => {
    const person = await someone();
    for (const origin of ["https://evil.test", "null", undefined]) {
      const headers = { cookie: person.cookie, ...(origin && { origin }) };
      const answer = await anonymous().call("/api/auth/sign-out", { method: "POST", headers });
      expect(answer.status).toBe(403);
    }
    expect((await person.call(person.path)).status).toBe(200);
  });

  it("L2 trusted origins are accepted, others are refused", async () => {
    const { fetch } = await appWith({ vars: { TRUSTED_ORIGINS: "https://app.test" } });
    const person = await someone(fetch);
    const headers = { cookie: person.cookie, origin: "https://app.test" };
    expect((await anonymous(fetch).call("/api/auth/sign-out", { method: "POST", headers })).status).toBe(200);
  });

  it("L2 a foreign cookie does not get a program's call refused", async () => {
    const person = await someone();
    for (const cookie of ["__cf_bm=abc", "a=b; c=d", "xbetter-auth.session_token=x", "=", ";;"]) {
      const headers = { cookie, authorization: `Bearer ${person.sessionToken}` };
      const json = { name: "Renamed" };
      expect((await anonymous().call("/api/auth/update-user", { json, headers })).status, cookie).toBe(200);
      const signIn = { email: person.email, password: PASSWORD };
      expect((await anonymous().call(SIGN_IN, { json: signIn, headers: { cookie } })).status, cookie).toBe(200);
    }
  });

  it("L2 the session cookie is found among foreign cookies", async () => {
    const person = await someone();
    const cookie = `__cf_bm=abc; ${person.cookie}; theme=dark`;
    expect((await anonymous().call("/api/auth/token", { headers: { cookie } })).status).toBe(200);
    expect((await anonymous().call("/api/auth/sign-out", { method: "POST", headers: { cookie } })).status).toBe(403);
  });

  it("S3 a session's bearer value is accepted only with its signature", async () => {
    const person = await someone();
    const [token = ""] = person.sessionToken.split(".");
    for (const value of [token, `${token}.`, `${token}.AAAA`, encodeURIComponent(`${token}.x=`)]) {
      const headers = { authorization: `Bearer ${value}` };
      expect((await anonymous().call("/api/auth/token", { headers })).status).toBe(401);
      const cookie = `__Host-better-auth.session_token=${value}`;
      expect((await anonymous().call("/api/auth/token", { headers: { cookie } })).status).toBe(401);
    }
  });
});

describe("L7 too many attempts from one address", () => {
  it("L7 return 429 with Retry-After in Better Auth's shape; a spoofed forwarding header does not help", async () => {
    const { fetch } = await hastyApp({ bindings: { ACCOUNT_TRIES_RATE_LIMIT: limitOf(10) } });
    const address = nextAddress();
    const attempt = (n: number) =>
      anonymous(fetch).call(SIGN_IN, {
        json: { email: nextEmail(), password: PASSWORD },
        headers: {
          "cf-connecting-ip": address,
          "x-forwarded-for": `1.2.3.${n}`,
          "x-real-ip": `1.2.3.${n}`,
          forwarded: `for=1.2.3.${n}`,
        },
      });
    const answers = [];
    for (let n = 0; n < 13; n += 1) answers.push(await attempt(n));
    const refused = answers.filter(({ status }) => status === 429);
    expect(refused).toHaveLength(3);
    for (const answer of refused) {
      expect(Number(header(answer, "retry-after"))).toBeGreaterThan(0);
      expect(await answer.json()).toEqual({ code: "TOO_MANY_REQUESTS", message: expect.any(String) });
    }
  });
});

describe("the surface", () => {
  const paths = [
    "/sign-in/social",
    "/callback/github",
    "/set-password",
    "/verify-password",
    "/update-session",
    "/link-social",
    "/list-accounts",
    "/unlink-account",
    "/refresh-token",
    "/get-access-token",
    "/account-info",
    "/delete-user/callback",
    "/reset-password/some-token",
    "/error",
    "/jwks",
    "/reference",
    "/",
    "",
    "//token",
    "/token//",
    "/Token",
    "/sign-up/email/x",
  ];

  it.each(paths)("S3 /api/auth%s does not exist", async (path) => {
    const person = await someone();
    for (const method of ["GET", "POST", "PUT", "DELETE"]) {
      const headers = { authorization: `Bearer ${person.sessionToken}` };
      const answer = await anonymous().call(`/api/auth${path}`, {
        method,
        headers,
        ...(method === "POST" && { json: {} }),
      });
      expect(answer.status, method).toBe(404);
    }
  });

  it("S3 a listed path accepts its listed method only", async () => {
    const { ALL_ENDPOINTS } = await import("../../src/auth/endpoints.ts");
    for (const { method: listed, path } of ALL_ENDPOINTS) {
      for (const method of ["GET", "POST", "PUT", "PATCH", "DELETE"]) {
        const answer = await anonymous().call(`/api/auth${path}`, { method });
        if (method === listed) expect([404, 405]).not.toContain(answer.status);
        else {
          expect(answer.status, `${method} ${path}`).toBe(405);
          expect(answer.headers.get("allow")?.split(", ")[0]).toBe(listed);
          expect(await answer.json()).toMatchObject({ code: "METHOD_NOT_ALLOWED" });
        }
      }
    }
  });
});
