import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import commonPasswords from "../../src/auth/passwords/common-passwords.txt";
import { hashPassword, isOutdated, verifyPassword } from "../../src/auth/passwords/scrypt.ts";
import { appWith } from "../support/apps.ts";
import { anonymous, header, nextEmail, PASSWORD, someone } from "../support/client.ts";

const common = commonPasswords.split("\n").filter((line) => line !== "" && !line.startsWith("#"));

const { fetch } = await appWith({ settings: { evenAnswerMs: 0 } });

const signUp = (password: unknown, email = nextEmail(), name = "Somebody") =>
  anonymous(fetch).call("/api/auth/sign-up/email", { json: { name, email, password } });
const signIn = (email: string, password: string) =>
  anonymous(fetch).call("/api/auth/sign-in/email", { json: { email, password } });
const storedHash = async (userId: string) =>
  (await env.DB.prepare("select password from account where user_id = ?").bind(userId).first<{ password: string }>())
    ?.password ?? "";

describe("U4 which passwords may be set", () => {
  it("U4 the list holds 3,000 passwords that the rest of the policy would accept", () => {
    expect(new Set(common).size).toBe(3000);
    expect(common.every((password) => password.length >= 8 && password === password.toLowerCase())).toBe(true);
    expect(commonPasswords).toMatch(/^# [\s\S]*@zxcvbn-ts[\s\S]*MIT/);
  });

  it.each([common[0], common[1], common[1499], common[2999], common[5]?.toUpperCase()])(
    "U4 %s is too common",
    async (password) => {
      const answer = await signUp(password);
      expect(answer.status).toBe(400);
      expect(await answer.json()).toMatchObject({ code: "PASSWORD_TOO_COMMON" });
    },
  );

  it("U4 every password of the list is refused, also on change and reset", async () => {
    const person = await someone(fetch);
    const headers = { authorization: `Bearer ${person.sessionToken}` };
    for (const path of ["/change-password", "/reset-password"]) {
      const json = { currentPassword: PASSWORD, token: "x", newPassword: common[7] };
      const answer = await anonymous(fetch).call(`/api/auth${path}`, { json, headers });
      expect(await answer.json()).toMatchObject({ code: "PASSWORD_TOO_COMMON" });
    }
  });

  it("U4 a refused new password is not counted as an attempt at the old one", async () => {
    const person = await someone();
    const headers = { authorization: `Bearer ${person.sessionToken}` };
    const change = (newPassword: string) =>
      anonymous().call("/api/auth/change-password", { json: { currentPassword: PASSWORD, newPassword }, headers });
    for (let n = 0; n < 6; n += 1) expect((await change("password")).status).toBe(400);
    expect((await change("a new and better one")).status).toBe(200);
  });

  it.each(["ｐａｓｓｗｏｒｄ", "ＰＡＳＳＷＯＲＤ１", " password ", "12345678\u200b", "pass\u00adword"])(
    "U4 so is %j, which is one of them to whoever guesses",
    async (password) => {
      expect(await (await signUp(password)).json()).toMatchObject({ code: "PASSWORD_TOO_COMMON" });
    },
  );

  it("U4 the user's address and name and the product's name are refused", async () => {
    const email = `longenough-${crypto.randomUUID()}@example.com`;
    const own = [email, email.toUpperCase(), email.split("@")[0] ?? "", "Some Body", "Ｓｏｍｅ Body "];
    const ours = ["edgetasks", "edge tasks", "edge_tasks123", "!Edge-Tasks2026!", "edge.tasks", "ｅｄｇｅ　ｔａｓｋｓ"];
    for (const password of [...own, ...ours]) {
      expect(await (await signUp(password, email, "Some Body")).json(), password).toMatchObject({
        code: "PASSWORD_TOO_COMMON",
      });
    }
  });

  it.each([
    ["7 characters", "a b c d"],
    ["7 emoji", "🔑".repeat(7)],
  ])("U4 %s are too few", async (_what, password) => {
    expect(await (await signUp(password)).json()).toMatchObject({ code: "PASSWORD_TOO_SHORT" });
  });

  it.each([
    ["129 characters", "x".repeat(129)],
    ["129 emoji", "🔑".repeat(129)],
  ])("U4 %s are too many", async (_what, password) => {
    expect(await (await signUp(password)).json()).toMatchObject({ code: "PASSWORD_TOO_LONG" });
  });

  const kept = [
    "  spaces around  ",
    "        ",
    "🔑".repeat(128),
    "ümläuté",
    "ALL UPPER",
    "e\u0301e\u0301e\u0301e\u0301",
    "'; drop table user;--",
    "x".repeat(128),
  ];
  const variants = (password: string) =>
    [password.trim(), password.normalize("NFC"), password.toLowerCase(), `${password} `, password.slice(0, -1)].filter(
      (variant) => variant !== password,
    );

  it.each(kept.filter((password) => [...password].length >= 8))(
    "U4 %j is stored exactly: no other text matches",
    async (password) => {
      const email = nextEmail();
      expect((await signUp(password, email)).status).toBe(200);
      expect((await signIn(email, password)).status).toBe(200);
      for (const variant of variants(password).slice(0, 3))
        expect([400, 401], variant).toContain((await signIn(email, variant)).status);
    },
  );
});

describe("U4 how a password is stored", () => {
  it("U4 with scrypt at OWASP's minimum, with its parameters and a salt of its own", async () => {
    const [one, two] = [await someone(fetch), await someone(fetch)];
    const [first, second] = [await storedHash(one.id), await storedHash(two.id)];
    expect(first).toMatch(/^\$scrypt\$ln=14,r=8,p=5\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$/);
    expect(first).not.toBe(second);
    expect(isOutdated(first)).toBe(false);
  });

  it("U4 a hash with weaker parameters is accepted, and replaced at the next sign-in", async () => {
    const person = await someone(fetch);
    const weak = await hashPassword(PASSWORD, { cost: 12, blockSize: 8, parallelism: 1 });
    expect(isOutdated(weak)).toBe(true);
    await env.DB.prepare("update account set password = ? where user_id = ?").bind(weak, person.id).run();
    expect((await signIn(person.email, "not the password")).status).toBe(401);
    expect(await storedHash(person.id)).toBe(weak);
    expect((await signIn(person.email, PASSWORD)).status).toBe(200);
    expect(await storedHash(person.id)).toMatch(/^\$scrypt\$ln=14,r=8,p=5\$/);
    expect((await signIn(person.email, PASSWORD)).status).toBe(200);
  });

  it("U4 a text that is not such a hash matches no password, and costs nothing", async () => {
    const texts = [
      "",
      "x",
      "$scrypt$ln=0,r=8,p=5$",
      "$scrypt$ln=30,r=8,p=5$",
      "$scrypt$ln=14,r=8,p=99$",
      "$scrypt$ln=14,r=8,p=5$",
    ];
    for (const text of texts) {
      for (const tail of ["", "$", "a$a", `${"a".repeat(22)}$${"a".repeat(43)}`]) {
        expect(await verifyPassword(text + tail, PASSWORD), text + tail).toBe(false);
      }
    }
  });

  it("U6 an unavailable hasher is 503, and nobody is signed up or in", async () => {
    const person = await someone(fetch);
    const broken = { idFromName: () => ({}), get: () => ({ hash: fail, verify: fail }) };
    function fail(): never {
      throw new Error("Durable Object is overloaded");
    }
    const bindings = { PASSWORD_HASHER: broken as unknown as Env["PASSWORD_HASHER"] };
    const { fetch: failing } = await appWith({ bindings });
    const email = nextEmail();
    for (const [path, json] of [
      ["/sign-up/email", { name: "x", email, password: PASSWORD }],
      ["/sign-in/email", { email: person.email, password: PASSWORD }],
      ["/sign-in/email", { email: nextEmail(), password: PASSWORD }],
    ] as const) {
      const answer = await anonymous(failing).call(`/api/auth${path}`, { json });
      expect(answer.status).toBe(503);
      expect(Number(header(answer, "retry-after"))).toBeGreaterThan(0);
      expect(await answer.text()).not.toContain("overloaded");
      expect(answer.headers.has("set-auth-jwt")).toBe(false);
    }
    expect(await env.DB.prepare("select 1 from user where email = ?").bind(email).first()).toBeNull();
  });
});
