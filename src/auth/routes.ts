/** What stands around Better Auth's open endpoints. */
import { type Context, type Handler, Hono } from "hono";
import { version } from "../../package.json";
import { openPrimary } from "../db/client.ts";
import type { Settings } from "../env.ts";
import { jsonBody } from "../http/body.ts";
import { createAuth } from "./auth.ts";
import { describeAccounts } from "./document.ts";
import { AUTH_ENDPOINTS } from "./endpoints.ts";
import { authFailure, authFailureEdge, withCode } from "./failure.ts";
import { withRequestNotes } from "./request-notes.ts";
import { handBack, renewSignatures } from "./rotation.ts";
import * as tables from "./tables.ts";

export type AuthBindings = Pick<Env, "DB" | "PASSWORD_HASHER" | "EMAIL">;

export async function createAuthRoutes(settings: Settings, bindings: AuthBindings) {
  const db = openPrimary(bindings.DB, tables);
  const parts = { db, hashers: bindings.PASSWORD_HASHER, email: bindings.EMAIL };
  const overHttps = await createAuth(settings, parts, true);
  const overHttp = await createAuth(settings, parts, false);

  async function answer(c: Context): Promise<Response> {
    const auth = new URL(c.req.url).protocol === "https:" ? overHttps : overHttp;
    const headers = tidyHeaders(c.req.raw.headers);
    const renewed = await renewSignatures(headers, settings.keys);
    // Better Auth would ask even an empty body for its type.
    const body = c.req.raw.body && (await c.req.arrayBuffer());
    const request = new Request(c.req.url, { method: c.req.method, headers, body: body?.byteLength ? body : null });
    const response = await withRequestNotes(placeOf(c.req.raw), () => auth.handler(request));
    if (response.status === 429) return authFailure(c, "too_many_requests", retryAfterOf(response));
    await handBack(response, renewed, settings.keys, settings.sessionIdleSeconds);
    return response.status < 400 ? response : withCode(response);
  }

  async function answerEvenly(c: Context): Promise<Response> {
    const [response] = await Promise.all([answer(c), scheduler.wait(settings.evenAnswerMs)]);
    return response;
  }

  /** Who knows the password need not wait. */
  async function refuseEvenly(c: Context): Promise<Response> {
    const even = scheduler.wait(settings.evenAnswerMs);
    const response = await answer(c);
    if (!response.ok) await even;
    return response;
  }

  function handlerOf({ path, ...endpoint }: (typeof AUTH_ENDPOINTS)[number]): Handler {
    if (path === "/sign-in/email") return refuseEvenly;
    if (path === "/sign-up/email") return settings.requireEmailVerification ? answerEvenly : answer;
    if (!("sendsMail" in endpoint)) return answer;
    return settings.emailFrom ? answerEvenly : (c) => authFailure(c, "email_not_configured");
  }

  const routes = new Hono().onError(authFailureEdge).use(jsonBody);
  for (const endpoint of AUTH_ENDPOINTS) routes.on(endpoint.method, endpoint.path, handlerOf(endpoint));
  routes.all("*", (c) => authFailure(c, "not_found"));
  return { routes, describe: (origin: string) => describeAccounts(overHttps, version, origin) };
}

/**
 * The headers as Better Auth should see them, so that its checks against forged browser requests spare programs:
 * it asks whoever sends any cookie for a trusted Origin, but a program behind a CDN carries cookies it knows nothing
 * of, and only our own make a request one that a browser could be tricked into. It asks the same of whoever sends
 * fetch metadata; browsers always name the site, Node's fetch sends a mode without one.
 */
function tidyHeaders(sent: Headers): Headers {
  const headers = new Headers(sent);
  const ours = headers
    .get("cookie")
    ?.split(";")
    .map((cookie) => cookie.trim())
    .filter((cookie) => /^(__Secure-)?better-auth\./.test(cookie));
  headers.delete("cookie");
  if (ours?.length) headers.set("cookie", ours.join("; "));
  if (!headers.has("sec-fetch-site")) headers.delete("sec-fetch-mode");
  return headers;
}

/** The Cloudflare location that the request came in at, such as `FRA`. */
function placeOf(request: Request): string {
  return String(request.cf?.["colo"] ?? "");
}

function retryAfterOf(response: Response): string | null {
  return response.headers.get("retry-after") ?? response.headers.get("x-retry-after");
}
