/** Better Auth's configuration, and nothing else. */
import { waitUntil } from "cloudflare:workers";
import { betterAuth } from "better-auth/minimal";
import { uuidv7 } from "uuidv7";
import { deriveKey } from "../access/keys.ts";
import type { Database } from "../db/client.ts";
import type { Settings } from "../env.ts";
import { accessToken } from "./access-token.ts";
import { accountEvents, notingEndedSessions } from "./account-events.ts";
import { databaseAdapter } from "./adapter.ts";
import { credentialEndpoints } from "./credentials/plugin.ts";
import { createCredentialStore } from "./credentials/store.ts";
import { signedBearer } from "./current-session.ts";
import { inputPolicy } from "./input-policy.ts";
import { createLetters } from "./mail/letters.ts";
import { LINK_MINUTES } from "./mail/links.ts";
import { createMailer } from "./mail/mailer.ts";
import { passwords } from "./passwords/hashing.ts";
import { MAX_PASSWORD_CHARACTERS, passwordPolicy } from "./passwords/policy.ts";
import { sessionLifetime, sessionPolicy } from "./session-policy.ts";
import { throttling } from "./throttling/plugin.ts";
import { createThrottle } from "./throttling/throttle.ts";

export type AuthParts = { db: Database; hashers: Env["PASSWORD_HASHER"]; email: SendEmail };

const SESSION_RENEWALS_PER_IDLE_TIME = 7;

/** Better Auth reads lists with a limit; those that it reads here have one of their own (100 sessions). */
const NO_LIMIT = 100_000;

/**
 * Builds Better Auth. Await it while the Worker starts: an aborted first request would otherwise leave
 * Better Auth's own start-up unsettled, and every later call in that isolate waiting for it.
 * It takes the origin of each request that it is handed for its own.
 * @param isSecure whether cookies are for https only, as everywhere but on a developer's machine
 */
export async function createAuth(settings: Settings, { db, hashers, email }: AuthParts, isSecure: boolean) {
  const [{ secret }] = settings.keys;
  const confirmsByPassword = settings.requireEmailVerification;
  const store = createCredentialStore(db);
  const { hash, verify, upgrade } = passwords(hashers, store);
  const throttle = createThrottle(db, await deriveKey(secret, "account throttle"));
  const letters =
    settings.emailFrom === undefined
      ? undefined
      : createLetters(db, createMailer(email, settings.emailFrom), throttle, {
          publicOrigin: settings.publicOrigin,
          confirmsByPassword,
        });
  const callbackOrigins = settings.callbackUrls.flatMap((url) => (url.startsWith("/") ? [] : [new URL(url).origin]));

  const auth = betterAuth({
    appName: "Edge Tasks",
    secret,
    trustedOrigins: [...settings.trustedOrigins, ...callbackOrigins],
    database: databaseAdapter(db, settings.requireEmailVerification),
    emailAndPassword: {
      enabled: true,
      requireEmailVerification: settings.requireEmailVerification,
      // The password policy counts characters; Better Auth counts UTF-16 units, of which a character has two at most.
      minPasswordLength: 1,
      maxPasswordLength: 2 * MAX_PASSWORD_CHARACTERS,
      password: { hash, verify },
      ...(letters && { onExistingUserSignUp: letters.existingAccount }),
    },
    ...(letters && {
      emailVerification: {
        sendVerificationEmail: letters.verification,
        sendOnSignUp: true,
        sendOnSignIn: true,
        expiresIn: LINK_MINUTES.verify * 60,
      },
    }),
    user: {
      changeEmail: { enabled: true },
      deleteUser: { enabled: true },
    },
    session: {
      expiresIn: settings.sessionIdleSeconds,
      updateAge: Math.floor(settings.sessionIdleSeconds / SESSION_RENEWALS_PER_IDLE_TIME),
      // Better Auth lists sessions for young sessions only; what needs a password asks for it here.
      freshAge: 0,
    },
    databaseHooks: { session: { ...sessionLifetime(settings), ...notingEndedSessions } },
    // The platform limits calls before they come here (routes.ts).
    rateLimit: { enabled: false },
    advanced: {
      // A cookie that is named so is for this host alone: no other host of the domain can have set it.
      cookiePrefix: isSecure ? "__Host-better-auth" : "better-auth",
      useSecureCookies: false,
      defaultCookieAttributes: { secure: isSecure },
      // Better Auth turns both checks off by itself where it takes the environment for a test.
      disableOriginCheck: false,
      disableCSRFCheck: false,
      ipAddress: { ipAddressHeaders: ["cf-connecting-ip"], ipv6Subnet: 64 },
      database: { generateId: () => uuidv7(), defaultFindManyLimit: NO_LIMIT },
      backgroundTasks: { handler: waitUntil },
    },
    // Its messages may quote addresses; what fails is logged at the error edge.
    logger: { disabled: true },
    onAPIError: { throw: true },
    telemetry: { enabled: false },
    plugins: [
      inputPolicy(settings.callbackUrls),
      signedBearer,
      passwordPolicy(),
      credentialEndpoints({ db, store, throttle, letters, confirmsByPassword }),
      throttling(throttle),
      upgrade,
      sessionPolicy(),
      accessToken(settings),
      accountEvents(),
    ],
  });
  await auth.$context;
  return auth;
}
