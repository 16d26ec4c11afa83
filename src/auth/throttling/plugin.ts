/** Counts tries at passwords (account.ts) before any password is looked at, and tells who must wait how long. */
import type { BetterAuthPlugin, GenericEndpointContext } from "better-auth";
import { APIError, createAuthMiddleware, getIP, isAPIError } from "better-auth/api";
import { currentSession } from "../current-session.ts";
import type { AccountThrottle } from "./account.ts";

/** Endpoints that look at a password: of the account that the body names, or of the caller's own. */
const SIGN_IN = "/sign-in/email";
const OWN_PASSWORD = ["/change-password", "/delete-user"];

export function throttling(throttle: AccountThrottle) {
  return {
    id: "throttling",
    hooks: {
      before: [
        {
          matcher: ({ path }) => path === SIGN_IN || OWN_PASSWORD.includes(path ?? ""),
          handler: createAuthMiddleware(async (c) => {
            const email = await accountOf(c);
            if (email === undefined) return;
            const claim = await throttle.claimTry(email, addressOf(c));
            if (!claim.ok) throw tooManyTries(claim.retryAfterSeconds);
          }),
        },
      ],
      after: [
        {
          matcher: ({ path }) => path === SIGN_IN || path === "/sign-up/email" || path === "/change-password",
          handler: createAuthMiddleware(async (c) => {
            if (isAPIError(c.context.returned)) return;
            const user = c.context.newSession?.user ?? c.context.session?.user;
            if (user) await throttle.succeed(user.email, addressOf(c));
          }),
        },
      ],
    },
  } satisfies BetterAuthPlugin;
}

/** The account whose password is tried. A body that names none is refused by the endpoint itself. */
async function accountOf(c: GenericEndpointContext): Promise<string | undefined> {
  if (OWN_PASSWORD.includes(c.path)) return (await currentSession(c))?.user.email;
  const email: unknown = c.body?.email;
  return typeof email === "string" ? email : undefined;
}

function addressOf(c: GenericEndpointContext): string {
  return (c.request && getIP(c.request, c.context.options)) ?? "";
}

function tooManyTries(retryAfterSeconds: number): APIError {
  const body = { code: "TOO_MANY_REQUESTS", message: "Too many tries. Please try again later." };
  return new APIError("TOO_MANY_REQUESTS", body, { "Retry-After": String(retryAfterSeconds) });
}
