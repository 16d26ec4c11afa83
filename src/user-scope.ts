/**
 * The guard of user data: verifies the access token, compares the path's user, and hands on that user's repository.
 * A handler behind it holds no binding, no database and no other user's data.
 */
import { createMiddleware } from "hono/factory";
import type { Caller } from "./access-tokens/claims.ts";
import type { VerifyAccessToken } from "./access-tokens/verify.ts";
import { isBookmark, openSession } from "./db/client.ts";
import type { Settings } from "./env.ts";
import { BOOKMARK_HEADER } from "./http/headers.ts";
import { invalidField, Problem, refuse } from "./http/problem.ts";
import { originOf } from "./origin.ts";
import { deriveCursorKeys } from "./tasks/repository/cursor.ts";
import { createTaskRepository, type TaskVariables } from "./tasks/repository/repository.ts";

/** What a middleware behind the access token can read. */
export type Authenticated = { Variables: { caller: Caller } };

const REFUSALS = { missing: "credentials_missing", invalid: "token_invalid", expired: "token_expired" } as const;

/** Refuses a request without a valid access token. Place it first: it runs no query. */
export function requireAccessToken(verifyAccessToken: VerifyAccessToken, publicOrigin: string | undefined) {
  return createMiddleware<Authenticated>(async (c, next) => {
    const verification = await verifyAccessToken(
      c.req.raw.headers.get("authorization"),
      originOf(c.req.url, publicOrigin),
    );
    if (!verification.ok) return refuse(c, REFUSALS[verification.reason]);
    c.set("caller", verification.caller);
    return next();
  });
}

/** The period of the rate limit bindings, in seconds. They do not tell how much of it is left. */
export const RATE_LIMIT_PERIOD_SECONDS = 60;

/** Refuses a user who exceeds a rate limit. Cloudflare counts in each of its locations, without a round trip. */
export function limitCallsPerUser(rateLimit: RateLimit) {
  return createMiddleware<Authenticated>(async (c, next) => {
    const { success } = await rateLimit.limit({ key: c.var.caller.userId });
    if (!success) throw new Problem("too_many_requests", {}, { "Retry-After": String(RATE_LIMIT_PERIOD_SECONDS) });
    await next();
  });
}

/** Query parameters that filter tasks: in every order, and in orders other than `due`. */
const SEARCHING = ["q", "tag", "priority"];
const SEARCHING_IN_OTHER_ORDERS = ["dueAfter", "dueBefore"];

/** Refuses a user who exceeds the rate limit of searches: a search may read all of their tasks for an empty page. */
export function limitSearches(rateLimit: RateLimit) {
  const limit = limitCallsPerUser(rateLimit);
  return createMiddleware<Authenticated>((c, next) => {
    const isByDue = /^-?due$/.test(c.req.query("sort") ?? "");
    const names = isByDue ? SEARCHING : [...SEARCHING, ...SEARCHING_IN_OTHER_ORDERS];
    return names.some((name) => c.req.query(name) !== undefined) ? limit(c, next) : next();
  });
}

/**
 * Opens the repository of the path's user, to that user only.
 * Every answer carries the database session's bookmark. A request may send one back to read at least as recent data.
 */
export async function openUserScope(d1: D1Database, { keys, quotas }: Settings) {
  const cursorKeys = await deriveCursorKeys(keys);
  return createMiddleware<Authenticated & TaskVariables, "/:userId">(async (c, next) => {
    const { caller } = c.var;
    const user = c.req.param("userId");
    if (user !== "me" && user !== caller.userId) throw new Problem("forbidden");
    const bookmark = c.req.raw.headers.get(BOOKMARK_HEADER) ?? undefined;
    if (bookmark !== undefined && !isBookmark(bookmark)) {
      throw invalidField(BOOKMARK_HEADER, `must be the ${BOOKMARK_HEADER} header of an earlier answer`);
    }
    const session = openSession(d1, bookmark);
    c.set("tasks", createTaskRepository({ db: session, caller, cursorKeys, quotas, now: Date.now }));
    await next();
    const latest = session.getBookmark();
    if (latest) c.res.headers.set(BOOKMARK_HEADER, latest);
  });
}
