/**
 * No social providers. Better Auth's bundle holds all of them, whichever are configured: 14 KB compressed. wrangler.toml
 * puts this file in their place.
 * @see https://github.com/better-auth/better-auth/issues/10503
 *
 * Delete this file and its alias to offer sign-in with another account, or once the issue is closed.
 */
import * as z from "zod";

export const socialProviders = {};
/** No name is one of a provider. */
export const SocialProviderListEnum = z.never();

/** Better Auth's one-tap plugin names them. It is not used, and left out of the bundle. */
export { unused as isGoogleHostedDomainAllowed, unused as verifyGoogleIdToken };

function unused() {
  throw new Error("This Worker has no social providers.");
}
