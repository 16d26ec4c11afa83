/** Faults of Better Auth that src/auth/workarounds works around. A test that turns red says that its file can go. */
import { env } from "cloudflare:workers";
import type { BetterAuthOptions } from "better-auth";
import { drizzleAdapter } from "better-auth/adapters/drizzle";
import { createAuthMiddleware, getSessionFromCtx } from "better-auth/api";
import { betterAuth } from "better-auth/minimal";
import { openAPI } from "better-auth/plugins";
import { bearer } from "better-auth/plugins/bearer";
import { expect, it } from "vitest";
import * as tables from "../../src/auth/tables.ts";
import { currentSession } from "../../src/auth/workarounds/current-session.ts";
import { openPrimary } from "../../src/db/client.ts";
import { nextEmail, ORIGIN, PASSWORD } from "../support/client.ts";
import { failingD1 } from "../support/intercepted-d1.ts";

const SECRET = "q7Lw2ZrT9vXc4NbM6kJh8GfDs1Pa3YeU";

/** Better Auth without our code, on the same database. */
function plain(options: Partial<BetterAuthOptions> = {}, d1: D1Database = env.DB) {
  const hash = async (password: string) => password;
  return betterAuth({
    baseURL: ORIGIN,
    secret: SECRET,
    database: drizzleAdapter(openPrimary(d1, tables), { provider: "sqlite", schema: tables }),
    emailAndPassword: {
      enabled: true,
      password: { hash, verify: async ({ hash: stored, password }) => stored === password },
    },
    advanced: { disableOriginCheck: false, disableCSRFCheck: false },
    logger: { disabled: true },
    telemetry: { enabled: false },
    ...options,
  });
}

type Auth = { handler: (request: Request) => Promise<Response> };

function post(auth: Auth, path: string, json: object, headers: Record<string, string> = {}): Promise<Response> {
  const init = { method: "POST", headers: { "content-type": "application/json", ...headers } };
  return auth.handler(new Request(`${ORIGIN}/api/auth${path}`, { ...init, body: JSON.stringify(json) }));
}

async function signUp(auth: Auth) {
  const email = nextEmail();
  const answer = await post(auth, "/sign-up/email", { name: "A", email, password: PASSWORD });
  expect(answer.status).toBe(200);
  const cookie = answer.headers.getSetCookie()[0]?.split(";")[0] ?? "";
  return { email, cookie, bearer: answer.headers.get("set-auth-token") ?? "" };
}

it("L2 adapter.ts: without it, a sign-out whose delete failed answers success", async () => {
  const { cookie } = await signUp(plain());
  const failing = plain({}, failingD1(env.DB, "D1_ERROR: down"));
  expect((await post(failing, "/sign-out", {}, { cookie, origin: ORIGIN })).status).toBe(200);
  const answer = await plain().handler(new Request(`${ORIGIN}/api/auth/get-session`, { headers: { cookie } }));
  expect(await answer.json()).toMatchObject({ session: expect.anything() });
});

it("U5 transaction.ts: without it, an interrupted sign-up leaves an address that can never sign in", async () => {
  const email = nextEmail();
  const account = { name: "A", email, password: PASSWORD };
  // One round trip looks the address up, the next one writes the user.
  await post(plain({}, failingD1(env.DB, "D1_ERROR: down", 2)), "/sign-up/email", account).catch(() => undefined);
  expect((await post(plain(), "/sign-up/email", account)).status).toBe(422);
  expect((await post(plain(), "/sign-in/email", account)).status).toBe(401);
});

it("L2 rotation.ts: without it, a cookie that an older secret signed is refused", async () => {
  const { cookie } = await signUp(plain());
  const secrets = [
    { version: 2, value: "Zr7mXq1NfVt5KwYb9LpGh3DcSj8TeUa2" },
    { version: 1, value: SECRET },
  ];
  const rolled = plain({ secrets });
  const answer = await rolled.handler(new Request(`${ORIGIN}/api/auth/get-session`, { headers: { cookie } }));
  expect(await answer.json()).toBeNull();
});

it("L2 current-session.ts: without it, a hook before the endpoint finds no session behind a bearer value", async () => {
  const found: unknown[] = [];
  const auth = plain({
    plugins: [
      bearer({ requireSignature: true }),
      {
        id: "probe",
        hooks: {
          before: [
            {
              matcher: ({ path }) => path === "/sign-out",
              handler: createAuthMiddleware(async (c) => {
                found.push((await getSessionFromCtx(c))?.user.email, (await currentSession(c))?.user.email);
              }),
            },
          ],
        },
      },
    ],
  });
  const { email, bearer: value } = await signUp(auth);
  await post(auth, "/sign-out", {}, { authorization: `Bearer ${value}` });
  expect(found).toEqual([undefined, email]);
});

it("L2 origin-check.ts: without it, a program with a foreign cookie cannot sign in", async () => {
  const { email } = await signUp(plain());
  const answer = await post(plain(), "/sign-in/email", { email, password: PASSWORD }, { cookie: "cdn=1" });
  expect(answer.status).toBe(403);
  const program = await post(plain(), "/sign-in/email", { email, password: PASSWORD }, { "sec-fetch-mode": "cors" });
  expect(program.status).toBe(403);
});

it("R3 nullable.ts: without it, the generated document says `nullable`", async () => {
  const { generateOpenAPISchema } = openAPI({ disableDefaultReference: true }).endpoints;
  const document = await generateOpenAPISchema({ context: await plain().$context } as never);
  expect(JSON.stringify(document)).toContain('"nullable"');
});
