/** The session behind a request, for hooks that run before an endpoint has looked for it. */
import type { GenericEndpointContext } from "better-auth";
import { getSessionFromCtx } from "better-auth/api";
import { bearer } from "better-auth/plugins/bearer";

/** A session's bearer value counts only with its signature. */
export const signedBearer = bearer({ requireSignature: true });

/** Better Auth hands the bearer value on to the endpoint alone, not to other hooks; so it is asked for it here. */
export async function currentSession(c: GenericEndpointContext) {
  const { request, headers, ...rest } = c;
  const [convert] = signedBearer.hooks.before;
  const converted = await convert?.handler({
    ...rest,
    returnHeaders: false,
    ...(request && { request }),
    ...(headers && { headers }),
  });
  return getSessionFromCtx({ ...c, headers: converted?.context.headers ?? headers }, { disableRefresh: true });
}
