/** Access tokens: what the client reads in them. */
import { platform } from "./platform.ts";

export type Token = { token: string; expiresAt: string };

/** A token that expires sooner is not used. */
const EXPIRES_SOON_MS = 10_000;

/** The token that a header holds, with the time at which it expires. */
export function tokenFrom(token: string): Token {
  return { token, expiresAt: new Date(Number(claimsOf(token)["exp"]) * 1000).toISOString() };
}

/** A token's claims, unverified: only the server verifies them. */
export function claimsOf(token: string): Record<string, unknown> {
  const claims = (token.split(".")[1] ?? "").replaceAll("-", "+").replaceAll("_", "/");
  return JSON.parse(platform.atob(claims));
}

export function isFresh(token: Token | undefined): token is Token {
  return token !== undefined && Date.parse(token.expiresAt) - Date.now() > EXPIRES_SOON_MS;
}
