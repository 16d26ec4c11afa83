import { beforeAll, describe, expect, it } from "vitest";
import { createKeys } from "../../src/access-tokens/keys.ts";
import { readConfiguration } from "../../src/env.ts";
import { appWith } from "../support/apps.ts";
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
import { createOutbox, linkIn } from "../support/outbox.ts";

const OLD = "oGk3vT8pLx2RzQn6YbW1sHc9MfJd4AuE";
const NEW = "Zr7mXq1NfVt5KwYb9LpGh3DcSj8TeUa2";
const outbox = createOutbox();

const withSecrets = async (vars: { BETTER_AUTH_SECRET?: string; BETTER_AUTH_SECRETS?: string }) =>
  (
    await appWith({
      vars: { EMAIL_FROM: "tasks@tasks.test", BETTER_AUTH_URL: ORIGIN, ...vars },
      bindings: { EMAIL: outbox.email },
    })
  ).fetch;

let before: Fetch;
let during: Fetch;
let after: Fetch;

beforeAll(async () => {
  before = await withSecrets({ BETTER_AUTH_SECRET: OLD });
  after = await withSecrets({ BETTER_AUTH_SECRET: "", BETTER_AUTH_SECRETS: `2:${NEW}` });
});

const keyOf = (token: string) => JSON.parse(atob(token.split(".")[0] ?? "")).kid;
const cookieOf = (answer: Response) =>
  answer.headers
    .getSetCookie()
    .find((cookie) => cookie.includes("session_token"))
    ?.split(";")[0] ?? "";
const token = (fetch: Fetch, headers: Record<string, string>) => anonymous(fetch).call("/api/auth/token", { headers });
const bearer = (value: string) => ({ authorization: `Bearer ${value}` });

/** While a secret is rolled, the old one stands in the list or, if nobody has read it, where the deployment put it. */
const DURING: [string, Parameters<typeof withSecrets>[0]][] = [
  ["in the list", { BETTER_AUTH_SECRET: "", BETTER_AUTH_SECRETS: `2:${NEW},1:${OLD}` }],
  ["beside the list", { BETTER_AUTH_SECRET: OLD, BETTER_AUTH_SECRETS: `2:${NEW}` }],
  ["in both", { BETTER_AUTH_SECRET: OLD, BETTER_AUTH_SECRETS: `2:${NEW},1:${OLD}` }],
];

describe.each(DURING)("rolling the secret, with the old one %s", (_, secrets) => {
  let person: Person;

  beforeAll(async () => {
    during = await withSecrets(secrets);
    person = await someone(before);
    await person.create();
    await person.create();
  });

  it("L2 older access tokens are accepted until the old secret is removed", async () => {
    const tasks = (fetch: Fetch) => clientFor(person.accessToken, fetch).call(person.path);
    expect((await tasks(during)).status).toBe(200);
    expect(await (await tasks(after)).json()).toMatchObject({ code: "token_invalid" });
  });

  it("S2 new tokens name the newest key, also for a session that an older key signed", async () => {
    const renewed = await ok<{ token: string }>(await token(during, { cookie: person.cookie }));
    expect(keyOf(renewed.token)).not.toBe(keyOf(person.accessToken));
    for (const fetch of [during, after]) {
      expect((await clientFor(renewed.token, fetch).call(person.path)).status).toBe(200);
    }
    expect((await clientFor(renewed.token, before).call(person.path)).status).toBe(401);
  });

  it("S2 a token that names one key and is signed with another is refused", async () => {
    const { tokenWith, claimsFor } = await import("../support/client.ts");
    const [oldKey, newKey] = [keyOf(person.accessToken), keyOf((await someone(after)).accessToken)];
    const status = async (kid: unknown, secret: string) =>
      (await clientFor(await tokenWith(claimsFor(person), { kid }, secret), during).call(person.path)).status;
    expect([await status(oldKey, OLD), await status(newKey, NEW), await status(undefined, OLD)]).toEqual([
      200, 200, 200,
    ]);
    for (const [kid, secret] of [
      [oldKey, NEW],
      [newKey, OLD],
      ["unknown", NEW],
      ["", NEW],
      [1, NEW],
      [null, OLD],
    ] as const) {
      expect(await status(kid, secret), String(kid)).toBe(401);
    }
  });

  it("L1 the cookie is returned with a new signature, which is accepted after the old secret is removed", async () => {
    const used = await token(during, { cookie: person.cookie });
    expect(used.status).toBe(200);
    const cookie = cookieOf(used);
    expect(cookie).not.toBe(person.cookie);
    expect(cookie.split(".")[1]).toBe(person.cookie.split(".")[1]);
    for (const part of ["HttpOnly", "Secure", "SameSite=Lax", "Path=/", "Max-Age=604800"]) {
      expect(header(used, "set-cookie")).toContain(part);
    }
    expect((await token(after, { cookie })).status).toBe(200);
    expect((await token(after, { cookie: person.cookie })).status).toBe(401);
    expect((await token(during, { cookie })).headers.has("set-cookie")).toBe(false);
  });

  it("L1 a program's bearer value is returned with a new signature too", async () => {
    const used = await token(during, bearer(person.sessionToken));
    const renewed = header(used, "set-auth-token");
    expect((await token(after, bearer(renewed))).status).toBe(200);
    expect((await token(after, bearer(person.sessionToken))).status).toBe(401);
    expect((await token(during, bearer(renewed))).headers.has("set-auth-token")).toBe(false);
  });

  it("L1 a session cookie without expiry stays without expiry", async () => {
    const json = { email: person.email, password: PASSWORD, rememberMe: false };
    const signedIn = await anonymous(before).call("/api/auth/sign-in/email", { json });
    const cookie = signedIn.headers
      .getSetCookie()
      .map((one) => one.split(";")[0])
      .join("; ");
    const used = await token(during, { cookie });
    expect(used.headers.getSetCookie()).toHaveLength(2);
    for (const one of used.headers.getSetCookie()) expect(one).not.toContain("Max-Age");
  });

  it("L2 signing out ends the session with either signature, and returns no cookie", async () => {
    const leaver = await someone(before);
    const headers = { cookie: leaver.cookie, origin: ORIGIN };
    const answer = await anonymous(during).call("/api/auth/sign-out", { method: "POST", headers });
    expect(answer.status).toBe(200);
    expect(answer.headers.getSetCookie().filter((cookie) => /session_token=[^;]/.test(cookie))).toEqual([]);
    expect((await token(before, { cookie: leaver.cookie })).status).toBe(401);
  });

  it("S3 a cookie of an unknown secret is refused", async () => {
    const [value = ""] = person.sessionToken.split(".");
    const forged = await someone(await withSecrets({ BETTER_AUTH_SECRET: "Hk2Xs8Qw4Lz6Vn1Bc9Mf3Rt7Yp5Jd0Ga" }));
    for (const bad of [value, `${value}.`, `${value}.${"A".repeat(43)}=`, forged.sessionToken]) {
      expect((await token(during, bearer(bad))).status).toBe(401);
      expect(
        (await token(during, { cookie: `__Host-better-auth.session_token=${encodeURIComponent(bad)}` })).status,
      ).toBe(401);
    }
  });

  it("T5 older cursors and links work while the secret is rolled", async () => {
    const first = await tasksOf(clientFor(person.accessToken, before)).list("?limit=1");
    const renewed = await ok<{ token: string }>(await token(during, { cookie: person.cookie }));
    const tasks = tasksOf(clientFor(renewed.token, during));
    expect((await tasks.list(`?limit=1&cursor=${first.nextCursor}`)).data).toHaveLength(1);
    const newcomer = await someone(before);
    const link = linkIn(await outbox.mailTo(newcomer.email));
    const follow = () => anonymous(during).call(`/api/auth/verify-email?token=${link.hash.slice(1)}`);
    expect([(await follow()).status, (await follow()).status]).toEqual([200, 401]);
  });
});

describe("the secrets of a configuration", () => {
  const read = (single: string | undefined, list: string) =>
    readConfiguration({ ...(single !== undefined && { BETTER_AUTH_SECRET: single }), BETTER_AUTH_SECRETS: list });

  it.each([
    ["no single secret", undefined, `1:${NEW}`, [NEW]],
    ["an empty one", "", `1:${NEW}`, [NEW]],
    ["one that the list has too", OLD, `2:${NEW},1:${OLD}`, [NEW, OLD]],
    ["one that the list has first", NEW, `2:${NEW},1:${OLD}`, [NEW, OLD]],
    ["another one", OLD, `2:${NEW}`, [NEW, OLD]],
  ] as const)("L2 a list with %s beside it: the list's first signs", (_what, single, list, secrets) => {
    expect(read(single, list)).toMatchObject({ ok: true, settings: { keys: createKeys(secrets) } });
  });

  it.each([
    ["too short", "short", "BETTER_AUTH_SECRET must be 32 bytes or longer"],
    [
      "a placeholder",
      "change-me-change-me-please-change-me-now",
      "BETTER_AUTH_SECRET is a known default or easy to guess",
    ],
  ])(
    "U6 a single secret beside a valid list that is %s is reported by name, without its value",
    (_, single, problem) => {
      const configuration = read(single, `1:${NEW}`);
      if (configuration.ok) throw new Error("accepted");
      expect(configuration.problems.join()).toContain(problem);
      expect(configuration.problems.join()).not.toContain(single);
    },
  );
});
