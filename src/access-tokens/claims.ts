/**
 * The access token's claims, defined once for the issuer and the guard. User ids and session ids are branded types that
 * only this schema creates.
 */
import { z } from "zod";
import { DAY_SECONDS } from "../time.ts";

/** The `typ` header. It tells an access token from any other JWT of the same secret (RFC 9068). */
export const ACCESS_TOKEN_TYPE = "at+jwt";
export const MAX_TOKEN_LIFE_SECONDS = DAY_SECONDS;
/** How far an issuer's clock may be ahead of this one. */
const CLOCK_TOLERANCE_SECONDS = 5;

/** The verifier compares issuer and audience. */
const accessTokenClaims = z.object({
  iss: z.string(),
  aud: z.string(),
  sub: z.string().min(1).brand<"UserId">(),
  sid: z.string().min(1).brand<"SessionId">(),
  email: z.string().min(1),
  iat: z.int().positive(),
  exp: z.int().positive(),
  jti: z.string().min(1),
});

export type AccessTokenClaims = z.infer<typeof accessTokenClaims>;
export type UserId = AccessTokenClaims["sub"];
export type SessionId = AccessTokenClaims["sid"];

/** The caller: the subject and session of a verified access token. */
export type Caller = { userId: UserId; sessionId: SessionId };

export type ClaimsResult = { ok: true; caller: Caller } | { ok: false; reason: "invalid" | "expired" };

/**
 * Validates the payload of a token whose signature has been verified.
 * @param payload the decoded payload; issuer and audience are compared by the verifier
 * @param nowSeconds Unix time
 * @see RFC 7519, section 4.1
 */
export function validateClaims(payload: unknown, nowSeconds: number): ClaimsResult {
  const claims = accessTokenClaims.safeParse(payload);
  if (!claims.success) return { ok: false, reason: "invalid" };
  const { iat, exp, sub, sid } = claims.data;
  if (iat > nowSeconds + CLOCK_TOLERANCE_SECONDS || exp <= iat || exp - iat > MAX_TOKEN_LIFE_SECONDS) {
    return { ok: false, reason: "invalid" };
  }
  if (exp <= nowSeconds) return { ok: false, reason: "expired" };
  return { ok: true, caller: { userId: sub, sessionId: sid } };
}

/** The contents of a new access token. Times are Unix seconds. */
export type AccessTokenInput = {
  origin: string;
  userId: string;
  sessionId: string;
  email: string;
  nowSeconds: number;
  ttlSeconds: number;
};

/** Composes the claims of a new access token. */
export function composeClaims(input: AccessTokenInput): z.input<typeof accessTokenClaims> {
  return {
    iss: input.origin,
    aud: input.origin,
    sub: input.userId,
    sid: input.sessionId,
    email: input.email,
    iat: input.nowSeconds,
    exp: input.nowSeconds + input.ttlSeconds,
    jti: crypto.randomUUID(),
  };
}
