/**
 * The signing keys. The first signs, all are accepted. A key's id is a fingerprint of its secret, so it does not depend on
 * the order.
 */
import { createHash } from "node:crypto";

export type SigningKey = { id: string; secret: string };

/** At least one key; the first signs. */
export type Keys = readonly [SigningKey, ...SigningKey[]];

const KEY_ID_CHARACTERS = 8;

/** Creates the keys of these secrets, in order. */
export function createKeys([first, ...others]: readonly [string, ...string[]]): Keys {
  return [nameKey(first), ...others.map(nameKey)];
}

/**
 * Derives an HMAC key for one purpose, so that its signatures are valid for no other.
 * @see RFC 5869 (HKDF)
 */
export async function deriveKey(secret: string, purpose: string): Promise<CryptoKey> {
  const source = await crypto.subtle.importKey("raw", encode(secret), "HKDF", false, ["deriveKey"]);
  const derivation = { name: "HKDF", hash: "SHA-256", salt: new Uint8Array(), info: encode(`edge-tasks ${purpose}`) };
  const signing = { name: "HMAC", hash: "SHA-256", length: 256 };
  return crypto.subtle.deriveKey(derivation, source, signing, false, ["sign", "verify"]);
}

function nameKey(secret: string): SigningKey {
  const id = createHash("sha256").update(`edge-tasks key id ${secret}`).digest("base64url").slice(0, KEY_ID_CHARACTERS);
  return { id, secret };
}

function encode(text: string) {
  return new TextEncoder().encode(text);
}
