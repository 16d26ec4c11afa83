import { env } from "cloudflare:workers";
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { createAuth } from "../../src/auth/auth.ts";
import { ALL_ENDPOINTS } from "../../src/auth/endpoints.ts";
import * as tables from "../../src/auth/tables.ts";
import { openPrimary } from "../../src/db/client.ts";
import { hastyApp } from "../support/apps.ts";
import {
  anonymous,
  type CallInit,
  type Fetch,
  nextEmail,
  ORIGIN,
  PASSWORD,
  type Person,
  someone,
} from "../support/client.ts";
import { createOutbox } from "../support/outbox.ts";
import { settingsWith } from "../support/settings.ts";

const METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "PURGE"];
const outbox = createOutbox();
let fetch: Fetch;
let person: Person;

beforeAll(async () => {
  ({ fetch } = await hastyApp({
    vars: { EMAIL_FROM: "tasks@tasks.test", BETTER_AUTH_URL: ORIGIN },
    bindings: { EMAIL: outbox.email },
  }));
  person = await someone(fetch);
});

const call = (path: string, init: CallInit) =>
  anonymous(fetch).call(`/api/auth${path}`, {
    ...init,
    headers: { authorization: `Bearer ${person.sessionToken}`, ...init.headers },
  });

describe("S3 the surface", () => {
  it("S3 of all endpoints and methods of Better Auth, only the listed ones exist", async () => {
    const parts = { db: openPrimary(env.DB, tables), hashers: env.PASSWORD_HASHER, email: outbox.email };
    const { api } = await createAuth(settingsWith({}), parts, true);
    const mounted = Object.values(api).flatMap(({ path }) => (path ? [path.replace(/:\w+/g, "x")] : []));
    expect(mounted.length).toBeGreaterThan(25);
    const listed = ALL_ENDPOINTS.map(({ method, path }) => `${method} ${path}`);
    const extra = [
      "",
      "/",
      "//token",
      "/token//",
      "/Token",
      "/sign-up/email/x",
      "/error",
      "/jwks",
      "/reference",
      "/.well-known/jwks.json",
    ];
    for (const path of new Set([...mounted, ...extra, ...ALL_ENDPOINTS.map((endpoint) => endpoint.path)])) {
      for (const method of METHODS) {
        const answer = await call(path, { method });
        const isPath = listed.some((each) => each.endsWith(` ${path}`));
        if (listed.includes(`${method} ${path}`)) expect([404, 405], `${method} ${path}`).not.toContain(answer.status);
        else if (method !== "HEAD" || !listed.includes(`GET ${path}`))
          expect(answer.status, `${method} ${path}`).toBe(isPath ? 405 : 404);
      }
    }
  });
});

describe("S8 text that is too long", () => {
  it.each([
    ["/update-user", { name: "x".repeat(256) }, "body.name"],
    ["/update-user", { image: `https://${"x".repeat(2048)}` }, "body.image"],
    ["/change-email", { newEmail: `${"x".repeat(250)}@example.com` }, "body.newEmail"],
    ["/revoke-session", { token: "x".repeat(4097) }, "body.token"],
    ["/revoke-session", { token: "x", constructor: "x".repeat(4097) }, "body.constructor"],
  ])("S8 %s refuses it and names the field", async (path, json, field) => {
    const answer = await call(path, { json });
    expect(answer.status).toBe(400);
    expect(await answer.json()).toMatchObject({ message: expect.stringContaining(field) });
  });
});

describe("S8 changing one's account", () => {
  beforeAll(async () => {
    person = await someone(fetch);
  });

  it.each([
    ...[5, true, null, [1, 2], { a: 1 }, "", "  "].map((name) => ({ name })),
    ...[5, false, [], { a: 1 }].map((image) => ({ image })),
  ])("S8 %j is refused, and changes nothing", async (json) => {
    const [field = ""] = Object.keys(json);
    const before = await (await call("/get-session", {})).json();
    expect(before).toMatchObject({ user: { id: person.id } });
    const answer = await call("/update-user", { json });
    expect(answer.status).toBe(400);
    expect(await answer.json()).toMatchObject({ code: expect.any(String), message: expect.stringContaining(field) });
    expect(await (await call("/get-session", {})).json()).toEqual(before);
  });

  it("S8 a name without a picture is accepted", async () => {
    expect((await call("/update-user", { json: { name: "New name", image: null } })).status).toBe(200);
  });
});

describe("S8 bad input to account endpoints", () => {
  const posts = ALL_ENDPOINTS.filter(({ method }) => method === "POST").map(({ path }) => path);
  const FIELDS = [
    ...["email", "password", "name", "newPassword", "currentPassword", "newEmail"],
    ...["token", "callbackURL", "redirectTo", "image"],
  ];
  type Described = { requestBody?: { content: Record<string, { schema: { properties?: object } }> } };

  /** The fields that the document gives an endpoint, and one that most do not know. */
  async function fieldsOf(path: string): Promise<string[]> {
    const { paths } = await (await anonymous(fetch).call("/api/openapi-accounts.json")).json<{
      paths: Record<string, { post: Described }>;
    }>();
    const content = paths[`/api/auth${path}`]?.post.requestBody?.content["application/json"];
    return [...new Set([...Object.keys(content?.schema.properties ?? {}), "image"])];
  }

  const good = () => ({
    ...{
      name: "Somebody",
      email: nextEmail(),
      password: PASSWORD,
      currentPassword: PASSWORD,
      newPassword: "a new and better one",
    },
    ...{ newEmail: nextEmail(), token: "x" },
  });

  /** An answer in Better Auth's shape that is the caller's fault, or no fault at all. */
  async function expectNoFaultOfOurs(answer: Response, what: string): Promise<void> {
    expect(answer.status, what).toBeLessThan(500);
    if (answer.status < 400) return;
    const body = await answer.json<{ message: string }>();
    expect(body, what).toMatchObject({ message: expect.any(String), code: expect.any(String) });
    expect(JSON.stringify(body), what).not.toMatch(/D1_|sqlite|drizzle|at \w+ \(|stack/i);
  }

  it.each(posts)("S8 %s: bodies that are not JSON objects", async (path) => {
    const json = { "content-type": "application/json" };
    const bodies: [string, CallInit][] = [
      ["malformed", { body: '{"email":', headers: json }],
      ["empty", { body: "", headers: json }],
      ["a list", { json: [] }],
      ["null", { json: null }],
      ["a number", { json: 7 }],
      ["text", { json: "x" }],
      ["deep", { body: "[".repeat(30_000), headers: json }],
      ["not UTF-8", { body: new Uint8Array([0x7b, 0xff, 0x7d]), headers: json }],
      ["not typed", { body: new Uint8Array([0x7b, 0x7d]) }],
      ["XML", { body: "<x/>", headers: { "content-type": "application/xml" } }],
      ["a form", { body: new URLSearchParams({ email: "x" }) }],
      ["a multipart form", { body: "--x--", headers: { "content-type": "multipart/form-data; boundary=x" } }],
      ["64 KiB and more", { body: `{"email":"${"x".repeat(70_000)}"}`, headers: json }],
    ];
    for (const [what, init] of bodies) await expectNoFaultOfOurs(await call(path, { method: "POST", ...init }), what);
    expect((await call(path, { method: "POST", ...bodies[0]?.[1] })).status).toBe(400);
    expect((await call(path, { method: "POST", ...bodies.at(-1)?.[1] })).status).toBe(413);
  });

  it.each(posts)("S8 %s: fields of the wrong kind", async (path) => {
    person = await someone(fetch);
    for (const field of await fieldsOf(path)) {
      for (const value of [
        null,
        7,
        true,
        [],
        {},
        [PASSWORD],
        { $ne: null },
        "",
        "x".repeat(60_000),
        "a\0b",
        "\ud800",
        "../../x",
        "javascript:alert(1)",
        "%00",
        "http://[",
        "\r\nset-cookie: x=y",
      ]) {
        const answer = await call(path, { json: { ...good(), [field]: value } });
        await expectNoFaultOfOurs(answer, `${field}: ${JSON.stringify(value)?.slice(0, 40)}`);
      }
      // A bad address to go on to is refused as such.
      for (const value of ["callbackURL", "redirectTo"].includes(field) ? [] : ["a\0b", "\ud800"]) {
        const answer = await call(path, { json: { ...good(), [field]: value } });
        expect(await answer.json(), field).toMatchObject({
          code: "INVALID_TEXT",
          message: expect.stringContaining(field),
        });
      }
    }
  });

  it.each(posts)("S8 %s: keys of the prototype", async (path) => {
    person = await someone(fetch);
    for (const key of ["__proto__", "constructor", "prototype", "toString", "hasOwnProperty"]) {
      const body = JSON.stringify({ ...good(), replaced: { emailVerified: true, id: "x" } }).replace("replaced", key);
      const headers = { "content-type": "application/json" };
      await expectNoFaultOfOurs(await call(path, { method: "POST", body, headers }), key);
    }
    expect(Object.prototype).not.toHaveProperty("emailVerified");
  });

  it("S8 read-only fields cannot be set", async () => {
    const email = nextEmail();
    const json = {
      name: "A",
      email,
      password: PASSWORD,
      id: "chosen",
      emailVerified: true,
      createdAt: 0,
      role: "admin",
    };
    const answer = await call("/sign-up/email", { json });
    expect(answer.status).toBeLessThan(500);
    const row = await env.DB.prepare("select * from user where email = ?").bind(email).first<Record<string, unknown>>();
    if (row) expect(row).toMatchObject({ id: expect.not.stringContaining("chosen"), email_verified: 0 });
    await call("/update-user", { json: { name: "B", emailVerified: true, id: "chosen", email: nextEmail() } });
    const mine = await env.DB.prepare("select email_verified from user where id = ?").bind(person.id).first();
    expect(mine).toEqual({ email_verified: 0 });
  });

  it("S8 an unknown field is named", async () => {
    const { sessionToken } = await someone();
    const headers = { authorization: `Bearer ${sessionToken}` };
    const signUp = { name: "A", email: nextEmail(), password: PASSWORD, role: "admin" };
    for (const [path, json, field] of [
      ["/sign-up/email", signUp, "role"],
      ["/update-user", { name: "B", emailVerified: true }, "emailVerified"],
    ] as const) {
      const answer = await call(path, { json, headers: path === "/update-user" ? headers : {} });
      expect(answer.status).toBe(400);
      const { code, message } = await answer.json<{ code: string; message: string }>();
      expect([code, message.includes(`[body.${field}]`)]).toEqual(["UNKNOWN_FIELD", true]);
    }
  });

  it("S8 arbitrary bodies and queries", async () => {
    const key = fc.oneof(fc.constantFrom(...FIELDS), fc.string({ maxLength: 10 }));
    const body = fc.dictionary(key, fc.oneof(fc.jsonValue({ maxDepth: 2 }), fc.string({ unit: "binary" })));
    const query = fc.dictionary(
      fc.constantFrom("token", "callbackURL", "disableRefresh", "x"),
      fc.string({ unit: "binary" }),
    );
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...ALL_ENDPOINTS), body, query, async ({ method, path }, json, parameters) => {
        const search = Object.entries(parameters).map(
          ([name, value]) => `${name}=${encodeURIComponent(value.toWellFormed())}`,
        );
        const answer = await call(`${path}?${search.join("&")}`, method === "GET" ? {} : { json });
        await expectNoFaultOfOurs(answer, `${method} ${path}`);
      }),
      { numRuns: 200 },
    );
  });

  it("S8 hostile headers", async () => {
    const values = [
      "",
      "x",
      "%",
      "=",
      ";",
      "a=b;;",
      "better-auth.session_token=%E0%A4%A",
      "__Host-better-auth.session_token=.",
      `__Host-better-auth.session_token=${"x.".repeat(2000)}`,
    ];
    for (const value of values) {
      for (const name of [
        "cookie",
        "authorization",
        "origin",
        "referer",
        "cf-connecting-ip",
        "user-agent",
        "sec-fetch-site",
      ]) {
        for (const path of ["/get-session", "/token"]) {
          const answer = await anonymous(fetch).call(`/api/auth${path}`, { headers: { [name]: value } });
          await expectNoFaultOfOurs(answer, `${name}: ${value.slice(0, 40)}`);
        }
        const json = { email: nextEmail(), password: PASSWORD };
        await expectNoFaultOfOurs(
          await anonymous(fetch).call("/api/auth/sign-in/email", { json, headers: { [name]: value } }),
          name,
        );
      }
    }
  });
});
