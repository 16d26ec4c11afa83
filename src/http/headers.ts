/** The names of our own headers, and of those that Better Auth's plugins read. */

/** The D1 bookmark: sent in an answer, and sent back by the caller. */
export const BOOKMARK_HEADER = "x-d1-bookmark";
/** A new access token. Better Auth's `jwtClient()` reads it. */
export const ACCESS_TOKEN_HEADER = "set-auth-jwt";
/** A session's bearer value. Better Auth's `bearer` plugin names it so. */
export const SESSION_HEADER = "set-auth-token";
/** How a caller asks for the bearer value in place of a cookie: `bearer`. */
export const CARRIER_HEADER = "x-session-carrier";
/** `true` on the answer to a repeated Idempotency-Key. */
export const IDEMPOTENCY_REPLAYED_HEADER = "Idempotency-Replayed";
