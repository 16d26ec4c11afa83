/**
 * Exchanges a live session for an access token: at GET /token, and in a header of every sign-up and sign-in.
 * Better Auth's own jwt plugin is asymmetric only; this one signs with the secret that the guard verifies with.
 */
import type { BetterAuthPlugin } from "better-auth";
import { createAuthEndpoint, createAuthMiddleware, sessionMiddleware } from "better-auth/api";
import { SignJWT } from "jose";
import { ACCESS_TOKEN_TYPE, composeClaims } from "../access/claims.ts";
import type { Settings } from "../env.ts";

export const ACCESS_TOKEN_HEADER = "set-auth-jwt";

/** What opens a session; changing the password can, in place of all there were. */
const OPENING_SESSIONS = ["/sign-up/email", "/sign-in/email", "/change-password"];

const DESCRIPTION = {
  description: "Exchanges the session for an access token, which opens the task API",
  responses: {
    200: {
      description: "The access token, and when it expires",
      content: {
        "application/json": {
          schema: {
            type: "object" as const,
            required: ["token", "expiresAt"],
            properties: {
              token: { type: "string" as const },
              expiresAt: { type: "string" as const, format: "date-time" },
            },
          },
        },
      },
    },
  },
};

type SignedIn = { user: { id: string; email: string }; session: { id: string } };

export function accessToken(settings: Settings) {
  const [{ id, secret }] = settings.keys;
  const key = new TextEncoder().encode(secret);

  async function issue(baseUrl: string, { user, session }: SignedIn) {
    const claims = composeClaims({
      origin: new URL(baseUrl).origin,
      userId: user.id,
      sessionId: session.id,
      email: user.email,
      nowSeconds: Math.floor(Date.now() / 1000),
      ttlSeconds: settings.accessTokenTtlSeconds,
    });
    const header = { alg: "HS256", typ: ACCESS_TOKEN_TYPE, kid: id };
    const token = await new SignJWT(claims).setProtectedHeader(header).sign(key);
    return { token, expiresAt: new Date(claims.exp * 1000).toISOString() };
  }

  return {
    id: "access-token",
    endpoints: {
      getToken: createAuthEndpoint(
        "/token",
        { method: "GET", requireHeaders: true, use: [sessionMiddleware], metadata: { openapi: DESCRIPTION } },
        async (c) => c.json(await issue(c.context.baseURL, c.context.session)),
      ),
    },
    hooks: {
      after: [
        {
          matcher: ({ path }) => path !== undefined && OPENING_SESSIONS.includes(path),
          handler: createAuthMiddleware(async (c) => {
            const signedIn = c.context.newSession;
            if (signedIn) c.setHeader(ACCESS_TOKEN_HEADER, (await issue(c.context.baseURL, signedIn)).token);
          }),
        },
      ],
    },
  } satisfies BetterAuthPlugin;
}
