/**
 * How a caller carries its session: a browser in its HttpOnly cookie, which no script sees; a program as a bearer value. An
 * answer to a browser never holds both, and a request that came with the cookie is never answered with the value.
 */
import { SESSION_COOKIE } from "./rotation.ts";

export type Carrier = "cookie" | "bearer" | "either";

/** Asks for the bearer value, from a page whose cookies do not travel: `x-session-carrier: bearer`. */
const CARRIER_HEADER = "x-session-carrier";
const BEARER_HEADER = "set-auth-token";
/** What browsers add by themselves to a request of a page. Node's fetch sends a mode as well, without a site. */
const BROWSER_HEADERS = ["origin", "sec-fetch-site"];

/** Tells how a caller carries its session. Programs that say nothing may choose. */
export function carrierOf(headers: Headers): Carrier {
  const cookies = headers.get("cookie")?.split(";") ?? [];
  if (cookies.some((cookie) => SESSION_COOKIE.test(cookie.trim().split("=")[0] ?? ""))) return "cookie";
  const asks = headers.get(CARRIER_HEADER)?.toLowerCase() === "bearer";
  if (asks || /^bearer +\S/i.test(headers.get("authorization") ?? "")) return "bearer";
  return BROWSER_HEADERS.some((name) => headers.has(name)) ? "cookie" : "either";
}

/** Takes from an answer what its caller should not get. */
export function carryBack(answer: Response, carrier: Carrier): void {
  if (carrier === "cookie") answer.headers.delete(BEARER_HEADER);
  if (carrier === "bearer") answer.headers.delete("set-cookie");
}

/** Whether an answer takes the session's cookie back. */
export function endsSession({ headers }: Response): boolean {
  return headers
    .getSetCookie()
    .some((cookie) => /; *max-age=0(?:;|$)/i.test(cookie) && SESSION_COOKIE.test(cookie.split("=")[0] ?? ""));
}
