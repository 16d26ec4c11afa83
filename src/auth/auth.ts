/** Better Auth's configuration, and nothing else. */
import { waitUntil } from "cloudflare:workers";
import { betterAuth } from "better-auth/minimal";
import { uuidv7 } from "uuidv7";
import { deriveKey } from "../access-tokens/keys.ts";
import type { Database } from "../db/client.ts";
import type { Settings } from "../env.ts";
import { accountEvents, noteEndedSession } from "./account-events.ts";
import { credentialEndpoints } from "./credentials/plugin.ts";
import { createCredentialStore } from "./credentials/store.ts";
import { inputPolicy } from "./input-policy.ts";
import { issueAccessToken } from "./issue-access-token.ts";
import { createMailEvents } from "./mail/events.ts";
import { LINK_MINUTES } from "./mail/one-time-links.ts";
import { createMailSender } from "./mail/send.ts";
import { createPasswordHashing } from "./passwords/plugin.ts";
import { MAX_PASSWORD_CHARACTERS, passwordPolicy } from "./passwords/policy.ts";
import { sessionLifetime, sessionPolicy } from "./session-policy.ts";
import { throttling } from "./throttling/plugin.ts";
import { createThrottle } from "./throttling/throttle.ts";
import { databaseAdapter } from "./workarounds/adapter.ts";
import { signedBearer } from "./workarounds/current-session.ts";

export type AuthParts = { db: Database; hashers: Env["PASSWORD_HASHER"]; email: SendEmail };

const SESSION_RENEWALS_PER_IDLE_TIME = 7;

/**
 * Better Auth reads lists with a limit of 100 rows, so it would end and list 100 sessions only.
 * @see https://github.com/better-auth/better-auth/pull/10138
 */
const NO_LIMIT = 100_000;

/**
 * Creates Better Auth. Await it while the Worker starts: an aborted first request would otherwise leave Better Auth's
 * start-up unsettled, and every later call in that isolate would wait for it.
 * @param isSecure whether cookies are for https only, as everywhere but on a developer's machine
 * @see https://github.com/better-auth/better-auth/issues/10315
 */
export async function createAuth(settings: Settings, { db, hashers, email }: AuthParts, isSecure: boolean) {
  const [{ secret }] = settings.keys;
  const confirmsByPassword = settings.requireEmailVerification;
  const store = createCredentialStore(db);
  const { hash, verify, passwordUpgrade } = createPasswordHashing(hashers, store);
  const throttle = createThrottle(db, await deriveKey(secret, "account throttle"));
  const mails =
    settings.emailFrom === undefined
      ? undefined
      : createMailEvents(db, createMailSender(email, settings.emailFrom), throttle, {
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
      // The password policy counts characters. Better Auth counts UTF-16 units, at most two a character.
      minPasswordLength: 1,
      maxPasswordLength: 2 * MAX_PASSWORD_CHARACTERS,
      password: { hash, verify },
      ...(mails && { onExistingUserSignUp: mails.existingAccount }),
    },
    ...(mails && {
      emailVerification: {
        sendVerificationEmail: mails.verification,
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
      // Better Auth would list sessions for young sessions only (https://github.com/better-auth/better-auth/issues/8175).
      freshAge: 0,
    },
    databaseHooks: { session: { ...sessionLifetime(settings), ...noteEndedSession } },
    // Calls are limited before (routes.ts).
    rateLimit: { enabled: false },
    advanced: {
      // A cookie with this prefix belongs to this host: no other host of the domain can set it.
      cookiePrefix: isSecure ? "__Host-better-auth" : "better-auth",
      useSecureCookies: false,
      defaultCookieAttributes: { secure: isSecure },
      // Better Auth turns both checks off in what it takes for a test environment.
      disableOriginCheck: false,
      disableCSRFCheck: false,
      ipAddress: { ipAddressHeaders: ["cf-connecting-ip"], ipv6Subnet: 64 },
      database: { generateId: () => uuidv7(), defaultFindManyLimit: NO_LIMIT },
      backgroundTasks: { handler: waitUntil },
    },
    // Its messages may quote addresses. Failures are logged by failure.ts.
    logger: { disabled: true },
    onAPIError: { throw: true },
    telemetry: { enabled: false },
    // Their hooks run in this order, before and after the endpoint.
    plugins: [
      // First, so that no other hook reads unchecked input.
      inputPolicy(settings.callbackUrls),
      signedBearer,
      // Before throttling, so that a refused new password does not count as an attempt.
      passwordPolicy(),
      credentialEndpoints({ db, store, throttle, mails, confirmsByPassword }),
      throttling(throttle),
      passwordUpgrade(),
      // After the new session exists: it ends the previous one.
      sessionPolicy(),
      issueAccessToken(settings),
      // Last, so that it sees the outcome of all others.
      accountEvents(),
    ],
  });
  await auth.$context;
  return auth;
}
