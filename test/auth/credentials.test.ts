/** Changes of credentials: all of each at once, and nothing that was decided by what no longer holds. */
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { hastyApp } from "../support/apps.ts";
import { anonymous, type Fetch, header, nextEmail, ORIGIN, PASSWORD, type Person, someone } from "../support/client.ts";
import { failingD1, flakyD1, meddledD1 } from "../support/intercepted-d1.ts";
import { createOutbox, linkIn } from "../support/outbox.ts";
import { quickHasher } from "../support/quick-hasher.ts";

const NEW_PASSWORD = "a new and better one";
const vars = { EMAIL_FROM: "tasks@tasks.test", BETTER_AUTH_URL: ORIGIN };
const outbox = createOutbox();
const { fetch } = await hastyApp({ vars, bindings: { EMAIL: outbox.email } });

const bearer = (sessionToken: string) => ({ authorization: `Bearer ${sessionToken}` });
const post = (path: string, json: object, headers: Record<string, string> = {}, through: Fetch = fetch) =>
  anonymous(through).call(`/api/auth${path}`, { json, headers });
const signIn = (email: string, password: string, through: Fetch = fetch) =>
  post("/sign-in/email", { email, password }, {}, through);

async function resetToken(email: string): Promise<string> {
  await post("/request-password-reset", { email });
  return linkIn(await outbox.mailTo(email, "Reset")).hash.slice(1);
}

/** What an owner has: which password, how many sessions and links. */
async function stateOf(person: Person) {
  const count = async (table: string) =>
    (
      await env.DB.prepare(`select count(*) as n from ${table} where user_id = ?`)
        .bind(person.id)
        .first<{ n: number }>()
    )?.n ?? 0;
  const account = await env.DB.prepare("select password from account where user_id = ?")
    .bind(person.id)
    .first<{ password: string }>();
  return { password: account?.password, sessions: await count("session"), links: await count("mailed_link") };
}

/** A hasher whose next verification is told of when it is done, and answers only when it is let go. */
function heldHasher() {
  let release = () => {};
  let reached = () => {};
  const isReached = new Promise<void>((resolve) => {
    reached = resolve;
  });
  const isReleased = new Promise<void>((resolve) => {
    release = resolve;
  });
  const hashers = {
    ...quickHasher,
    get: (id: DurableObjectId) => {
      const hasher = quickHasher.get(id);
      const verify = async (hash: string, password: string) => {
        const verified = await hasher.verify(hash, password);
        reached();
        await isReleased;
        return verified;
      };
      return { hash: (password: string) => hasher.hash(password), verify };
    },
  } as unknown as Env["PASSWORD_HASHER"];
  return { hashers, isReached, release: () => release() };
}

describe("U8 one transaction", () => {
  const CHANGES: [string, (person: Person, link: string, through: Fetch) => Promise<Response>][] = [
    ["a reset", (_, token, through) => post("/reset-password", { token, newPassword: NEW_PASSWORD }, {}, through)],
    [
      "a change that ends the other sessions",
      ({ sessionToken }, _, through) => {
        const json = { currentPassword: PASSWORD, newPassword: NEW_PASSWORD, revokeOtherSessions: true };
        return post("/change-password", json, bearer(sessionToken), through);
      },
    ],
  ];

  for (const [name, change] of CHANGES) {
    it(`U8 ${name}: if D1 fails at any round trip, all or nothing is done`, async () => {
      let refusals = 0;
      for (let healthy = 0; healthy < 10; healthy += 1) {
        for (const wasDone of [false, true]) {
          const d1 = wasDone
            ? flakyD1(env.DB, "D1_ERROR: Network connection lost.", 1, true, healthy)
            : failingD1(env.DB, "D1_ERROR: Network connection lost.", healthy);
          const { fetch: failing } = await hastyApp({ vars, d1, bindings: { EMAIL: outbox.email } });
          const person = await someone(fetch);
          await signIn(person.email, PASSWORD);
          const token = await resetToken(person.email);
          const before = await stateOf(person);
          const answer = await change(person, token, failing);
          const after = await stateOf(person);
          const what = `${healthy} ${wasDone} ${answer.status}`;
          expect([200, 503], what).toContain(answer.status);
          if (after.password === before.password) expect(after, what).toEqual(before);
          else expect([after.sessions <= 1, after.links], what).toEqual([true, 0]);
          if (answer.status === 200) expect(after.password, what).not.toBe(before.password);
          // What comes after it, such as a notice, takes nothing back: who is told of trouble would do it again.
          else if (!wasDone) expect(after.password, what).toBe(before.password);
          refusals += answer.status === 503 ? 1 : 0;
        }
      }
      expect(refusals).toBeGreaterThan(3);
    });
  }
});

describe("U8 a link at the old address", () => {
  it("U8 stays valid if D1 fails before the mail to the new address is sent", async () => {
    let refusals = 0;
    for (let healthy = 0; healthy < 7; healthy += 1) {
      const [person, newEmail] = [await someone(fetch), nextEmail()];
      await env.DB.prepare("update user set email_verified = 1 where id = ?").bind(person.id).run();
      await post("/change-email", { newEmail }, bearer(person.sessionToken));
      const token = linkIn(await outbox.mailTo(person.email, "change of")).hash.slice(1);
      const d1 = failingD1(env.DB, "D1_ERROR: Network connection lost.", healthy);
      const { fetch: failing } = await hastyApp({ vars, d1, bindings: { EMAIL: outbox.email } });
      const follow = (through: Fetch) => anonymous(through).call(`/api/auth/verify-email?token=${token}`);
      const answer = await follow(failing);
      refusals += answer.status === 503 ? 1 : 0;
      if (answer.status === 503) expect((await follow(fetch)).status, `${healthy} round trips`).toBe(200);
      expect((await outbox.mailTo(newEmail, "new")).to).toBe(newEmail);
    }
    expect(refusals).toBeGreaterThan(3);
  });
});

describe("U8 work that was verified with the old password", () => {
  const WORKS: [string, (person: Person, through: Fetch) => Promise<Response>, number][] = [
    ["a sign-in", ({ email }, through) => signIn(email, PASSWORD, through), 401],
    [
      "a change of the password",
      ({ sessionToken }, through) =>
        post(
          "/change-password",
          { currentPassword: PASSWORD, newPassword: "the thief's own choice" },
          bearer(sessionToken),
          through,
        ),
      400,
    ],
    [
      "a change that opens a session",
      ({ sessionToken }, through) => {
        const json = { currentPassword: PASSWORD, newPassword: "the thief's own choice", revokeOtherSessions: true };
        return post("/change-password", json, bearer(sessionToken), through);
      },
      400,
    ],
    [
      "a deletion",
      ({ sessionToken }, through) => post("/delete-user", { password: PASSWORD }, bearer(sessionToken), through),
      400,
    ],
  ];

  for (const [name, work, status] of WORKS) {
    it.each(["reset", "changed", "revoked"])(`U8 ${name} does not complete when it was %s meanwhile`, async (how) => {
      if (how === "revoked" && name === "a sign-in") return;
      const { hashers, isReached, release } = heldHasher();
      const { fetch: held } = await hastyApp({ vars, bindings: { EMAIL: outbox.email, PASSWORD_HASHER: hashers } });
      const person = await someone(fetch);
      const owner = header(await signIn(person.email, PASSWORD), "set-auth-token");
      const token = await resetToken(person.email);
      const attempt = work(person, held);
      await isReached;
      const json = { currentPassword: PASSWORD, newPassword: NEW_PASSWORD, revokeOtherSessions: true };
      const defences: Record<string, () => Promise<Response>> = {
        reset: () => post("/reset-password", { token, newPassword: NEW_PASSWORD }),
        changed: () => post("/change-password", json, bearer(owner)),
        revoked: () => post("/revoke-other-sessions", {}, bearer(owner)),
      };
      expect((await defences[how]?.())?.status).toBe(200);
      const defended = await stateOf(person);
      release();
      const answer = await attempt;
      expect(answer.status).toBe(status);
      for (const opening of ["set-auth-jwt", "set-auth-token"]) expect(answer.headers.has(opening)).toBe(false);
      expect(await stateOf(person)).toEqual(defended);
      expect((await signIn(person.email, how === "revoked" ? PASSWORD : NEW_PASSWORD)).status).toBe(200);
    });
  }

  it("L2 a change of the name is refused if its session has ended meanwhile", async () => {
    const outcomes = [];
    for (let at = 0; at < 6; at += 1) {
      const person = await someone(fetch);
      const revoke = () => env.DB.prepare("delete from session where user_id = ?").bind(person.id).run();
      const { fetch: meddled } = await hastyApp({ vars, d1: meddledD1(env.DB, at, revoke) });
      const answer = await post("/update-user", { name: "Theirs" }, bearer(person.sessionToken), meddled);
      const left = await env.DB.prepare("select count(*) as n from session where user_id = ?")
        .bind(person.id)
        .first("n");
      const name = await env.DB.prepare("select name from user where id = ?").bind(person.id).first("name");
      // Once it was done before the session ended, or is not done at all.
      if (left === 0)
        expect([answer.status, name, answer.headers.has("set-auth-token")]).toEqual([401, "Someone", false]);
      outcomes.push(left);
    }
    expect(outcomes).toContain(0);
    expect(outcomes).toContain(1);
  });

  it("U8 one of two parallel changes completes", async () => {
    const person = await someone(fetch);
    const change = (newPassword: string) =>
      post("/change-password", { currentPassword: PASSWORD, newPassword }, bearer(person.sessionToken));
    const passwords = Array.from({ length: 4 }, (_, n) => `${NEW_PASSWORD} ${n}`);
    const statuses = (await Promise.all(passwords.map(change))).map(({ status }) => status);
    expect(statuses.toSorted()).toEqual([200, 400, 400, 400]);
    expect((await signIn(person.email, passwords[statuses.indexOf(200)] ?? "")).status).toBe(200);
  });
});

describe("U4 a password may not be", () => {
  it.each([
    ["the person's address", (email: string) => email],
    ["the part before its @", (email: string) => email.split("@")[0] ?? ""],
    ["that in other letters", (email: string) => (email.split("@")[0] ?? "").toUpperCase()],
    ["their name", () => "Someone Else"],
    ["their name, full-width", () => "Ｓｏｍｅｏｎｅ Ｅｌｓｅ"],
  ])("U4 %s, at sign-up, change and reset", async (_, own) => {
    const email = nextEmail();
    const name = "Someone Else";
    const account = { name, email, password: own(email) };
    expect((await post("/sign-up/email", account)).status).toBe(400);
    const signedUp = await post("/sign-up/email", { ...account, password: PASSWORD });
    const json = { currentPassword: PASSWORD, newPassword: own(email) };
    const changed = await post("/change-password", json, bearer(header(signedUp, "set-auth-token")));
    expect(await changed.json()).toMatchObject({ code: "PASSWORD_TOO_COMMON" });
    const token = await resetToken(email);
    const reset = await post("/reset-password", { token, newPassword: own(email) });
    expect(await reset.json()).toMatchObject({ code: "PASSWORD_TOO_COMMON" });
    expect((await post("/reset-password", { token, newPassword: NEW_PASSWORD })).status, "the link is left").toBe(200);
  });
});

describe("U2 many sign-ins at once", () => {
  it("U2 all parallel sign-ins succeed while one of them stores a stronger hash", async () => {
    const person = await someone(fetch);
    const answers = await Promise.all(Array.from({ length: 5 }, () => signIn(person.email, PASSWORD)));
    expect(answers.map(({ status }) => status)).toEqual(Array(5).fill(200));
  });
});
