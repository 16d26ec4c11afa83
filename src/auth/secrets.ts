/** Secrets that are handed out: 256 random bits each. The database keeps digests: who reads it cannot use them. */

const FORM = /^[\w-]{43}$/;

/** Makes a secret, as base64url. */
export function createSecret(): string {
  return Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString("base64url");
}

/** Names a secret by its digest, or by nothing where the text has not the form of one. */
export async function digestOf(secret: unknown): Promise<string> {
  if (typeof secret !== "string" || !FORM.test(secret)) return "";
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(secret));
  return Buffer.from(digest).toString("base64url");
}
