/**
 * The Idempotency-Key header.
 * @see https://datatracker.ietf.org/doc/draft-ietf-httpapi-idempotency-key-header/
 */
import { z } from "@hono/zod-openapi";
import { base64url } from "jose";
import { IDEMPOTENCY_REPLAYED_HEADER } from "./headers.ts";

const MAX_KEY_CHARACTERS = 255;

export const idempotencyKey = z
  .string()
  .regex(/^[\x21-\x7e]+$/, "must be visible ASCII characters without spaces")
  .max(MAX_KEY_CHARACTERS, `must be at most ${MAX_KEY_CHARACTERS} characters long`)
  .optional()
  .openapi({
    description: "A unique value that you choose. Repeating it with the same body runs the request once",
  });

/** On the answer to a repeated key. */
export const REPLAYED = { [IDEMPOTENCY_REPLAYED_HEADER]: "true" };
export const REPLAYED_DESCRIPTION = { [IDEMPOTENCY_REPLAYED_HEADER]: "`true` if the key was used before" };

/**
 * Adds to a key a digest of its request, which tells a repetition from another request.
 * @returns undefined without a key
 */
export async function keyFor(key: string | undefined, operation: string, request: unknown) {
  if (key === undefined) return undefined;
  const text = new TextEncoder().encode(JSON.stringify([operation, request]));
  return { key, digest: base64url.encode(new Uint8Array(await crypto.subtle.digest("SHA-256", text))) };
}
