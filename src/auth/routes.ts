/** What stands around Better Auth's open endpoints. What is refused here has cost no query. */
import { type Context, type Handler, Hono } from "hono";
import { HTTPException } from "hono/http-exception";
import { version } from "../../package.json";
import { openPrimary } from "../db/client.ts";
import type { Settings } from "../env.ts";
import { hasBody, limitBody, MAX_BODY_BYTES, requireUtf8 } from "../http/body.ts";
import { isLoopback, originOf, requireHttps } from "../http/origin.ts";
import { Problem } from "../http/problem.ts";
import { logAccountEvent } from "./account-events.ts";
import { createAuth } from "./auth.ts";
import { type Carrier, carrierOf, carryBack, endsSession } from "./carrier.ts";
import { describeAccounts } from "./document.ts";
import { AUTH_ENDPOINTS } from "./endpoints.ts";
import { authFailure, authFailureEdge, withCode } from "./failure.ts";
import { type RequestNotes, withRequestNotes } from "./request-notes.ts";
import { handBack, renewSignatures } from "./rotation.ts";
import * as tables from "./tables.ts";
import { createDevices } from "./throttling/devices.ts";
import { deviceCookie, type Source, sourceOf } from "./throttling/source.ts";

export type AuthBindings = Pick<
  Env,
  "DB" | "PASSWORD_HASHER" | "EMAIL" | "ACCOUNT_TRIES_RATE_LIMIT" | "ACCOUNT_CALLS_RATE_LIMIT"
>;
type Endpoint = (typeof AUTH_ENDPOINTS)[number];

/** The period of the platform's limits, which do not tell how much of it is left. */
const RATE_LIMIT_PERIOD_SECONDS = "60";

export async function createAuthRoutes(settings: Settings, bindings: AuthBindings) {
  const db = openPrimary(bindings.DB, tables);
  const parts = { db, hashers: bindings.PASSWORD_HASHER, email: bindings.EMAIL };
  const devices = await createDevices(settings.keys);
  const overHttps = await createAuth(settings, parts, true);
  const overHttp = await createAuth(settings, parts, false);

  const routes = new Hono()
    .onError(authFailureEdge)
    .use(requireHttps((c) => authFailure(c, "https_required")))
    .use(limitBody(MAX_BODY_BYTES));
  for (const endpoint of AUTH_ENDPOINTS) routes.on(endpoint.method, endpoint.path, handlerOf(endpoint));
  routes.all("*", (c) => authFailure(c, "not_found"));
  return { routes, describe: (origin: string) => describeAccounts(overHttps, version, origin) };

  function handlerOf(endpoint: Endpoint): Handler {
    return async (c) => {
      const origin = originOf(c.req.url, settings.publicOrigin);
      if (isForeign(c.req.raw, [origin, ...settings.trustedOrigins])) return authFailure(c, "foreign_origin");
      if (!(await hasJsonOrNothing(c))) return authFailure(c, "unsupported_media_type");
      if (sendsLinks(endpoint) && !mayMail(c)) return authFailure(c, "email_not_configured");
      const source = await sourceOf(c.req.raw, devices);
      if (!(await isWithinLimits(endpoint, source))) {
        return authFailure(c, "too_many_requests", RATE_LIMIT_PERIOD_SECONDS);
      }
      const carrier = carrierOf(c.req.raw.headers);
      const isNewBrowser = carrier === "cookie" && !source.isIssued;
      const notes = {
        place: placeOf(c.req.raw),
        origin,
        source,
        ...(isNewBrowser && { createDevice: devices.create }),
      };
      return answerAs(endpoint, c, () => answer(c, notes, carrier));
    };
  }

  async function answer(c: Context, notes: RequestNotes, carrier: Carrier): Promise<Response> {
    const auth = c.req.url.startsWith("https:") ? overHttps : overHttp;
    const headers = tidyHeaders(c.req.raw.headers);
    const renewed = await renewSignatures(headers, settings.keys);
    const response = await withRequestNotes(notes, async () =>
      auth.handler(await requestFor(c, notes.origin, headers)),
    ).catch((error: Error) => authFailureEdge(error, c));
    const answered = response.status < 400 ? response : await withCode(response);
    logAccountEvent(c, notes, answered.status);
    await handBack(answered, renewed, settings.keys, settings.sessionIdleSeconds);
    if (notes.newDevice) answered.headers.append("set-cookie", deviceCookie(c.req.url, notes.newDevice));
    if (c.req.method === "POST" && answered.ok && endsSession(answered))
      answered.headers.set("clear-site-data", '"cache", "storage"');
    carryBack(answered, carrier);
    return answered;
  }

  /** What could tell whether an address has an account is answered after the same time. */
  async function answerAs(
    { path, ...endpoint }: Endpoint,
    c: Context,
    work: () => Promise<Response>,
  ): Promise<Response> {
    const isEven = "sendsMail" in endpoint || (path === "/sign-up/email" && settings.requireEmailVerification);
    if (!isEven && path !== "/sign-in/email") return work();
    const even = scheduler.wait(settings.evenAnswerMs);
    const response = await work().catch((error: Error) => authFailureEdge(error, c));
    // Who knows the password need not wait.
    if (isEven || !response.ok) await even;
    return response;
  }

  function sendsLinks(endpoint: Endpoint): boolean {
    return "sendsMail" in endpoint || (endpoint.path === "/sign-up/email" && settings.requireEmailVerification);
  }

  /** Links need an origin that no request can choose: the operator's, or this machine. */
  function mayMail(c: Context): boolean {
    return settings.emailFrom !== undefined && (settings.publicOrigin !== undefined || isLoopback(c.req.url));
  }

  async function isWithinLimits({ path, limit }: Endpoint, { address, device, isIssued }: Source): Promise<boolean> {
    // Cloudflare names everybody's address; who has none has come by a binding of the operator's own.
    if (address === "") return true;
    const limits = [bindings.ACCOUNT_CALLS_RATE_LIMIT.limit({ key: address })];
    // Neighbours at the same address do not use up what a known device may try.
    const who = isIssued && path !== "/sign-up/email" ? device : address;
    if (limit === "tries") limits.push(bindings.ACCOUNT_TRIES_RATE_LIMIT.limit({ key: `${path} ${who}` }));
    return (await Promise.all(limits)).every(({ success }) => success);
  }
}

/**
 * Whether a page of another origin sent a request. Its visitor's tries are not its to use up, and its links may be followed
 * but not loaded. Programs send neither Origin nor fetch metadata; Node's fetch sends a mode without a site.
 * @see https://www.w3.org/TR/fetch-metadata/
 */
function isForeign({ method, headers }: Request, ours: string[]): boolean {
  const origin = headers.get("origin");
  const site = headers.get("sec-fetch-site");
  // A page that sends no referrer may send `null` for itself; only the browser can add that it is the same origin.
  if (origin !== null) return !ours.includes(origin) && !(origin === "null" && site === "same-origin");
  if (site === null || site === "same-origin" || site === "none") return false;
  const isFollowed = headers.get("sec-fetch-mode") === "navigate" && headers.get("sec-fetch-dest") === "document";
  return !(method === "GET" && isFollowed);
}

/** A form needs no leave of ours to be sent from any page; JSON does. */
async function hasJsonOrNothing(c: Context): Promise<boolean> {
  if ((await bodyOf(c)) === null) return true;
  const type = c.req.header("content-type")?.split(";")[0]?.trim().toLowerCase();
  if (type !== "application/json") return false;
  await requireUtf8(c);
  return true;
}

/** The request as Better Auth should see it: under the origin that counts, and without a body where there is none. */
async function requestFor(c: Context, origin: string, headers: Headers): Promise<Request> {
  const { pathname, search } = new URL(c.req.url);
  return new Request(origin + pathname + search, { method: c.req.method, headers, body: await bodyOf(c) });
}

/** The body, or nothing where it is empty. One that breaks off cannot be read. */
async function bodyOf(c: Context): Promise<ArrayBuffer | null> {
  if (!hasBody(c)) return null;
  const body = await c.req.arrayBuffer().catch((error: unknown) => {
    throw error instanceof HTTPException ? error : new Problem("malformed_request");
  });
  return body.byteLength > 0 ? body : null;
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
    .filter((cookie) => /^(__Host-)?better-auth\./.test(cookie));
  headers.delete("cookie");
  if (ours?.length) headers.set("cookie", ours.join("; "));
  if (!headers.has("sec-fetch-site")) headers.delete("sec-fetch-mode");
  return headers;
}

/** The Cloudflare location that the request came in at, such as `FRA`. */
function placeOf(request: Request): string {
  return String(request.cf?.["colo"] ?? "");
}
