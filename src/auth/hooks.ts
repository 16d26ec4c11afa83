/** The one shape of our plugins' hooks: on which endpoints a hook runs, and what it does. */
import type { createAuthMiddleware } from "better-auth/api";
import { type AccountEndpoint, ALL_ENDPOINTS } from "./endpoints.ts";

/** @param isFor selects endpoints by their row */
export function on(isFor: (endpoint: AccountEndpoint) => boolean, handler: ReturnType<typeof createAuthMiddleware>) {
  const paths = new Set(ALL_ENDPOINTS.filter(isFor).map(({ path }) => path));
  return { matcher: ({ path }: { path?: string }) => path !== undefined && paths.has(path), handler };
}
