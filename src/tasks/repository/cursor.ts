/** A cursor is a sealed position in one list of one user: opaque, bound to both, and invalid once it is altered. */
import { base64url } from "jose";
import { deriveKey, type Keys } from "../../access-tokens/keys.ts";

/** Derived from the secrets, newest first. They seal cursors and nothing else. */
export type CursorKeys = readonly [CursorKey, ...CursorKey[]];
type CursorKey = CryptoKey & { readonly use: "cursor" };

export async function deriveCursorKeys([newest, ...older]: Keys): Promise<CursorKeys> {
  const derive = async ({ secret }: Keys[0]): Promise<CursorKey> =>
    Object.assign(await deriveKey(secret, "cursor"), { use: "cursor" as const });
  return [await derive(newest), ...(await Promise.all(older.map(derive)))];
}

/**
 * Seals a position.
 * @param list what the position belongs to: the user and the query, as text
 */
export function sealCursor([newest]: CursorKeys, list: string, position: string): Promise<string> {
  return seal(newest, list, position);
}

/**
 * Opens a cursor.
 * @returns the position, or undefined where the cursor was not sealed here for this list
 */
export async function openCursor(keys: CursorKeys, list: string, cursor: string): Promise<string | undefined> {
  const position = decodePosition(cursor);
  if (position === undefined) return undefined;
  for (const key of keys) if (isSame(cursor, await seal(key, list, position))) return position;
  return undefined;
}

async function seal(key: CursorKey, list: string, position: string): Promise<string> {
  const tag = await crypto.subtle.sign("HMAC", key, encode(JSON.stringify([list, position])));
  return `${base64url.encode(position)}.${base64url.encode(new Uint8Array(tag))}`;
}

function decodePosition(cursor: string): string | undefined {
  try {
    return new TextDecoder().decode(base64url.decode(cursor.split(".")[0] ?? ""));
  } catch {
    return undefined;
  }
}

function isSame(first: string, second: string): boolean {
  const [given, expected] = [encode(first), encode(second)];
  return given.length === expected.length && crypto.subtle.timingSafeEqual(given, expected);
}

function encode(text: string) {
  return new TextEncoder().encode(text);
}
