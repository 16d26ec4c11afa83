/**
 * What Better Auth leaves open about sessions: signing in ends the session that the caller had before, however much
 * a session is used it ends in time, and the address is changed only soon after signing in.
 * @see OWASP ASVS 5.0, 7.2.4, 7.3.2 and 7.5.1
 */
import type { BetterAuthOptions, BetterAuthPlugin } from "better-auth";
import { APIError, createAuthMiddleware } from "better-auth/api";
import type { Settings } from "../env.ts";
import { currentSession } from "./current-session.ts";

const SIGNING_IN = ["/sign-up/email", "/sign-in/email"];
type Lifetimes = Pick<Settings, "sessionIdleSeconds" | "sessionMaxSeconds">;

const FRESH_MS = 15 * 60 * 1000;

export function sessionPolicy() {
  return {
    id: "session-policy",
    hooks: {
      before: [
        {
          matcher: ({ path }) => path === "/change-email",
          handler: createAuthMiddleware(async (c) => {
            const current = await currentSession(c);
            if (current && Date.now() - current.session.createdAt.getTime() > FRESH_MS) {
              throw new APIError("FORBIDDEN", { code: "SESSION_NOT_FRESH", message: "Sign in again to do this" });
            }
          }),
        },
      ],
      after: [
        {
          matcher: ({ path }) => path !== undefined && SIGNING_IN.includes(path),
          handler: createAuthMiddleware(async (c) => {
            const opened = c.context.newSession;
            if (!opened) return;
            const before = await c.getSignedCookie(c.context.authCookies.sessionToken.name, c.context.secret);
            if (before && before !== opened.session.token) await c.context.internalAdapter.deleteSession(before);
          }),
        },
      ],
    },
  } satisfies BetterAuthPlugin;
}

/**
 * Keeps a session from outliving its limits, both when it opens and when it is renewed. Better Auth gives one that a browser
 * is to forget a day, whatever the limits are.
 */
export function sessionLifetime({ sessionIdleSeconds, sessionMaxSeconds }: Lifetimes) {
  return {
    create: {
      before: async ({ createdAt, expiresAt }) => {
        const last = createdAt.getTime() + sessionIdleSeconds * 1000;
        return { data: { expiresAt: new Date(Math.min(expiresAt.getTime(), last)) } };
      },
    },
    update: {
      before: async (changes, c) => {
        const createdAt = c?.context.session?.session.createdAt;
        if (!changes.expiresAt || !createdAt) return;
        const last = createdAt.getTime() + sessionMaxSeconds * 1000;
        return { data: { expiresAt: new Date(Math.min(changes.expiresAt.getTime(), last)) } };
      },
    },
  } satisfies NonNullable<BetterAuthOptions["databaseHooks"]>["session"];
}
