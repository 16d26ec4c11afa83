/**
 * Verifies an access token and tells who sent it.
 * Every reason to refuse ends in one of three answers: credentials missing, token invalid, token expired.
 */
import type { Context } from "hono";
import { jwt } from "hono/jwt";
import { decodeHeader } from "hono/utils/jwt/jwt";
import { Problem } from "../http/problem.ts";
import { ACCESS_TOKEN_TYPE, type Caller, validateClaims } from "./claims.ts";
import type { Keys, SigningKey } from "./keys.ts";

const MAX_AUTHORIZATION_CHARACTERS = 4096;
/** Unpadded base64url whose last character carries no stray bits (RFC 4648, section 3.5). */
const PART = "(?:[\\w-]{4})*(?:[\\w-][AQgw]|[\\w-]{2}[AEIMQUYcgkosw048])?";
/** The signature is exactly 32 bytes. */
const SIGNATURE = "[\\w-]{42}[AEIMQUYcgkosw048]";
const BEARER_TOKEN = new RegExp(`^[Bb][Ee][Aa][Rr][Ee][Rr] +${PART}\\.${PART}\\.${SIGNATURE}$`);

/**
 * Verifies the request's access token.
 * @param origin the issuer and audience to insist on
 * @param keys keys of HMAC-SHA-256: the one that the token names, or any of them for a token that names none
 * @throws {Problem} 401, in the three kinds above
 * @see RFC 6750, RFC 7519, RFC 8725, RFC 9068
 */
export async function verifyAccessToken(c: Context, origin: string, keys: Keys): Promise<Caller> {
  const authorization = c.req.header("authorization");
  if (authorization === undefined) throw new Problem("credentials_missing");
  if (authorization.length > MAX_AUTHORIZATION_CHARACTERS || !BEARER_TOKEN.test(authorization)) {
    throw new Problem("token_invalid");
  }
  for (const { secret } of keysNamedBy(authorization, keys)) {
    if (await isSignedWith(c, origin, secret)) return requireClaims(c.get("jwtPayload"));
  }
  throw new Problem("token_invalid");
}

function keysNamedBy(authorization: string, keys: Keys): readonly SigningKey[] {
  try {
    const { kid } = decodeHeader(authorization.split(/ +/)[1] ?? "");
    return kid === undefined ? keys : keys.filter(({ id }) => id === kid);
  } catch {
    return [];
  }
}

/** Expiry is judged with the claims, after the signature: a forged token is invalid, whatever times it names. */
async function isSignedWith(c: Context, origin: string, secret: string): Promise<boolean> {
  const verification = { iss: origin, aud: origin, typ: ACCESS_TOKEN_TYPE, exp: false, iat: false };
  const verify = jwt({ secret, alg: "HS256", realm: "edge-tasks", verification });
  return verify(c, async () => {}).then(
    () => true,
    () => false,
  );
}

function requireClaims(payload: unknown): Caller {
  const claims = validateClaims(payload, Math.floor(Date.now() / 1000));
  if (!claims.ok) throw new Problem(claims.reason === "expired" ? "token_expired" : "token_invalid");
  return claims.caller;
}
