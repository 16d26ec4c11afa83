/** Links in mails: what each works for, and what ends it. */
import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, it, vi } from "vitest";
import { FREE_MAILS } from "../../src/auth/throttling/throttle.ts";
import { hastyApp } from "../support/apps.ts";
import { anonymous, type Fetch, header, nextEmail, ORIGIN, PASSWORD, type Person, someone } from "../support/client.ts";
import { failingD1 } from "../support/intercepted-d1.ts";
import { createOutbox, linkIn } from "../support/outbox.ts";

const NEW_PASSWORD = "a new and better one";
const MAILING = { EMAIL_FROM: "tasks@tasks.test", BETTER_AUTH_URL: ORIGIN, CALLBACK_URLS: "/done" };
const outbox = createOutbox();
let fetch: Fetch;

beforeAll(async () => {
  ({ fetch } = await hastyApp({ vars: MAILING, bindings: { EMAIL: outbox.email } }));
});

const bearer = (sessionToken: string) => ({ authorization: `Bearer ${sessionToken}` });
const post = (path: string, json: object, headers: Record<string, string> = {}) =>
  anonymous(fetch).call(`/api/auth${path}`, { json, headers });
const follow = (token: string, headers: Record<string, string> = {}) =>
  anonymous(fetch).call(`/api/auth/verify-email?token=${encodeURIComponent(token)}`, { headers });
const userOf = (email: string) =>
  env.DB.prepare("select * from user where email = ?").bind(email).first<{ id: string; email_verified: number }>();
const signIn = (email: string, password = PASSWORD) => post("/sign-in/email", { email, password });

async function tokenTo(address: string, subject = ""): Promise<string> {
  return linkIn(await outbox.mailTo(address, subject)).hash.slice(1);
}

async function verified(): Promise<Person> {
  const person = await someone(fetch);
  expect((await follow(await tokenTo(person.email))).status).toBe(200);
  return person;
}

/** Asks for a change of address, and returns the link at the old address, or at the new one of an unverified account. */
async function askChange(person: Person, newEmail: string): Promise<string> {
  expect((await post("/change-email", { newEmail }, bearer(person.sessionToken))).status).toBe(200);
  return (await userOf(person.email))?.email_verified ? tokenTo(person.email, "change of") : tokenTo(newEmail, "new");
}

/** Moves an account through both links. */
async function move(person: Person, newEmail: string): Promise<void> {
  const isVerified = (await userOf(person.email))?.email_verified;
  expect((await follow(await askChange(person, newEmail))).status).toBe(200);
  if (isVerified) expect((await follow(await tokenTo(newEmail, "new"))).status).toBe(200);
  expect((await userOf(newEmail))?.id).toBe(person.id);
}

async function resetToken(email: string): Promise<string> {
  expect((await post("/request-password-reset", { email })).status).toBe(200);
  return tokenTo(email, "Reset");
}

describe("U7 an old link takes over no account", () => {
  const HOLDERS: [string, (address: string) => Promise<Person>][] = [
    [
      "by sign-up",
      async (address) => {
        const answer = await post("/sign-up/email", { name: "Owner", email: address, password: PASSWORD });
        expect(answer.status).toBe(200);
        const { user } = await answer.json<{ user: { id: string } }>();
        return { id: user.id, email: address, sessionToken: header(answer, "set-auth-token") } as Person;
      },
    ],
    [
      "by moving a verified account to it",
      async (address) => {
        const owner = await verified();
        await move(owner, address);
        return { ...owner, email: address };
      },
    ],
  ];

  for (const isVerified of [false, true]) {
    it.each(HOLDERS)(
      `U7 when somebody else has the address now, %s, attacker ${isVerified ? "" : "un"}verified`,
      async (_, hold) => {
        const attacker = isVerified ? await verified() : await someone(fetch);
        const victimAddress = attacker.email;
        const [kept, free] = [nextEmail(), nextEmail()];
        const leave = await askChange(attacker, kept);
        const keptLinks = [leave];
        if (isVerified) {
          expect((await follow(leave)).status).toBe(200);
          keptLinks.push(await tokenTo(kept, "new"));
        }
        keptLinks.push(await resetToken(victimAddress));
        await move(attacker, free);
        const owner = await hold(victimAddress);
        for (const token of keptLinks) {
          for (const headers of [{}, bearer(attacker.sessionToken), bearer(owner.sessionToken)]) {
            const answer = await follow(token, headers);
            expect([answer.status, answer.headers.getSetCookie()]).toEqual([401, []]);
          }
          expect((await post("/reset-password", { token, newPassword: NEW_PASSWORD })).status).toBe(400);
        }
        expect((await userOf(victimAddress))?.id).toBe(owner.id);
        expect((await signIn(victimAddress)).status).toBe(200);
      },
    );
  }

  it("U7 a link works for its own purpose only", async () => {
    const person = await someone(fetch);
    const verify = await tokenTo(person.email);
    expect((await post("/reset-password", { token: verify, newPassword: NEW_PASSWORD })).status).toBe(400);
    const reset = await resetToken(person.email);
    expect((await follow(reset)).status).toBe(401);
    const change = await askChange(person, nextEmail());
    expect((await post("/reset-password", { token: change, newPassword: NEW_PASSWORD })).status).toBe(400);
    for (const token of [verify, reset, change]) {
      for (const headers of [
        { authorization: `Bearer ${token}` },
        { cookie: `__Host-better-auth.session_token=${token}` },
      ]) {
        expect((await anonymous(fetch).call("/api/auth/token", { headers })).status).toBe(401);
      }
    }
    expect((await signIn(person.email)).status).toBe(200);
  });

  it("U7 a change to an address that was taken meanwhile changes nothing, and does not reveal it", async () => {
    const person = await someone(fetch);
    const contested = nextEmail();
    const token = await askChange(person, contested);
    await post("/sign-up/email", { name: "Other", email: contested, password: PASSWORD });
    const answer = await follow(token);
    expect([answer.status, (await answer.json<{ code: string }>()).code]).toEqual([401, "INVALID_TOKEN"]);
    expect((await userOf(person.email))?.id).toBe(person.id);
  });
});

describe("U7 what ends all links of a user", () => {
  /** A link of each kind that a user can have at once. */
  async function links(person: Person) {
    const tokens = [await askChange(person, nextEmail()), await resetToken(person.email)];
    return { tokens, other: await someone(fetch) };
  }

  const ENDINGS: [string, (person: Person) => Promise<Response>][] = [
    [
      "with a change of the password",
      ({ sessionToken }) =>
        post("/change-password", { currentPassword: PASSWORD, newPassword: NEW_PASSWORD }, bearer(sessionToken)),
    ],
    [
      "with one that ends the other sessions",
      ({ sessionToken }) => {
        const json = { currentPassword: PASSWORD, newPassword: NEW_PASSWORD, revokeOtherSessions: true };
        return post("/change-password", json, bearer(sessionToken));
      },
    ],
    ["with all sessions", ({ sessionToken }) => post("/revoke-sessions", {}, bearer(sessionToken))],
    ["with all other sessions", ({ sessionToken }) => post("/revoke-other-sessions", {}, bearer(sessionToken))],
    [
      "with a reset",
      async ({ email }) => post("/reset-password", { token: await resetToken(email), newPassword: NEW_PASSWORD }),
    ],
    ["with the account", ({ sessionToken }) => post("/delete-user", { password: PASSWORD }, bearer(sessionToken))],
  ];

  for (const [name, end] of ENDINGS) {
    it(`U7 ${name} ends them, and no links of others`, async () => {
      const person = await verified();
      const { tokens, other } = await links(person);
      const spared = await tokenTo(other.email);
      expect((await end(person)).status).toBe(200);
      for (const token of tokens) {
        expect((await follow(token)).status).toBe(401);
        expect((await post("/reset-password", { token, newPassword: "yet another one" })).status).toBe(400);
      }
      expect((await follow(spared)).status).toBe(200);
    });
  }

  it("U7 a change of address ends a reset link in the old mailbox", async () => {
    const person = await verified();
    const [reset, other] = [await resetToken(person.email), await askChange(person, nextEmail())];
    await move(person, nextEmail());
    expect((await post("/reset-password", { token: reset, newPassword: NEW_PASSWORD })).status).toBe(400);
    expect((await follow(other)).status).toBe(401);
  });

  it("U7 the end of one session ends the links that it requested", async () => {
    const person = await verified();
    const thief = header(await signIn(person.email), "set-auth-token");
    const [theirs, mine] = [nextEmail(), nextEmail()];
    await post("/change-email", { newEmail: theirs }, bearer(thief));
    const ofThief = await tokenTo(person.email, "change of");
    outbox.sent.length = 0;
    await post("/change-email", { newEmail: mine }, bearer(person.sessionToken));
    const ofOwner = await tokenTo(person.email, "change of");
    const json = { token: thief.split(".")[0] };
    expect((await post("/revoke-session", json, bearer(person.sessionToken))).status).toBe(200);
    expect((await follow(ofThief)).status).toBe(401);
    expect((await follow(ofOwner)).status).toBe(200);
  });

  it("U7 the second link of a change of address ends like the first", async () => {
    const person = await verified();
    const newEmail = nextEmail();
    await follow(await askChange(person, newEmail));
    const second = await tokenTo(newEmail, "new");
    expect((await post("/revoke-other-sessions", {}, bearer(person.sessionToken))).status).toBe(200);
    expect((await follow(second)).status).toBe(401);
    expect((await userOf(person.email))?.id).toBe(person.id);
  });
});

describe("U7 a link ends with the session that requested it", () => {
  const ENDINGS: [string, (person: Person) => Promise<unknown>][] = [
    ["when it signs out", ({ sessionToken }) => post("/sign-out", {}, bearer(sessionToken))],
    [
      "when another sign-in takes its place",
      ({ email, cookie }) => post("/sign-in/email", { email, password: PASSWORD }, { cookie, origin: ORIGIN }),
    ],
    [
      "when it expires",
      ({ id }) => env.DB.prepare("update session set expires_at = 1 where user_id = ?").bind(id).run(),
    ],
    ["when the operator ends it", ({ id }) => env.DB.prepare("delete from session where user_id = ?").bind(id).run()],
  ];

  for (const [name, end] of ENDINGS) {
    it.each([true, false])(`U7 ${name}, verified: %s`, async (isVerified) => {
      const person = isVerified ? await verified() : await someone(fetch);
      const token = await askChange(person, nextEmail());
      await end(person);
      expect((await follow(token)).status).toBe(401);
      expect((await userOf(person.email))?.id).toBe(person.id);
    });
  }

  it("U7 a link ends when its address is changed, by whomever", async () => {
    const person = await verified();
    const tokens = [await askChange(person, nextEmail()), await resetToken(person.email)];
    await env.DB.prepare("update user set email = ? where id = ?").bind(nextEmail(), person.id).run();
    for (const token of tokens) {
      expect((await follow(token)).status).toBe(401);
      expect((await post("/reset-password", { token, newPassword: NEW_PASSWORD })).status).toBe(400);
    }
  });

  it("U7 confirming the address ends a change that was requested before", async () => {
    const person = await someone(fetch);
    const [verify, arrive] = [await tokenTo(person.email), await askChange(person, nextEmail())];
    expect((await follow(verify)).status).toBe(200);
    expect((await follow(arrive)).status).toBe(401);
  });
});

describe("L8 nobody can flood a mailbox", () => {
  const FLOOD = 6;
  const mailsTo = async (address: string, subject: string) => {
    await scheduler.wait(50);
    return outbox.sent.filter((mail) => mail.to === address && mail.subject.includes(subject)).length;
  };
  const changes = async (sessionToken: string, newEmail: string) => {
    for (let n = 0; n < FREE_MAILS; n += 1) await post("/change-email", { newEmail }, bearer(sessionToken));
  };

  it("L8 with changes of address of many unconfirmed sessions", async () => {
    const [person, another, victim] = [await someone(fetch), await someone(fetch), nextEmail()];
    for (const { email } of [person, person, person, another]) {
      await changes(header(await signIn(email), "set-auth-token"), victim);
    }
    expect(await mailsTo(victim, "new")).toBe(FREE_MAILS);
  });

  it("L8 with changes of address of several confirmed accounts", async () => {
    const victim = nextEmail();
    for (let n = 0; n < FLOOD + 1; n += 1) await follow(await askChange(await verified(), victim));
    expect(await mailsTo(victim, "new")).toBe(FREE_MAILS);
  });

  it("L8 with names behind a +", async () => {
    const name = crypto.randomUUID();
    for (let n = 0; n < FLOOD + 4; n += 1) {
      const json = { name: "A", email: `${name}+${n}@example.com`, password: PASSWORD };
      expect((await post("/sign-up/email", json)).status).toBe(200);
    }
    await scheduler.wait(50);
    expect(outbox.sent.filter(({ to }) => to.startsWith(name))).toHaveLength(FREE_MAILS);
  });

  it("L8 and strangers who request the address do not stop its owner from leaving it", async () => {
    const owner = await verified();
    for (let n = 0; n < FLOOD; n += 1) await follow(await askChange(await verified(), owner.email));
    const newEmail = nextEmail();
    await move(owner, newEmail);
  });

  it("L8 and a link that had to wait stays valid", async () => {
    const [person, newEmail] = [await verified(), nextEmail()];
    const token = await askChange(person, newEmail);
    for (let n = 0; n < FREE_MAILS; n += 1) await follow(await askChange(await verified(), newEmail));
    const refused = await follow(token);
    expect([refused.status, refused.headers.has("retry-after")]).toEqual([429, true]);
    await env.DB.prepare("update throttle set blocked_until = 0").run();
    expect((await follow(token)).status).toBe(200);
  });

  it("L8 with resets from many devices of an unconfirmed account", async () => {
    const victim = await someone(fetch);
    for (let n = 0; n < FLOOD; n += 1) {
      const origin = { origin: ORIGIN, "sec-fetch-site": "same-origin" };
      const signedIn = await post("/sign-in/email", { email: victim.email, password: PASSWORD }, origin);
      const device =
        signedIn.headers
          .getSetCookie()
          .find((cookie) => cookie.includes("device"))
          ?.split(";")[0] ?? "";
      for (let m = 0; m < FREE_MAILS; m += 1) {
        await post("/request-password-reset", { email: victim.email }, { cookie: device, origin: ORIGIN });
      }
    }
    expect(await mailsTo(victim.email, "Reset")).toBe(FREE_MAILS);
  });

  it("L8 with notices of password changes", async () => {
    const { email, ...person } = await someone(fetch);
    let session = person.sessionToken;
    for (let n = 0; n < FREE_MAILS + 3; n += 1) {
      const json = { currentPassword: PASSWORD, newPassword: PASSWORD, revokeOtherSessions: true };
      const answer = await post("/change-password", json, bearer(session));
      expect(answer.status).toBe(200);
      session = header(answer, "set-auth-token");
    }
    expect(await mailsTo(email, "was changed")).toBe(FREE_MAILS);
  });

  it("L8 with accounts that are created and deleted repeatedly", async () => {
    const email = nextEmail();
    for (let n = 0; n < FREE_MAILS + 2; n += 1) {
      const answer = await post("/sign-up/email", { name: "A", email, password: PASSWORD });
      expect(answer.status).toBe(200);
      await post("/delete-user", { password: PASSWORD }, bearer(header(answer, "set-auth-token")));
    }
    expect(await mailsTo(email, "Confirm")).toBe(FREE_MAILS);
  });
});

describe("U7 with REQUIRE_EMAIL_VERIFICATION", () => {
  let strict: Fetch;
  const asStrict = (path: string, json: object, headers: Record<string, string> = {}) =>
    anonymous(strict).call(`/api/auth${path}`, { json, headers });

  beforeAll(async () => {
    const vars = { ...MAILING, REQUIRE_EMAIL_VERIFICATION: "true" };
    ({ fetch: strict } = await hastyApp({ vars, bindings: { EMAIL: outbox.email } }));
  });

  it("U7 confirming a new address sets the password and ends the sessions", async () => {
    const [stranger, owners] = [await verified(), nextEmail()];
    await asStrict("/change-email", { newEmail: owners }, bearer(stranger.sessionToken));
    const leave = await tokenTo(stranger.email, "change of");
    expect((await anonymous(strict).call(`/api/auth/verify-email?token=${leave}`)).status).toBe(200);
    const link = linkIn(await outbox.mailTo(owners, "new"));
    expect(link.pathname).toBe("/reset-password");
    const token = link.hash.slice(1);
    expect((await anonymous(strict).call(`/api/auth/verify-email?token=${token}`)).status).toBe(401);
    expect((await asStrict("/reset-password", { token, newPassword: NEW_PASSWORD })).status).toBe(200);
    expect(await userOf(owners)).toMatchObject({ id: stranger.id, email_verified: 1 });
    expect((await asStrict("/sign-in/email", { email: owners, password: PASSWORD })).status).toBe(401);
    expect((await asStrict("/sign-in/email", { email: owners, password: NEW_PASSWORD })).status).toBe(200);
    const headers = bearer(stranger.sessionToken);
    expect((await anonymous(strict).call("/api/auth/token", { headers })).status).toBe(401);
    expect((await asStrict("/reset-password", { token, newPassword: NEW_PASSWORD })).status).toBe(400);
  });

  it("U2 parallel sign-ups get the same answer, and leave one account", async () => {
    const email = nextEmail();
    const signUp = () => asStrict("/sign-up/email", { name: "A", email, password: PASSWORD });
    const statuses = (await Promise.all([signUp(), signUp(), signUp()])).map(({ status }) => status);
    expect(statuses).toEqual([200, 200, 200]);
    const accounts = env.DB.prepare("select count(*) as n from account join user on user.id = user_id where email = ?");
    expect(await accounts.bind(email).first()).toEqual({ n: 1 });
  });

  it("U2 a change of address does not reveal who has an account", async () => {
    const [person, other] = [await verified(), await verified()];
    for (const newEmail of [other.email, nextEmail()]) {
      outbox.sent.length = 0;
      expect((await asStrict("/change-email", { newEmail }, bearer(person.sessionToken))).status).toBe(200);
      const token = await tokenTo(person.email, "change of");
      expect((await anonymous(strict).call(`/api/auth/verify-email?token=${token}`)).status).toBe(200);
    }
    expect((await userOf(other.email))?.id).toBe(other.id);
  });

  it("U8 a link that could not be stored is logged", async () => {
    const log = vi.spyOn(console, "error").mockImplementation(() => {});
    const vars = { ...MAILING, REQUIRE_EMAIL_VERIFICATION: "true" };
    for (let healthy = 0; healthy < 6; healthy += 1) {
      log.mockClear();
      const email = nextEmail();
      const d1 = failingD1(env.DB, "D1_ERROR: Network connection lost.", healthy);
      const { fetch: failing } = await hastyApp({ vars, d1, bindings: { EMAIL: outbox.email } });
      const json = { name: "A", email, password: PASSWORD };
      const answer = await anonymous(failing).call("/api/auth/sign-up/email", { json });
      await scheduler.wait(50);
      const isMailed = outbox.sent.some(({ to }) => to === email);
      expect(isMailed || log.mock.calls.length > 0, `${healthy} round trips: ${answer.status}`).toBe(true);
    }
    log.mockRestore();
  });
});

describe("U7 links confirm; they open nothing", () => {
  it("U7 no answer sets a cookie or returns a token, with or without a session", async () => {
    const [person, stranger] = [await verified(), await someone(fetch)];
    const newEmail = nextEmail();
    const tokens = [await tokenTo(stranger.email), await askChange(person, newEmail)];
    const answers = [];
    for (const token of tokens) answers.push(await follow(token, { cookie: stranger.cookie }));
    answers.push(await follow(await tokenTo(newEmail, "new")));
    const reset = { token: await resetToken(newEmail), newPassword: NEW_PASSWORD };
    answers.push(await post("/reset-password", reset));
    for (const answer of answers) {
      expect(answer.status).toBe(200);
      expect(answer.headers.getSetCookie().filter((cookie) => cookie.includes("session_token"))).toEqual([]);
      for (const name of ["set-auth-token", "set-auth-jwt"]) expect(answer.headers.has(name)).toBe(false);
    }
  });
});

describe("L8 where an answer redirects", () => {
  it.each([
    "/.//evil.example",
    "//evil.example",
    "/\\evil.example",
    "/%2e//evil.example",
    "/done/..//evil.example",
    "/done\t//evil.example",
    "/done?next=//evil.example",
    "/done#x",
    "/done/",
    "/DONE",
    "/other",
    "https://evil.example",
    "https:evil.example",
    "javascript:alert(1)",
    `${ORIGIN}@evil.example`,
    ` ${"/done"}`,
  ])("L8 not to %j", async (callback) => {
    const person = await someone(fetch);
    const token = await tokenTo(person.email);
    const query = `?token=${token}&callbackURL=${encodeURIComponent(callback)}`;
    for (const search of [query, query.replace(token, "x")]) {
      const answer = await anonymous(fetch).call(`/api/auth/verify-email${search}`);
      expect([answer.status, answer.headers.get("location")]).toEqual([403, null]);
    }
    const json = { email: person.email, redirectTo: callback };
    expect((await post("/request-password-reset", json)).status).toBe(403);
    for (const path of ["/sign-in/email", "/sign-up/email", "/send-verification-email"]) {
      const body = { name: "A", email: nextEmail(), password: PASSWORD, callbackURL: callback };
      const { name: _, ...rest } = body;
      expect((await post(path, path === "/sign-up/email" ? body : rest)).status, path).not.toBe(200);
    }
    expect((await follow(token)).status, "the link was not used up").toBe(200);
  });

  it("L8 only to listed addresses, also after a failure", async () => {
    const person = await someone(fetch);
    const token = await tokenTo(person.email);
    const at = `/api/auth/verify-email?token=${token}&callbackURL=%2Fdone`;
    expect((await anonymous(fetch).call(at)).headers.get("location")).toBe("/done");
    expect((await anonymous(fetch).call(at)).headers.get("location")).toBe("/done?error=INVALID_TOKEN");
  });
});

describe("L8 without BETTER_AUTH_URL", () => {
  it("L8 no link has the host of a request, except on this machine", async () => {
    const box = createOutbox();
    const { fetch: open } = await hastyApp({
      vars: { EMAIL_FROM: "tasks@tasks.test" },
      bindings: { EMAIL: box.email },
    });
    const person = await someone(open);
    for (const path of ["/request-password-reset", "/send-verification-email"]) {
      const answer = await anonymous(open).call(`/api/auth${path}`, { json: { email: person.email } });
      expect([answer.status, (await answer.json<{ code: string }>()).code]).toEqual([503, "EMAIL_NOT_CONFIGURED"]);
    }
    await scheduler.wait(50);
    expect(box.sent).toEqual([]);
    const local = "http://localhost:8787/api/auth/request-password-reset";
    const init = { method: "POST", headers: { "content-type": "application/json" } };
    const answer = await open(new Request(local, { ...init, body: JSON.stringify({ email: person.email }) }));
    expect(answer.status).toBe(200);
    expect(linkIn(await box.mailTo(person.email)).origin).toBe("http://localhost:8787");
  });
});
