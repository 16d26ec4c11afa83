import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, it } from "vitest";
import { appWith } from "../support/apps.ts";
import {
  anonymous,
  call,
  claimsFor,
  clientFor,
  decodeClaims,
  header,
  nextEmail,
  ORIGIN,
  type Person,
  someone,
  tokenWith,
} from "../support/client.ts";
import { type Forged, forgedTokens } from "../support/forged-tokens.ts";
import { countingD1 } from "../support/intercepted-d1.ts";
import { guardedRoutes } from "../support/routes.ts";

let person: Person;
let forged: Forged[];
let taskId: string;
let routes: ReturnType<typeof guardedRoutes>;

beforeAll(async () => {
  person = await someone();
  taskId = (await person.create({ title: "Untouched" })).id;
  forged = await forgedTokens(person, env.BETTER_AUTH_SECRET);
  routes = guardedRoutes("me", taskId);
});

describe("a control", () => {
  it("S2 a valid token made by the same code is accepted on every guarded route", async () => {
    const own = await someone();
    const token = await tokenWith(claimsFor(own));
    for (const { path, ...route } of guardedRoutes("me", (await own.create()).id)) {
      const { method } = route;
      const answer = await clientFor(token).call(path, route);
      expect([200, 201, 204, 400, 404], `${method} ${path}`).toContain(answer.status);
    }
  });

  it("S2 a further claim and another letter case of the type are accepted", async () => {
    const good = [
      await tokenWith({ ...claimsFor(person), scope: "x", nbf: 1 }),
      await tokenWith(claimsFor(person), { typ: "application/at+jwt" }),
    ];
    for (const token of good) expect((await clientFor(token).call(person.path)).status).toBe(200);
  });
});

describe("forged tokens", () => {
  it("S2 a broken token spoils no other with the same header", async () => {
    const [head, , signature] = person.accessToken.split(".");
    for (const payload of ["", "e30", "bm8ganNvbg"]) {
      const broken = `${head}.${payload}.${signature}`;
      expect((await clientFor(broken).call(person.path)).status).toBe(401);
      expect((await person.call(person.path)).status).toBe(200);
    }
  });

  it("S2 at least 200 distinct tokens are tried", () => {
    expect(new Set(forged.map(({ token }) => token)).size).toBeGreaterThanOrEqual(200);
    expect(routes.length).toBeGreaterThanOrEqual(7);
  });

  it("S2 S7 S8 no forged token opens a guarded route or costs a query", async () => {
    const counter = countingD1(env.DB);
    const { fetch } = await appWith({ d1: counter.d1 });
    for (const { why, token, expired } of forged) {
      for (const { path, ...route } of routes) {
        const { method } = route;
        const headers = { authorization: `Bearer ${token}` };
        const answer = await call(path, { ...route, headers }, fetch);
        expect(answer.status, `${why}: ${method} ${path}`).toBe(401);
        const problem = await answer.json<{ code: string }>();
        expect(problem.code, why).toBe(expired ? "token_expired" : "token_invalid");
        expect(header(answer, "www-authenticate")).toMatch(
          expired
            ? /^Bearer realm="edge-tasks", error="invalid_token", error_description="The access token expired"$/
            : /^Bearer realm="edge-tasks", error="invalid_token", error_description="The access token is invalid"$/,
        );
        if (token.length > 20) expect(JSON.stringify(problem)).not.toContain(token.slice(-20));
      }
    }
    expect(counter.spent()).toEqual({ roundTrips: 0, rowsRead: 0, rowsWritten: 0 });
  });

  it("S2 the forged calls changed nothing", async () => {
    expect(await person.read(taskId)).toMatchObject({ title: "Untouched", completed: false, revision: 1 });
    expect((await person.list()).data).toHaveLength(1);
  });

  it.each(["Basic dXNlcjpwYXNz", "Token x", "Bearer", "bearer", "Bearer ", "x"])(
    "S2 %j is invalid",
    async (authorization) => {
      const answer = await call(person.path, { headers: { authorization } });
      expect(answer.status).toBe(401);
      expect(await answer.json()).toMatchObject({ code: "token_invalid" });
    },
  );

  it("S2 the scheme is accepted in any letter case (RFC 9110, section 11.1)", async () => {
    const headers = { authorization: `bEARER ${person.accessToken}` };
    expect((await call(person.path, { headers })).status).toBe(200);
  });
});

describe("other artefacts of the same secret", () => {
  it("S3 a verification link's token, a cookie's value and a session's bearer value open no task route", async () => {
    const { createEmailVerificationToken } = await import("better-auth/api");
    const verification = await createEmailVerificationToken(env.BETTER_AUTH_SECRET, person.email);
    const cookieValue = decodeURIComponent(person.cookie.split("=")[1] ?? "");
    expect(cookieValue).toContain(".");
    for (const token of [verification, cookieValue, encodeURIComponent(cookieValue), person.sessionToken]) {
      for (const { path, ...route } of routes) {
        const answer = await call(path, { ...route, headers: { authorization: `Bearer ${token}` } });
        expect(answer.status).toBe(401);
      }
    }
  });

  it("S3 a cookie, or a token in the query or the body, opens no task route", async () => {
    const cookies = [person.cookie, `token=${person.accessToken}`, `better-auth.session_token=${person.accessToken}`];
    for (const cookie of cookies) {
      expect((await call(person.path, { headers: { cookie, origin: ORIGIN } })).status).toBe(401);
    }
    expect((await call(`${person.path}?access_token=${person.accessToken}`)).status).toBe(401);
    expect((await call(person.path, { json: { title: "x", access_token: person.accessToken } })).status).toBe(401);
  });

  it("S3 the access token opens no account endpoint", async () => {
    const session = await person.call("/api/auth/get-session");
    expect(await session.json()).toBeNull();
    for (const path of ["/api/auth/token", "/api/auth/list-sessions"]) {
      expect((await person.call(path)).status).toBe(401);
    }
    for (const path of ["/api/auth/revoke-sessions", "/api/auth/update-user", "/api/auth/change-password"]) {
      const json = { name: "x", currentPassword: "correct horse battery", newPassword: "another long one" };
      expect((await person.call(path, { json })).status).toBe(401);
    }
    const cookie = `__Host-better-auth.session_token=${person.accessToken}`;
    const asCookie = await anonymous().call("/api/auth/token", { headers: { cookie } });
    expect(asCookie.status).toBe(401);
  });
});

describe("the issuer", () => {
  it("S2 signs the documented claims, and the guard accepts them", async () => {
    const [protectedHeader = ""] = person.accessToken.split(".");
    expect(JSON.parse(atob(protectedHeader))).toEqual({ alg: "HS256", typ: "at+jwt", kid: expect.any(String) });
    const claims = decodeClaims(person.accessToken);
    expect(Object.keys(claims).sort()).toEqual(["aud", "email", "exp", "iat", "iss", "jti", "sid", "sub"]);
    expect(claims).toMatchObject({ iss: ORIGIN, aud: ORIGIN, sub: person.id, email: person.email });
    expect(Number(claims["exp"]) - Number(claims["iat"])).toBe(3600);
  });

  it("S2 a token made for one origin is refused at another, unless BETTER_AUTH_URL names the public one", async () => {
    const elsewhere = new Request(`https://other.test${person.path}`, {
      headers: { authorization: `Bearer ${person.accessToken}` },
    });
    const { fetch: derived } = await appWith({});
    expect((await derived(elsewhere.clone())).status).toBe(401);
    const { fetch: fixed } = await appWith({ vars: { BETTER_AUTH_URL: ORIGIN } });
    expect((await fixed(elsewhere)).status).toBe(200);
  });

  it("S2 limits a token's life to ACCESS_TOKEN_TTL_SECONDS", async () => {
    const { fetch } = await appWith({ vars: { ACCESS_TOKEN_TTL_SECONDS: "60" } });
    const claims = decodeClaims((await someone(fetch)).accessToken);
    expect(Number(claims["exp"]) - Number(claims["iat"])).toBe(60);
  });

  it("S4 the token's subject identifies the user, not its address", async () => {
    const token = await tokenWith({ ...claimsFor(person), email: nextEmail() });
    const answer = await clientFor(token).call(`${person.path}/${taskId}`);
    expect(answer.status).toBe(200);
  });
});
