/**
 * How a caller carries its session: a browser in an HttpOnly cookie, which no script can read; a program as a bearer value.
 * An answer to a browser never holds both. A request with the cookie is never answered with the bearer value.
 */
import { CARRIER_HEADER, SESSION_HEADER } from "../http/headers.ts";
import { SESSION_COOKIE } from "./workarounds/rotation.ts";

export type Carrier = "cookie" | "bearer" | "either";

/** Headers that browsers add to the requests of a page, and programs do not. */
const BROWSER_HEADERS = ["origin", "sec-fetch-site"];

/** Determines how a caller carries its session. A program that does not say gets both. */
export function carrierOf(headers: Headers): Carrier {
  const cookies = headers.get("cookie")?.split(";") ?? [];
  if (cookies.some((cookie) => SESSION_COOKIE.test(cookie.trim().split("=")[0] ?? ""))) return "cookie";
  const asks = headers.get(CARRIER_HEADER)?.toLowerCase() === "bearer";
  if (asks || /^bearer +\S/i.test(headers.get("authorization") ?? "")) return "bearer";
  return BROWSER_HEADERS.some((name) => headers.has(name)) ? "cookie" : "either";
}

/** Removes from an answer the credential that its caller does not carry. */
export function removeOtherCarrier(answer: Response, carrier: Carrier): void {
  if (carrier === "cookie") answer.headers.delete(SESSION_HEADER);
  if (carrier === "bearer") answer.headers.delete("set-cookie");
}

/** Tells whether an answer deletes the session's cookie. */
export function endsSession({ headers }: Response): boolean {
  return headers
    .getSetCookie()
    .some((cookie) => /; *max-age=0(?:;|$)/i.test(cookie) && SESSION_COOKIE.test(cookie.split("=")[0] ?? ""));
}
