/**
 * Better Auth asks every request with any cookie for a trusted Origin, and so refuses a program behind a CDN that sets
 * cookies of its own. It asks the same of a request with fetch metadata; Node's fetch sends a mode without a site, as no
 * browser does.
 * @see https://github.com/better-auth/better-auth/issues/5573
 *
 * Delete this file once test/auth/workarounds.test.ts shows that a program with a foreign cookie can sign in.
 */

/** The headers without foreign cookies, and without the fetch metadata of a program. */
export function withoutForeignCookies(sent: Headers): Headers {
  const headers = new Headers(sent);
  const ours = headers
    .get("cookie")
    ?.split(";")
    .map((cookie) => cookie.trim())
    .filter((cookie) => /^(__Host-)?better-auth\./.test(cookie));
  headers.delete("cookie");
  if (ours?.length) headers.set("cookie", ours.join("; "));
  if (!headers.has("sec-fetch-site")) headers.delete("sec-fetch-mode");
  return headers;
}
