/** Counts tries at passwords before any password is looked at, and tells who must wait how long. */
import type { BetterAuthPlugin, GenericEndpointContext } from "better-auth";
import { APIError, createAuthMiddleware, isAPIError } from "better-auth/api";
import { z } from "zod";
import { describeD1, isDatabaseTrouble } from "../../db/client.ts";
import { logEvent } from "../../http/request-log.ts";
import { currentSession } from "../current-session.ts";
import { requestNotes } from "../request-notes.ts";
import { nameDevice } from "./devices.ts";
import type { Throttle, TryClaim } from "./throttle.ts";

/** Endpoints that look at a password: of the account that the body names, or of the caller's own. */
const SIGN_IN = "/sign-in/email";
const OWN_PASSWORD = ["/change-password", "/delete-user"];
/** Endpoints whose success shows that the account is the caller's. */
const PROVING = [SIGN_IN, "/sign-up/email", "/change-password"];

export function throttling(throttle: Throttle) {
  return {
    id: "throttling",
    hooks: {
      before: [
        {
          matcher: ({ path }) => path === SIGN_IN || OWN_PASSWORD.includes(path ?? ""),
          handler: createAuthMiddleware(async (c) => {
            const claim = await claimTry(throttle, c);
            if (claim?.userId) requestNotes().userId = claim.userId;
            if (claim?.ok === false) throw tooManyTries(claim.retryAfterSeconds);
          }),
        },
      ],
      after: [
        {
          matcher: ({ path }) => path !== undefined && PROVING.includes(path),
          handler: createAuthMiddleware(async (c) => {
            if (isAPIError(c.context.returned)) return;
            const user = c.context.newSession?.user ?? c.context.session?.user;
            if (user) await knowCaller(throttle, user);
          }),
        },
      ],
    },
  } satisfies BetterAuthPlugin;
}

/**
 * Lets the caller's address and device have counts of their own from now on. A browser that is not known yet gets a cookie;
 * a program would not send it back, and is known by its address. Without the database it stays unknown: what showed that
 * the account is theirs has been done.
 */
export async function knowCaller(throttle: Throttle, user: { id: string; email: string }): Promise<void> {
  const notes = requestNotes();
  try {
    const value = (await notes.createDevice?.()) ?? "";
    const isKept = await throttle.succeed(user, notes.source, await nameDevice(value));
    if (isKept) notes.newDevice = value;
  } catch (error) {
    if (!isDatabaseTrouble(error)) throw error;
    logEvent("error", "caller not known from now on", { userId: user.id, d1: describeD1(error) });
  }
}

/** A body without a password or account is refused by the endpoint itself, and so is a caller without a session. */
async function claimTry(throttle: Throttle, c: GenericEndpointContext): Promise<TryClaim | undefined> {
  const password: unknown = c.body?.[c.path === "/change-password" ? "currentPassword" : "password"];
  if (typeof password !== "string") return undefined;
  if (OWN_PASSWORD.includes(c.path)) {
    const current = await currentSession(c);
    if (!current) return undefined;
    const claim = await throttle.claimOwnPassword(current.user.email, current.session.id);
    return { ...claim, userId: current.user.id };
  }
  const { success, data: email } = z.email().safeParse(c.body.email);
  return success ? throttle.claimSignIn(email, requestNotes().source) : undefined;
}

function tooManyTries(retryAfterSeconds: number): APIError {
  const message =
    "Too many tries. Wait, use a device that you signed in on before, or reset the password by the newest mail.";
  return new APIError(
    "TOO_MANY_REQUESTS",
    { code: "TOO_MANY_REQUESTS", message },
    { "Retry-After": String(retryAfterSeconds) },
  );
}
