import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, it } from "vitest";
import { hastyApp } from "../support/apps.ts";
import {
  anonymous,
  clientFor,
  type Fetch,
  header,
  nextEmail,
  ORIGIN,
  ok,
  PASSWORD,
  someone,
  tasksOf,
} from "../support/client.ts";
import { createOutbox, linkIn } from "../support/outbox.ts";

/** Mails with links need an origin that no request can choose. */
const MAILING = { EMAIL_FROM: "tasks@tasks.test", BETTER_AUTH_URL: ORIGIN };
const NEW_PASSWORD = "a new and better one";
const outbox = createOutbox();
const { mailTo } = outbox;
let fetch: Fetch;

beforeAll(async () => {
  const vars = { ...MAILING, TRUSTED_ORIGINS: "https://app.test", CALLBACK_URLS: "https://app.test/done,/welcome" };
  ({ fetch } = await hastyApp({ vars, bindings: { EMAIL: outbox.email } }));
});

const post = (path: string, json: object, headers: Record<string, string> = {}) =>
  anonymous(fetch).call(`/api/auth${path}`, { json, headers });
const signIn = (email: string, password = PASSWORD) => post("/sign-in/email", { email, password });
const bearer = (person: { sessionToken: string }) => ({ authorization: `Bearer ${person.sessionToken}` });
const follow = (link: URL) => anonymous(fetch).call(`/api/auth/verify-email?token=${link.hash.slice(1)}`);
const userOf = (email: string) => env.DB.prepare("select * from user where email = ?").bind(email).first();

async function resetToken(email: string): Promise<string> {
  await post("/request-password-reset", { email });
  return linkIn(await mailTo(email, "Reset")).hash.slice(1);
}

describe("L8 mails", () => {
  it("L8 have a subject, one link with its expiry, and what to do, in text and HTML", async () => {
    const person = await someone(fetch);
    const mail = await mailTo(person.email);
    expect(mail).toMatchObject({ to: person.email, subject: "Confirm your e-mail address" });
    const link = linkIn(mail);
    expect([link.origin, link.pathname]).toEqual([ORIGIN, "/verify-email"]);
    expect(link.search).toBe("");
    expect(mail.text).toContain("works once and expires in 60 minutes");
    expect(mail.text).toContain("If you did not request this");
    expect(mail.html).toContain(`href="${link.href}"`);
    expect(mail.html.match(/<a /g)).toHaveLength(1);
  });

  it("L8 contain no HTML that a stranger entered", async () => {
    const person = await someone(fetch);
    await env.DB.prepare("update user set email_verified = 1 where id = ?").bind(person.id).run();
    const newEmail = `"<b>x</b>"@example.com`;
    await post("/change-email", { newEmail: "x<b>@example.com" }, bearer(person));
    await post("/change-email", { newEmail }, bearer(person));
    expect(outbox.sent.every(({ html }) => !html.includes("<b>"))).toBe(true);
  });
});

describe("L8 verifying an address", () => {
  it("L8 the link works once", async () => {
    const person = await someone(fetch);
    const link = linkIn(await mailTo(person.email));
    expect(await userOf(person.email)).toMatchObject({ email_verified: 0 });
    expect((await follow(link)).status).toBe(200);
    expect(await userOf(person.email)).toMatchObject({ email_verified: 1 });
    const again = await follow(link);
    expect(again.status).toBe(401);
    expect(await again.json()).toMatchObject({ code: "INVALID_TOKEN" });
  });

  it("L8 the database does not reveal a link", async () => {
    const person = await someone(fetch);
    const token = linkIn(await mailTo(person.email)).hash.slice(1);
    const { results } = await env.DB.prepare("select * from mailed_link where user_id = ?").bind(person.id).all();
    expect(results).toHaveLength(1);
    expect(token.length).toBeGreaterThan(20);
    expect(JSON.stringify(results)).not.toContain(token);
  });

  it("L8 one of 12 parallel uses succeeds", async () => {
    const link = linkIn(await mailTo((await someone(fetch)).email));
    const statuses = (await Promise.all(Array.from({ length: 12 }, () => follow(link)))).map(({ status }) => status);
    expect(statuses.sort()).toEqual([200, ...Array(11).fill(401)]);
  });

  it("L8 an expired link, an access token and an invented token verify nothing", async () => {
    const person = await someone(fetch);
    const link = linkIn(await mailTo(person.email));
    await env.DB.prepare("update mailed_link set expires_at = ? where user_id = ?")
      .bind(Date.now() - 1, person.id)
      .run();
    const { createEmailVerificationToken } = await import("better-auth/api");
    const forged = await createEmailVerificationToken(env.BETTER_AUTH_SECRET, person.email);
    for (const token of [link.hash.slice(1), person.accessToken, forged, "x", ""]) {
      const answer = await anonymous(fetch).call(`/api/auth/verify-email?token=${token}`);
      expect([answer.status, await answer.json()], token).toMatchObject([401, { code: "INVALID_TOKEN" }]);
    }
    expect(await userOf(person.email)).toMatchObject({ email_verified: 0 });
  });

  it("L8 a listed callbackURL is redirected to", async () => {
    const person = await someone(fetch);
    await post(
      "/send-verification-email",
      { email: person.email, callbackURL: "https://app.test/done" },
      bearer(person),
    );
    await expect.poll(async () => (await mailTo(person.email)).text).toContain("/api/auth/verify-email");
    const link = linkIn(await mailTo(person.email));
    const answer = await anonymous(fetch).call(link.pathname + link.search);
    expect([answer.status, answer.headers.get("location")]).toEqual([302, "https://app.test/done"]);
    const again = await anonymous(fetch).call(link.pathname + link.search);
    expect(again.headers.get("location")).toBe("https://app.test/done?error=INVALID_TOKEN");
    const elsewhere = { email: person.email, callbackURL: "https://evil.test/" };
    expect((await post("/send-verification-email", elsewhere, bearer(person))).status).toBe(403);
  });

  it("L8 can be requested again, with the same answer for known and unknown addresses", async () => {
    const person = await someone(fetch);
    const known = await post("/send-verification-email", { email: person.email });
    const unknown = await post("/send-verification-email", { email: nextEmail() });
    expect([known.status, await known.text()]).toEqual([unknown.status, await unknown.text()]);
    expect(known.status).toBe(200);
  });
});

describe("L8 resetting a password", () => {
  it("L3 L8 sets the new password, ends all sessions and access tokens, and mails a notice", async () => {
    const person = await someone(fetch);
    await person.create();
    const token = await resetToken(person.email);
    expect((await post("/reset-password", { token, newPassword: NEW_PASSWORD })).status).toBe(200);
    expect(await (await person.call(person.path)).json()).toMatchObject({ code: "session_ended" });
    expect((await anonymous(fetch).call("/api/auth/token", { headers: bearer(person) })).status).toBe(401);
    expect((await signIn(person.email)).status).toBe(401);
    const signedIn = await signIn(person.email, NEW_PASSWORD);
    expect((await tasksOf(clientFor(header(signedIn, "set-auth-jwt"), fetch)).list()).data).toHaveLength(1);
    expect((await mailTo(person.email, "changed")).text).not.toMatch(/https?:/);
  });

  it("L8 one of 12 parallel uses of a link succeeds, and none after", async () => {
    const person = await someone(fetch);
    const token = await resetToken(person.email);
    const passwords = Array.from({ length: 12 }, (_, n) => `${NEW_PASSWORD} ${n}`);
    const uses = passwords.map((newPassword) => post("/reset-password", { token, newPassword }));
    const statuses = (await Promise.all(uses)).map(({ status }) => status);
    expect(statuses.toSorted()).toEqual([200, ...Array(11).fill(400)]);
    const winner = passwords[statuses.indexOf(200)] ?? "";
    expect((await signIn(person.email, winner)).status).toBe(200);
    expect((await post("/reset-password", { token, newPassword: NEW_PASSWORD })).status).toBe(400);
  });

  it("L8 ends the other links", async () => {
    const person = await someone(fetch);
    const first = await resetToken(person.email);
    outbox.sent.length = 0;
    const second = await resetToken(person.email);
    expect(second).not.toBe(first);
    expect((await post("/reset-password", { token: second, newPassword: NEW_PASSWORD })).status).toBe(200);
    expect((await post("/reset-password", { token: first, newPassword: "yet another one" })).status).toBe(400);
  });

  it("L8 a link expires after half an hour", async () => {
    const person = await someone(fetch);
    const token = await resetToken(person.email);
    const row = await env.DB.prepare("select expires_at as at from mailed_link where user_id = ? and purpose = ?")
      .bind(person.id, "password")
      .first<{ at: number }>();
    expect(Math.abs((row?.at ?? 0) - Date.now() - 30 * 60_000)).toBeLessThan(5000);
    await env.DB.prepare("update mailed_link set expires_at = ?")
      .bind(Date.now() - 1)
      .run();
    expect((await post("/reset-password", { token, newPassword: NEW_PASSWORD })).status).toBe(400);
    expect((await signIn(person.email)).status).toBe(200);
  });

  it("L8 gives the same answer for unknown addresses, and mails them nothing", async () => {
    const person = await someone(fetch);
    const stranger = nextEmail();
    const tell = async (email: string) => {
      const answer = await post("/request-password-reset", { email });
      return { status: answer.status, body: await answer.text(), headers: [...answer.headers.keys()] };
    };
    expect(await tell(person.email)).toEqual(await tell(stranger));
    await mailTo(person.email, "Reset");
    expect(outbox.sent.some(({ to }) => to === stranger)).toBe(false);
  });

  it("L8 cannot be used to flood a mailbox", async () => {
    const person = await someone(fetch);
    const before = (await mailTo(person.email)) && outbox.sent.filter(({ to }) => to === person.email).length;
    for (let n = 0; n < 12; n += 1)
      expect((await post("/request-password-reset", { email: person.email })).status).toBe(200);
    await scheduler.wait(200);
    expect(outbox.sent.filter(({ to }) => to === person.email).length - before).toBeLessThanOrEqual(5);
  });

  it("L8 a listed redirectTo receives the token; any other is refused", async () => {
    const person = await someone(fetch);
    const ask = (redirectTo: string) => post("/request-password-reset", { email: person.email, redirectTo });
    for (const elsewhere of ["https://evil.test/", "https://app.test/", "https://app.test/done?x=1", "/tasks"]) {
      expect((await ask(elsewhere)).status, elsewhere).toBe(403);
    }
    expect((await ask("https://app.test/done")).status).toBe(200);
    const link = linkIn(await mailTo(person.email, "Reset"));
    expect([link.origin, link.pathname]).toEqual(["https://app.test", "/done"]);
    const token = link.searchParams.get("token");
    expect((await post("/reset-password", { token, newPassword: NEW_PASSWORD })).status).toBe(200);
  });
});

describe("L8 changing the address", () => {
  it("L8 asks the old address of a verified account first, then the new one", async () => {
    const person = await someone(fetch);
    await follow(linkIn(await mailTo(person.email)));
    const newEmail = nextEmail();
    expect((await post("/change-email", { newEmail }, bearer(person))).status).toBe(200);
    const confirmation = await mailTo(person.email, "change");
    expect(confirmation.text).toContain(newEmail);
    expect((await follow(linkIn(confirmation))).status).toBe(200);
    expect(await userOf(newEmail)).toBeNull();
    const link = linkIn(await mailTo(newEmail));
    expect((await follow(link)).status).toBe(200);
    expect((await mailTo(person.email, "was changed")).text).toContain("moved to another address");
    expect(await userOf(newEmail)).toMatchObject({ id: person.id, email_verified: 1 });
    expect((await signIn(newEmail)).status).toBe(200);
    expect((await signIn(person.email)).status).toBe(401);
    expect((await follow(link)).status).toBe(401);
  });

  it("L8 to an address with an account gets the same answer, and changes nothing", async () => {
    const [person, other] = [await someone(fetch), await someone(fetch)];
    const taken = await post("/change-email", { newEmail: other.email }, bearer(person));
    const free = await post("/change-email", { newEmail: nextEmail() }, bearer(person));
    expect([taken.status, await taken.text()]).toEqual([free.status, await free.text()]);
    expect(await userOf(other.email)).toMatchObject({ id: other.id });
  });

  it("L8 needs a session that is at most 15 minutes old", async () => {
    const person = await someone(fetch);
    const old = Date.now() - 16 * 60_000;
    await env.DB.prepare("update session set created_at = ? where user_id = ?").bind(old, person.id).run();
    const answer = await post("/change-email", { newEmail: nextEmail() }, bearer(person));
    expect(answer.status).toBe(403);
    expect(await answer.json()).toMatchObject({ code: "SESSION_NOT_FRESH" });
  });
});

describe("L8 changing the password", () => {
  it("L8 sends a notice with and without revocation, and none after a failure", async () => {
    for (const revokeOtherSessions of [true, false]) {
      const person = await someone(fetch);
      const json = { currentPassword: "not the password", newPassword: NEW_PASSWORD, revokeOtherSessions };
      expect((await post("/change-password", json, bearer(person))).status).toBe(400);
      await scheduler.wait(100);
      expect(outbox.sent.some(({ to, subject }) => to === person.email && subject.includes("changed"))).toBe(false);
      await post("/change-password", { ...json, currentPassword: PASSWORD }, bearer(person));
      expect((await mailTo(person.email, "changed")).text).toContain("was just changed");
    }
  });
});

describe("L8 without a sender", () => {
  it.each(["/request-password-reset", "/send-verification-email", "/change-email"])(
    "L8 %s says so, and pretends nothing",
    async (path) => {
      const person = await someone();
      const json = { email: person.email, newEmail: nextEmail() };
      const answer = await anonymous().call(`/api/auth${path}`, { json, headers: bearer(person) });
      expect(answer.status).toBe(503);
      expect(await answer.json()).toMatchObject({ code: "EMAIL_NOT_CONFIGURED" });
      expect(answer.headers.has("retry-after")).toBe(true);
      const links = env.DB.prepare("select count(*) as n from mailed_link where user_id = ?").bind(person.id);
      expect(await links.first()).toEqual({ n: 0 });
    },
  );

  it("L8 a failing mail service is logged, and the answer does not reveal who has an account", async () => {
    const broken = { send: () => Promise.reject(new Error("E_SENDER_NOT_VERIFIED private@example.com")) };
    const bindings = { EMAIL: broken as unknown as SendEmail };
    const { fetch: failing } = await hastyApp({ vars: MAILING, bindings });
    const person = await someone(failing);
    const ask = (email: string) => anonymous(failing).call("/api/auth/request-password-reset", { json: { email } });
    const [known, unknown] = [await ask(person.email), await ask(nextEmail())];
    expect([known.status, await known.text()]).toEqual([unknown.status, await unknown.text()]);
  });
});

describe("U2 L8 with REQUIRE_EMAIL_VERIFICATION", () => {
  let strict: Fetch;

  beforeAll(async () => {
    const vars = { ...MAILING, REQUIRE_EMAIL_VERIFICATION: "true" };
    ({ fetch: strict } = await hastyApp({ vars, bindings: { EMAIL: outbox.email } }));
  });

  const signUp = (email: string) =>
    anonymous(strict).call("/api/auth/sign-up/email", { json: { name: "A", email, password: PASSWORD } });

  it("U2 sign-up gives the same answer for known and unknown addresses, and opens no session", async () => {
    const email = nextEmail();
    const shape = async (answer: Response) => {
      const { token, user } = await ok<{ token: null; user: Record<string, unknown> }>(answer);
      const headers = [...answer.headers.keys()].filter((name) => name !== "x-request-id");
      return { token, user: { ...user, id: 0, createdAt: 0, updatedAt: 0 }, headers };
    };
    const [first, again] = [await shape(await signUp(email)), await shape(await signUp(email))];
    expect(again).toEqual(first);
    expect(first.token).toBeNull();
    expect(first.headers).not.toContain("set-cookie");
    expect(first.headers).not.toContain("set-auth-jwt");
    expect((await mailTo(email, "already")).text).toContain("already has an account");
  });

  it("L8 signing in needs a confirmed address, and confirming it sets the password", async () => {
    const email = nextEmail();
    await signUp(email);
    const attempt = (password: string) =>
      anonymous(strict).call("/api/auth/sign-in/email", { json: { email, password } });
    const refused = await attempt(PASSWORD);
    expect(refused.status).toBe(403);
    expect(refused.headers.has("set-auth-jwt")).toBe(false);
    // Both mails, of the sign-up and of the sign-in: neither arms what a stranger may have chosen.
    await expect.poll(() => outbox.sent.filter(({ to }) => to === email).length).toBe(2);
    for (const mail of outbox.sent.filter(({ to }) => to === email)) {
      const token = linkIn(mail).hash.slice(1);
      expect((await anonymous(strict).call(`/api/auth/verify-email?token=${token}`)).status).toBe(401);
      expect((await attempt(PASSWORD)).status).toBe(403);
    }
    const token = linkIn(await mailTo(email, "Confirm")).hash.slice(1);
    const json = { token, newPassword: NEW_PASSWORD };
    expect((await anonymous(strict).call("/api/auth/reset-password", { json })).status).toBe(200);
    expect((await attempt(PASSWORD)).status).toBe(401);
    expect((await attempt(NEW_PASSWORD)).status).toBe(200);
    expect(await userOf(email)).toMatchObject({ email_verified: 1 });
  });
});
