/**
 * Rules for sessions that Better Auth lacks: signing in ends the caller's previous session, a session ends at a maximum age
 * even if it is used, and the address can be changed only soon after signing in.
 * @see OWASP ASVS 5.0, 7.2.4, 7.3.2 and 7.5.1
 */
import type { BetterAuthOptions, BetterAuthPlugin } from "better-auth";
import { APIError, createAuthMiddleware } from "better-auth/api";
import type { Settings } from "../env.ts";
import { MINUTE_MS } from "../time.ts";
import { ENDPOINTS } from "./endpoints.ts";
import { on } from "./hooks.ts";
import { currentSession } from "./workarounds/current-session.ts";

type Lifetimes = Pick<Settings, "sessionIdleSeconds" | "sessionMaxSeconds">;

const FRESH_MS = 15 * MINUTE_MS;

export function sessionPolicy() {
  return {
    id: "session-policy",
    hooks: {
      before: [
        on(
          ({ path }) => path === ENDPOINTS.changeEmail.path,
          createAuthMiddleware(async (c) => {
            const current = await currentSession(c);
            if (current && Date.now() - current.session.createdAt.getTime() > FRESH_MS) {
              const message = "You signed in more than 15 minutes ago. Sign in again to change the address";
              throw new APIError("FORBIDDEN", { code: "SESSION_NOT_FRESH", message });
            }
          }),
        ),
      ],
      after: [
        on(
          ({ opensSession, session }) => opensSession === true && session === "none",
          createAuthMiddleware(async (c) => {
            const opened = c.context.newSession;
            if (!opened) return;
            const before = await c.getSignedCookie(c.context.authCookies.sessionToken.name, c.context.secret);
            if (before && before !== opened.session.token) await c.context.internalAdapter.deleteSession(before);
          }),
        ),
      ],
    },
  } satisfies BetterAuthPlugin;
}

/**
 * Bounds a session's life when it opens and when it is renewed. Without `rememberMe`, Better Auth would give a session a
 * day, whatever the limits are.
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
