/** Counts attempts at a password before the password is checked, and tells callers how long to wait. */
import type { BetterAuthPlugin, GenericEndpointContext } from "better-auth";
import { APIError, createAuthMiddleware, isAPIError } from "better-auth/api";
import { z } from "zod";
import { describeD1, isDatabaseFailure } from "../../db/client.ts";
import { logEvent } from "../../log.ts";
import { endpointAt } from "../endpoints.ts";
import { on } from "../hooks.ts";
import { requestNotes } from "../request-notes.ts";
import { currentSession } from "../workarounds/current-session.ts";
import { nameDevice } from "./devices.ts";
import type { AttemptResult, Throttle } from "./throttle.ts";

export function throttling(throttle: Throttle) {
  return {
    id: "throttling",
    hooks: {
      before: [
        on(
          ({ triesPassword }) => triesPassword !== undefined,
          createAuthMiddleware(async (c) => {
            const attempt = await countAttempt(throttle, c);
            if (attempt?.userId) requestNotes().userId = attempt.userId;
            if (attempt?.ok === false) throw tooManyAttempts(attempt.retryAfterSeconds);
          }),
        ),
      ],
      after: [
        on(
          ({ provesOwnership }) => provesOwnership === true,
          createAuthMiddleware(async (c) => {
            if (isAPIError(c.context.returned)) return;
            const user = c.context.newSession?.user ?? c.context.session?.user;
            if (user) await rememberCaller(throttle, user);
          }),
        ),
      ],
    },
  } satisfies BetterAuthPlugin;
}

/**
 * Gives the caller's address and device counts of their own from now on. A new browser gets a cookie; a program would not
 * send one back, and is known by its address. If the database fails, the caller stays unknown and the request succeeds.
 */
export async function rememberCaller(throttle: Throttle, user: { id: string; email: string }): Promise<void> {
  const notes = requestNotes();
  try {
    const value = (await notes.createDevice?.()) ?? "";
    const isNew = await throttle.recordSuccess(user, notes.source, await nameDevice(value));
    if (isNew) notes.newDevice = value;
  } catch (error) {
    if (!isDatabaseFailure(error)) throw error;
    logEvent("error", "caller not remembered", { userId: user.id, d1: describeD1(error) });
  }
}

/** Counts nothing where the endpoint itself refuses: without a password, an account or a session. */
async function countAttempt(throttle: Throttle, c: GenericEndpointContext): Promise<AttemptResult | undefined> {
  const tried = endpointAt(c.path)?.triesPassword;
  const password: unknown = tried && c.body?.[tried.field];
  if (typeof password !== "string") return undefined;
  if (tried?.of === "own account") {
    const current = await currentSession(c);
    if (!current) return undefined;
    const attempt = await throttle.countOwnPassword(current.user.email, current.session.id);
    return { ...attempt, userId: current.user.id };
  }
  const { success, data: email } = z.email().safeParse(c.body.email);
  return success ? throttle.countSignIn(email, requestNotes().source) : undefined;
}

function tooManyAttempts(retryAfterSeconds: number): APIError {
  const message =
    "Too many attempts. Retry after the number of seconds in Retry-After, use a device that you signed in on before, or set a new password with the newest link that you were mailed";
  return new APIError(
    "TOO_MANY_REQUESTS",
    { code: "TOO_MANY_REQUESTS", message },
    { "Retry-After": String(retryAfterSeconds) },
  );
}
