/**
 * A cursor is a sealed position in one list of one user: opaque, bound to both, and worthless when altered.
 */
import { base64url } from "jose";

/** Made from the secret, and good for nothing else. */
export type CursorKey = CryptoKey & { readonly use: "cursor" };

/**
 * Derives the key that seals cursors.
 * @see RFC 5869 (HKDF): each purpose has a key of its own
 */
export async function deriveCursorKey(secret: string): Promise<CursorKey> {
  const source = await crypto.subtle.importKey("raw", encode(secret), "HKDF", false, ["deriveKey"]);
  const derivation = { name: "HKDF", hash: "SHA-256", salt: new Uint8Array(), info: encode("edge-tasks cursor") };
  const signing = { name: "HMAC", hash: "SHA-256", length: 256 };
  const key = await crypto.subtle.deriveKey(derivation, source, signing, false, ["sign"]);
  return Object.assign(key, { use: "cursor" as const });
}

/**
 * Seals a position.
 * @param list what the position belongs to: the user and the query, as text
 */
export async function sealCursor(key: CursorKey, list: string, position: string): Promise<string> {
  const tag = await crypto.subtle.sign("HMAC", key, encode(JSON.stringify([list, position])));
  return `${base64url.encode(position)}.${base64url.encode(new Uint8Array(tag))}`;
}

/**
 * Opens a cursor.
 * @returns the position, or undefined when the cursor was not sealed by us for this very list
 */
export async function openCursor(key: CursorKey, list: string, cursor: string): Promise<string | undefined> {
  const position = decodePosition(cursor);
  if (position === undefined) return undefined;
  const [given, expected] = [encode(cursor), encode(await sealCursor(key, list, position))];
  const alike = given.length === expected.length && crypto.subtle.timingSafeEqual(given, expected);
  return alike ? position : undefined;
}

function decodePosition(cursor: string): string | undefined {
  try {
    return new TextDecoder().decode(base64url.decode(cursor.split(".")[0] ?? ""));
  } catch {
    return undefined;
  }
}

function encode(text: string) {
  return new TextEncoder().encode(text);
}
