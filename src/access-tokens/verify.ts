/**
 * Verifies access tokens. A token is accepted, or refused as missing, invalid or expired; nothing else is said about why.
 */
import { decode, verify } from "hono/jwt";
import { ACCESS_TOKEN_TYPE, type Caller, validateClaims } from "./claims.ts";
import type { Keys } from "./keys.ts";

export type Verification = { ok: true; caller: Caller } | { ok: false; reason: "missing" | "invalid" | "expired" };

/** Verifies the access token in an Authorization header. `origin` is the issuer and audience that the token must name. */
export type VerifyAccessToken = (authorization: string | null, origin: string) => Promise<Verification>;

const HMAC_SHA256 = { name: "HMAC", hash: "SHA-256" };
const MAX_AUTHORIZATION_CHARACTERS = 4096;
/** Unpadded base64url whose last character carries no stray bits (RFC 4648, section 3.5). */
const PART = "(?:[\\w-]{4})*(?:[\\w-][AQgw]|[\\w-]{2}[AEIMQUYcgkosw048])?";
/** The signature is exactly 32 bytes. */
const SIGNATURE = "[\\w-]{42}[AEIMQUYcgkosw048]";
const BEARER_TOKEN = new RegExp(`^[Bb][Ee][Aa][Rr][Ee][Rr] +(${PART}\\.${PART}\\.${SIGNATURE})$`);

/**
 * Imports the keys once and returns the verifier.
 * @param keys HMAC-SHA-256 keys. A token that names a key is verified with that one, any other token with each of them.
 * @see RFC 6750, RFC 7519, RFC 8725, RFC 9068
 */
export async function createAccessTokenVerifier(keys: Keys): Promise<VerifyAccessToken> {
  const imported = await Promise.all(keys.map(async ({ id, secret }) => ({ id, key: await importKey(secret) })));
  const keyIdOf = createKeyIdReader();

  return async (authorization, origin) => {
    if (authorization === null) return { ok: false, reason: "missing" };
    if (authorization.length > MAX_AUTHORIZATION_CHARACTERS) return { ok: false, reason: "invalid" };
    const [, token] = BEARER_TOKEN.exec(authorization) ?? [];
    if (token === undefined) return { ok: false, reason: "invalid" };
    const kid = keyIdOf(token);
    for (const { id, key } of imported) {
      if (kid !== undefined && kid !== id) continue;
      const payload = await payloadSignedWith(key, token, origin);
      if (payload !== undefined) return validateClaims(payload, Math.floor(Date.now() / 1000));
    }
    return { ok: false, reason: "invalid" };
  };
}

/**
 * Reads which key a token names; `null` where its header cannot be read: no key has this name. All tokens of a key have the
 * same header, so the last one is remembered.
 */
function createKeyIdReader(): (token: string) => unknown {
  let [known, keyId]: [string | undefined, unknown] = [undefined, null];
  return (token) => {
    const header = token.slice(0, token.indexOf("."));
    if (header !== known) [known, keyId] = [header, readKeyId(header)];
    return keyId;
  };
}

/** What is remembered depends on the header alone: a payload beside it cannot change it for the next token. */
function readKeyId(header: string): unknown {
  const emptyPayload = "e30";
  try {
    return decode(`${header}.${emptyPayload}.`).header.kid;
  } catch {
    return null;
  }
}

/** Expiry is judged with the claims, after the signature: a forged token is invalid, whatever times it names. */
async function payloadSignedWith(key: CryptoKey, token: string, origin: string): Promise<unknown> {
  const options = { alg: "HS256", iss: origin, aud: origin, typ: ACCESS_TOKEN_TYPE, exp: false, iat: false } as const;
  return verify(token, key, options).catch(() => undefined);
}

function importKey(secret: string): Promise<CryptoKey> {
  return crypto.subtle.importKey("raw", new TextEncoder().encode(secret), HMAC_SHA256, false, ["verify"]);
}
