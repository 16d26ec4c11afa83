/** Random secrets of 256 bits. The database stores their digests, so that a reader of it cannot use them. */

const FORM = /^[\w-]{43}$/;

/** Creates a secret, in base64url. */
export function createSecret(): string {
  return Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString("base64url");
}

/** The digest of a secret; empty if the text has another form. */
export async function digestOf(secret: unknown): Promise<string> {
  if (typeof secret !== "string" || !FORM.test(secret)) return "";
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(secret));
  return Buffer.from(digest).toString("base64url");
}
