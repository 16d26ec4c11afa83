/**
 * Which of Better Auth's endpoints are open, and what stands around them.
 * Whatever else Better Auth could mount does not exist.
 */
import { type Context, Hono } from "hono";
import { bodyLimit } from "hono/body-limit";
import { openPrimary } from "../db/client.ts";
import type { Settings } from "../env.ts";
import { MAX_BODY_BYTES } from "../http/json-body.ts";
import { failingWithDatabase } from "./adapter.ts";
import { createAuth } from "./auth.ts";
import { authFailure, authFailureEdge } from "./failure.ts";
import * as tables from "./tables.ts";

export const AUTH_ENDPOINTS = [
  ["POST", "/sign-up/email"],
  ["POST", "/sign-in/email"],
  ["POST", "/sign-out"],
  ["GET", "/get-session"],
  ["GET", "/token"],
  ["GET", "/list-sessions"],
  ["POST", "/revoke-session"],
  ["POST", "/revoke-other-sessions"],
  ["POST", "/revoke-sessions"],
  ["POST", "/change-password"],
  ["POST", "/update-user"],
  ["GET", "/ok"],
] as const;

export async function createAuthRoutes(settings: Settings, d1: D1Database) {
  const db = openPrimary(d1, tables);
  const overHttps = await createAuth(settings, db, true);
  const overHttp = await createAuth(settings, db, false);

  async function answer(c: Context): Promise<Response> {
    const auth = new URL(c.req.url).protocol === "https:" ? overHttps : overHttp;
    const response = await failingWithDatabase(() => auth.handler(tidy(c.req.raw)));
    if (response.status === 429) return authFailure(c, "too_many_requests", response.headers.get("x-retry-after"));
    return response;
  }

  const routes = new Hono()
    .onError(authFailureEdge)
    .use(bodyLimit({ maxSize: MAX_BODY_BYTES, onError: (c) => authFailure(c, "body_too_large") }));
  for (const [method, path] of AUTH_ENDPOINTS) routes.on(method, path, answer);
  return routes.all("*", (c) => authFailure(c, "not_found"));
}

/**
 * The request as Better Auth should see it, so that its checks against forged browser requests spare programs:
 * it asks whoever sends any cookie for a trusted Origin, but a program behind a CDN carries cookies it knows nothing
 * of, and only our own make a request one that a browser could be tricked into. It asks the same of whoever sends
 * fetch metadata; browsers always name the site, Node's fetch sends a mode without one. And it asks an empty body
 * for its type.
 */
function tidy(request: Request): Request {
  const headers = new Headers(request.headers);
  const ours = headers
    .get("cookie")
    ?.split(";")
    .filter((cookie) => /^\s*(__Secure-)?better-auth\./.test(cookie));
  headers.delete("cookie");
  if (ours?.length) headers.set("cookie", ours.join(";"));
  if (!headers.has("sec-fetch-site")) headers.delete("sec-fetch-mode");
  const body = headers.get("content-length") === "0" ? null : request.body;
  return new Request(request.url, { method: request.method, headers, body });
}
