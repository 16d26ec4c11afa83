/**
 * Verifies an access token and tells who sent it.
 * Every reason to refuse ends in one of three answers: credentials missing, token invalid, token expired.
 */
import type { Context } from "hono";
import { jwt } from "hono/jwt";
import { Problem } from "../http/problem.ts";
import { ACCESS_TOKEN_TYPE, type Caller, validateClaims } from "./claims.ts";

const MAX_AUTHORIZATION_CHARACTERS = 4096;
/** Unpadded base64url whose last character carries no stray bits (RFC 4648, section 3.5). */
const PART = "(?:[\\w-]{4})*(?:[\\w-][AQgw]|[\\w-]{2}[AEIMQUYcgkosw048])?";
/** The signature is exactly 32 bytes. */
const SIGNATURE = "[\\w-]{42}[AEIMQUYcgkosw048]";
const BEARER_TOKEN = new RegExp(`^[Bb][Ee][Aa][Rr][Ee][Rr] +${PART}\\.${PART}\\.${SIGNATURE}$`);

/**
 * Verifies the request's access token.
 * @param origin the issuer and audience to insist on
 * @param secret the key of HMAC-SHA-256
 * @throws {Problem} 401, in the three kinds above
 * @see RFC 6750, RFC 7519, RFC 8725, RFC 9068
 */
export async function verifyAccessToken(c: Context, origin: string, secret: string): Promise<Caller> {
  const authorization = c.req.header("authorization");
  if (authorization === undefined) throw new Problem("credentials_missing");
  if (authorization.length > MAX_AUTHORIZATION_CHARACTERS || !BEARER_TOKEN.test(authorization)) {
    throw new Problem("token_invalid");
  }
  // Expiry is judged by validateClaims, after the signature: a forged token is invalid, whatever times it names.
  const verification = { iss: origin, aud: origin, typ: ACCESS_TOKEN_TYPE, exp: false, iat: false };
  const verifySignature = jwt({ secret, alg: "HS256", realm: "edge-tasks", verification });
  await verifySignature(c, async () => {}).catch(() => {
    throw new Problem("token_invalid");
  });
  const claims = validateClaims(c.get("jwtPayload"), Math.floor(Date.now() / 1000));
  if (!claims.ok) throw new Problem(claims.reason === "expired" ? "token_expired" : "token_invalid");
  return claims.caller;
}
