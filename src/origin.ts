/** Under which origin a request is answered, and which URLs lead to this machine. */

/** This machine: `localhost`, names below it, 127.0.0.0/8 and `[::1]` (RFC 6761, section 6.3; RFC 1122). */
const LOOPBACK = /^(?:(?:.+\.)?localhost|127(?:\.\d{1,3}){3}|\[::1\])$/;

/** Tells whether a URL leads to the machine that it is asked from. */
export function isLoopback(url: string): boolean {
  return LOOPBACK.test(new URL(url).hostname);
}

/** The origin of a request's URL as it was sent, with the case of the host: to write it, not to compare it. */
export function originIn(url: string): string {
  return url.slice(0, url.indexOf("/", url.indexOf("://") + 3));
}

/**
 * The issuer of tokens, where links in mails lead, and the origin whose pages are ours.
 * @param publicOrigin the one that the operator fixed. A developer's machine is its own, whatever production is called.
 */
export function originOf(url: string, publicOrigin: string | undefined): string {
  return publicOrigin === undefined || isLoopback(url) ? new URL(url).origin : publicOrigin;
}
