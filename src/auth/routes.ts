/** The checks around Better Auth's open endpoints. A request that is refused here has cost no query. */
import { type Context, type Handler, Hono } from "hono";
import { HTTPException } from "hono/http-exception";
import { version } from "../../package.json";
import { openPrimary } from "../db/client.ts";
import type { Settings } from "../env.ts";
import { hasBody, limitBody, MAX_BODY_BYTES, requireUtf8 } from "../http/body.ts";
import { Problem } from "../http/problem.ts";
import { isLoopback, originOf } from "../origin.ts";
import { logAccountEvent } from "./account-events.ts";
import { createAuth } from "./auth.ts";
import { type Carrier, carrierOf, endsSession, removeOtherCarrier } from "./carrier.ts";
import { type AccountEndpoint, ALL_ENDPOINTS, ATTEMPTS_PER_MINUTE } from "./endpoints.ts";
import { authFailure, handleAuthError, withCode } from "./failure.ts";
import { type RequestNotes, withRequestNotes } from "./request-notes.ts";
import * as tables from "./tables.ts";
import { createDevices } from "./throttling/devices.ts";
import { deviceCookie, type Source, sourceOf } from "./throttling/source.ts";
import { withoutForeignCookies } from "./workarounds/origin-check.ts";
import { renewSignatures, returnRenewed } from "./workarounds/rotation.ts";

export type AuthBindings = Pick<
  Env,
  "DB" | "PASSWORD_HASHER" | "EMAIL" | "ACCOUNT_TRIES_RATE_LIMIT" | "ACCOUNT_CALLS_RATE_LIMIT"
>;

/** The period of the rate limit bindings. They do not tell how much of it is left. */
const RATE_LIMIT_PERIOD_SECONDS = "60";

export async function createAuthRoutes(settings: Settings, bindings: AuthBindings) {
  const db = openPrimary(bindings.DB, tables);
  const parts = { db, hashers: bindings.PASSWORD_HASHER, email: bindings.EMAIL };
  const devices = await createDevices(settings.keys);
  const overHttps = await createAuth(settings, parts, true);
  const overHttp = await createAuth(settings, parts, false);

  const routes = new Hono().onError(handleAuthError).use(limitBody(MAX_BODY_BYTES));
  for (const endpoint of ALL_ENDPOINTS) routes.on(endpoint.method, endpoint.path, handlerOf(endpoint));
  for (const { method, path } of ALL_ENDPOINTS) routes.all(path, (c) => refuseMethod(c, method));
  routes.all("*", (c) => authFailure(c, "not_found"));
  return { routes, describe };

  /** Describes the account endpoints in OpenAPI. What that takes is loaded when it is first asked for. */
  async function describe(origin: string): Promise<object> {
    const { describeAccounts } = await import("./openapi.ts");
    return describeAccounts(overHttps, version, origin);
  }

  function handlerOf(endpoint: AccountEndpoint): Handler {
    return async (c) => {
      const origin = originOf(c.req.url, settings.publicOrigin);
      if (isForeign(c.req.raw, [origin, ...settings.trustedOrigins])) return authFailure(c, "foreign_origin");
      if (!(await hasJsonOrNothing(c))) return authFailure(c, "unsupported_media_type");
      const fault = await faultInBody(c);
      if (fault !== undefined) return authFailure(c, "bad_request", { message: `The body ${fault}` });
      if (applies(endpoint.needsMail) && !canMail(c)) return authFailure(c, "email_not_configured");
      const source = await sourceOf(c.req.raw, devices);
      if (!(await isWithinLimits(endpoint, source))) {
        return authFailure(c, "too_many_requests", { retryAfter: RATE_LIMIT_PERIOD_SECONDS });
      }
      const carrier = carrierOf(c.req.raw.headers);
      const isNewBrowser = carrier === "cookie" && !source.isIssued;
      const notes = {
        place: placeOf(c.req.raw),
        origin,
        source,
        ...(isNewBrowser && { createDevice: devices.create }),
      };
      return answerEvenly(endpoint, c, () => answer(c, notes, carrier));
    };
  }

  async function answer(c: Context, notes: RequestNotes, carrier: Carrier): Promise<Response> {
    const auth = c.req.url.startsWith("https:") ? overHttps : overHttp;
    const headers = withoutForeignCookies(c.req.raw.headers);
    const renewed = await renewSignatures(headers, settings.keys);
    const response = await withRequestNotes(notes, async () =>
      auth.handler(await requestFor(c, notes.origin, headers)),
    ).catch((error: Error) => handleAuthError(error, c));
    const answered = response.status < 400 ? response : await withCode(response);
    logAccountEvent(c, notes, answered.status);
    await returnRenewed(answered, renewed, settings.keys, settings.sessionIdleSeconds);
    if (notes.newDevice) answered.headers.append("set-cookie", deviceCookie(c.req.url, notes.newDevice));
    if (c.req.method === "POST" && answered.ok && endsSession(answered))
      answered.headers.set("clear-site-data", '"cache"');
    removeOtherCarrier(answered, carrier);
    return answered;
  }

  /** Delays an answer that could reveal by its time whether an address has an account. */
  async function answerEvenly(
    { evenAnswer }: AccountEndpoint,
    c: Context,
    work: () => Promise<Response>,
  ): Promise<Response> {
    const isEven = applies(evenAnswer);
    if (!isEven && evenAnswer !== "on failure") return work();
    const minimum = scheduler.wait(settings.evenAnswerMs);
    const response = await work().catch((error: Error) => handleAuthError(error, c));
    if (isEven || !response.ok) await minimum;
    return response;
  }

  function applies(when: AccountEndpoint["needsMail"] | AccountEndpoint["evenAnswer"]): boolean {
    return when === "always" || (when === "with verification" && settings.requireEmailVerification);
  }

  /** Links need an origin that no request can choose: the operator's, or this machine. */
  function canMail(c: Context): boolean {
    return settings.emailFrom !== undefined && (settings.publicOrigin !== undefined || isLoopback(c.req.url));
  }

  async function isWithinLimits(endpoint: AccountEndpoint, source: Source): Promise<boolean> {
    const { path, perMinute, countedBy } = endpoint;
    const { address, device, isIssued } = source;
    // Cloudflare sets everybody's address. A request without one comes through a service binding of the operator.
    if (address === "") return true;
    const limits = [bindings.ACCOUNT_CALLS_RATE_LIMIT.limit({ key: address })];
    // Neighbours at the same address cannot use up the attempts of a known device.
    const who = isIssued && countedBy !== "address" ? device : address;
    if (perMinute === ATTEMPTS_PER_MINUTE)
      limits.push(bindings.ACCOUNT_TRIES_RATE_LIMIT.limit({ key: `${path} ${who}` }));
    return (await Promise.all(limits)).every(({ success }) => success);
  }
}

/**
 * Tells whether a page of another origin sent a request: it must not use up its visitor's attempts. A link may be followed,
 * but not loaded by a script. Programs send neither Origin nor a fetch site.
 * @see https://www.w3.org/TR/fetch-metadata/
 */
function isForeign({ method, headers }: Request, ours: string[]): boolean {
  const origin = headers.get("origin");
  const site = headers.get("sec-fetch-site");
  // A page without a referrer sends the origin `null`; the browser adds that it is the same origin.
  if (origin !== null) return !ours.includes(origin) && !(origin === "null" && site === "same-origin");
  if (site === null || site === "same-origin" || site === "none") return false;
  const isFollowed = headers.get("sec-fetch-mode") === "navigate" && headers.get("sec-fetch-dest") === "document";
  return !(method === "GET" && isFollowed);
}

/** Accepts JSON or no body: any page may send a form without a preflight, but not JSON. */
async function hasJsonOrNothing(c: Context): Promise<boolean> {
  if ((await bodyOf(c)) === null) return true;
  const type = c.req.header("content-type")?.split(";")[0]?.trim().toLowerCase();
  if (type !== "application/json") return false;
  await requireUtf8(c);
  return true;
}

/** The request for Better Auth: at the effective origin, and without a body if that is empty. */
async function requestFor(c: Context, origin: string, headers: Headers): Promise<Request> {
  const { pathname, search } = new URL(c.req.url);
  return new Request(origin + pathname.replace(/\/$/, "") + search, {
    method: c.req.method,
    headers,
    body: await bodyOf(c),
  });
}

/** Where the body is not JSON; undefined if it is, or is empty. */
async function faultInBody(c: Context): Promise<string | undefined> {
  if ((await bodyOf(c)) === null) return undefined;
  const text = await c.req.text();
  try {
    JSON.parse(text);
    return undefined;
  } catch {
    const { describeJsonFault } = await import("../http/json-fault.ts");
    return describeJsonFault(text);
  }
}

function refuseMethod(c: Context, method: AccountEndpoint["method"]): Response {
  const allowed = method === "GET" ? "GET, HEAD" : method;
  const refusal = authFailure(c, "method_not_allowed", { message: `This endpoint supports: ${allowed}` });
  refusal.headers.set("Allow", allowed);
  return refusal;
}

/** The body; null if it is empty. */
async function bodyOf(c: Context): Promise<ArrayBuffer | null> {
  if (!hasBody(c)) return null;
  const body = await c.req.arrayBuffer().catch((error: unknown) => {
    throw error instanceof HTTPException ? error : new Problem("malformed_request");
  });
  return body.byteLength > 0 ? body : null;
}

/** The Cloudflare location of the request, such as `FRA`. */
function placeOf(request: Request): string {
  return String(request.cf?.["colo"] ?? "");
}
