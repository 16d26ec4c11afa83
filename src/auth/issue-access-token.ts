/**
 * Issues access tokens: at GET /token for an active session, and in a header of every answer that opens a session.
 * Better Auth's own jwt plugin is asymmetric only. This one signs with the secret that the guard verifies with.
 */
import type { BetterAuthPlugin } from "better-auth";
import { createAuthEndpoint, createAuthMiddleware, sessionMiddleware } from "better-auth/api";
import { SignJWT } from "jose";
import { ACCESS_TOKEN_TYPE, composeClaims } from "../access-tokens/claims.ts";
import type { Settings } from "../env.ts";
import { ACCESS_TOKEN_HEADER } from "../http/headers.ts";
import { ENDPOINTS } from "./endpoints.ts";
import { on } from "./hooks.ts";

const DESCRIPTION = {
  description: "Exchanges the session for an access token of the task API",
  responses: {
    200: {
      description: "The access token, and the time at which it expires",
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

export function issueAccessToken(settings: Settings) {
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
        ENDPOINTS.getToken.path,
        { method: "GET", requireHeaders: true, use: [sessionMiddleware], metadata: { openapi: DESCRIPTION } },
        async (c) => c.json(await issue(c.context.baseURL, c.context.session)),
      ),
    },
    hooks: {
      after: [
        on(
          (endpoint) => endpoint.opensSession === true,
          createAuthMiddleware(async (c) => {
            const signedIn = c.context.newSession;
            if (signedIn) c.setHeader(ACCESS_TOKEN_HEADER, (await issue(c.context.baseURL, signedIn)).token);
          }),
        ),
      ],
    },
  } satisfies BetterAuthPlugin;
}
