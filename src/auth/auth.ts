/** Better Auth's configuration, and nothing else. */
import { waitUntil } from "cloudflare:workers";
import { betterAuth } from "better-auth/minimal";
import { bearer } from "better-auth/plugins/bearer";
import { uuidv7 } from "uuidv7";
import type { Database } from "../db/client.ts";
import type { Settings } from "../env.ts";
import { accessToken } from "./access-token.ts";
import { databaseAdapter } from "./adapter.ts";

export const MIN_PASSWORD_CHARACTERS = 8;
export const MAX_PASSWORD_CHARACTERS = 128;
const SESSION_SECONDS = 7 * 24 * 60 * 60;
const SESSION_RENEWAL_SECONDS = 24 * 60 * 60;

/**
 * Builds Better Auth. Await it while the Worker starts: an aborted first request would otherwise leave
 * Better Auth's own start-up unsettled, and every later call in that isolate waiting for it.
 * @param secureCookies whether cookies are for https only, as everywhere but on a developer's machine
 */
export async function createAuth(settings: Settings, db: Database, secureCookies: boolean) {
  const auth = betterAuth({
    appName: "Edge Tasks",
    secret: settings.secret,
    ...(settings.publicOrigin && { baseURL: settings.publicOrigin }),
    trustedOrigins: settings.trustedOrigins,
    database: databaseAdapter(db),
    emailAndPassword: {
      enabled: true,
      minPasswordLength: MIN_PASSWORD_CHARACTERS,
      maxPasswordLength: MAX_PASSWORD_CHARACTERS,
    },
    session: { expiresIn: SESSION_SECONDS, updateAge: SESSION_RENEWAL_SECONDS },
    rateLimit: { enabled: true, storage: "database" },
    advanced: {
      useSecureCookies: secureCookies,
      // Better Auth turns both checks off by itself where it takes the environment for a test.
      disableOriginCheck: false,
      disableCSRFCheck: false,
      ipAddress: { ipAddressHeaders: ["cf-connecting-ip"] },
      database: { generateId: () => uuidv7() },
      backgroundTasks: { handler: waitUntil },
    },
    // Its messages may quote addresses; what fails is logged at the error edge.
    logger: { disabled: true },
    onAPIError: { throw: true },
    telemetry: { enabled: false },
    plugins: [bearer({ requireSignature: true }), accessToken(settings)],
  });
  await auth.$context;
  return auth;
}
