/**
 * The Idempotency-Key header.
 * @see https://datatracker.ietf.org/doc/draft-ietf-httpapi-idempotency-key-header/
 */
import { z } from "@hono/zod-openapi";
import { base64url } from "jose";

const MAX_KEY_CHARACTERS = 255;

export const idempotencyKey = z
  .string()
  .regex(/^[\x21-\x7e]+$/, "must be visible ASCII characters")
  .max(MAX_KEY_CHARACTERS, `must be at most ${MAX_KEY_CHARACTERS} characters long`)
  .optional()
  .openapi({
    description: "Of your making: the same key and body is done once",
  });

export const IDEMPOTENCY_REPLAYED = { "Idempotency-Replayed": "true" };
export const REPLAYED = { "Idempotency-Replayed": "`true` when the key had come before" };

/** A key with a digest of what is asked for, to tell a repetition from another request. */
export async function keyFor(key: string | undefined, operation: string, request: unknown) {
  if (key === undefined) return undefined;
  const text = new TextEncoder().encode(JSON.stringify([operation, request]));
  return { key, digest: base64url.encode(new Uint8Array(await crypto.subtle.digest("SHA-256", text))) };
}
