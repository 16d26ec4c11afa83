/**
 * The one door to user data: verify the token, match the path's user, and hand on that user's repository.
 * Behind it there is no binding, no database and no other user.
 */
import { createMiddleware } from "hono/factory";
import { isBookmark, openSession } from "../db/client.ts";
import type { Settings } from "../env.ts";
import { originOf } from "../http/origin.ts";
import { invalidField, Problem } from "../http/problem.ts";
import type { CursorKeys } from "../tasks/cursor.ts";
import { createTaskRepository, type TaskRepository } from "../tasks/repository.ts";
import { verifyAccessToken } from "./access-token.ts";
import type { Caller } from "./claims.ts";

export const BOOKMARK_HEADER = "x-d1-bookmark";

/** What stands behind the access token. */
export type Authenticated = { Variables: { caller: Caller } };

/** All that a task route can reach. */
export type UserScope = { Variables: { tasks: TaskRepository } };

/** Refuses whoever sent no valid access token of ours, before anything else is looked at. */
export function requireAccessToken(settings: Settings) {
  return createMiddleware<Authenticated>(async (c, next) => {
    const origin = originOf(c.req.url, settings.publicOrigin);
    c.set("caller", await verifyAccessToken(c, origin, settings.keys));
    await next();
  });
}

/** The period of the TASKS_RATE_LIMIT binding, in seconds; it does not tell how much of it is left. */
export const RATE_LIMIT_PERIOD_SECONDS = 60;

/** Refuses a user who calls too often. Cloudflare counts in each of its locations, without a round trip. */
export function limitCallsPerUser(rateLimit: RateLimit) {
  return createMiddleware<Authenticated>(async (c, next) => {
    const { success } = await rateLimit.limit({ key: c.var.caller.userId });
    if (!success) throw new Problem("too_many_requests", {}, { "Retry-After": String(RATE_LIMIT_PERIOD_SECONDS) });
    await next();
  });
}

/** Parameters of a list for which D1 looks at more tasks than it answers with, and those for which it does in other orders. */
const SEARCHING = ["q", "tag", "priority"];
const SEARCHING_IN_OTHER_ORDERS = ["dueAfter", "dueBefore"];

/** Refuses a user who searches too often: a search may read all of their tasks. */
export function limitSearches(rateLimit: RateLimit) {
  const limit = limitCallsPerUser(rateLimit);
  return createMiddleware<Authenticated>((c, next) => {
    const isByDue = /^-?due$/.test(c.req.query("sort") ?? "");
    const names = isByDue ? SEARCHING : [...SEARCHING, ...SEARCHING_IN_OTHER_ORDERS];
    return names.some((name) => c.req.query(name) !== undefined) ? limit(c, next) : next();
  });
}

/**
 * Opens the scope of the path's user to that user alone.
 * The answer carries the database session's bookmark, and a request may send one back.
 */
export function openUserScope(d1: D1Database, cursorKeys: CursorKeys, quotas: Settings["quotas"]) {
  return createMiddleware<Authenticated & UserScope, "/:userId">(async (c, next) => {
    const { caller } = c.var;
    const user = c.req.param("userId");
    if (user !== "me" && user !== caller.userId) throw new Problem("forbidden");
    const bookmark = c.req.header(BOOKMARK_HEADER);
    if (bookmark !== undefined && !isBookmark(bookmark)) throw invalidField(BOOKMARK_HEADER, "is not a bookmark");
    const session = openSession(d1, bookmark);
    c.set("tasks", createTaskRepository({ db: session.db, caller, cursorKeys, quotas, now: Date.now }));
    await next();
    const latest = session.bookmark();
    if (latest) c.header(BOOKMARK_HEADER, latest);
  });
}
