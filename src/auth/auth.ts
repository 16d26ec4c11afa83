/** Better Auth's configuration, and nothing else. */
import { waitUntil } from "cloudflare:workers";
import { betterAuth } from "better-auth/minimal";
import { uuidv7 } from "uuidv7";
import { deriveKey } from "../access/keys.ts";
import type { Database } from "../db/client.ts";
import type { Settings } from "../env.ts";
import { accessToken } from "./access-token.ts";
import { databaseAdapter } from "./adapter.ts";
import { signedBearer } from "./current-session.ts";
import { deletionPolicy, endLinks, eraseUser } from "./deletion.ts";
import { inputPolicy } from "./input-policy.ts";
import { createLetters, passwordNotice } from "./mail/letters.ts";
import { createMailer } from "./mail/mailer.ts";
import { createOneTimeLinks, PASSWORD_RESET_MINUTES, VERIFICATION_MINUTES } from "./mail/one-time-links.ts";
import { passwords } from "./passwords/hashing.ts";
import { MAX_PASSWORD_CHARACTERS, passwordPolicy } from "./passwords/policy.ts";
import { sessionLifetime, sessionPolicy } from "./session-policy.ts";
import { createAccountThrottle } from "./throttling/account.ts";
import { ADDRESS_LIMITS, addressLimitStorage } from "./throttling/address.ts";
import { throttling } from "./throttling/plugin.ts";

export type AuthParts = { db: Database; hashers: Env["PASSWORD_HASHER"]; email: SendEmail };

const SESSION_RENEWALS_PER_IDLE_TIME = 7;

/**
 * Builds Better Auth. Await it while the Worker starts: an aborted first request would otherwise leave
 * Better Auth's own start-up unsettled, and every later call in that isolate waiting for it.
 * @param secureCookies whether cookies are for https only, as everywhere but on a developer's machine
 */
export async function createAuth(settings: Settings, { db, hashers, email }: AuthParts, secureCookies: boolean) {
  const [{ secret }] = settings.keys;
  const { hash, verify, upgrade } = passwords(hashers);
  const throttle = createAccountThrottle(db, await deriveKey(secret, "account throttle"));
  const links = createOneTimeLinks(db, settings.keys);
  const letters = settings.emailFrom && createLetters(createMailer(email, settings.emailFrom), links, throttle);

  const auth = betterAuth({
    appName: "Edge Tasks",
    secret,
    ...(settings.publicOrigin && { baseURL: settings.publicOrigin }),
    trustedOrigins: settings.trustedOrigins,
    database: databaseAdapter(db),
    emailAndPassword: {
      enabled: true,
      requireEmailVerification: settings.requireEmailVerification,
      // The password policy counts characters; Better Auth counts UTF-16 units, of which a character has two at most.
      minPasswordLength: 1,
      maxPasswordLength: 2 * MAX_PASSWORD_CHARACTERS,
      password: { hash, verify },
      resetPasswordTokenExpiresIn: PASSWORD_RESET_MINUTES * 60,
      revokeSessionsOnPasswordReset: true,
      onPasswordReset: async ({ user }) => {
        await endLinks(db, user.id);
        await throttle.forget(user.email);
        if (letters) waitUntil(letters.passwordChanged({ user }));
      },
      ...(letters && { sendResetPassword: letters.passwordReset, onExistingUserSignUp: letters.existingAccount }),
    },
    ...(letters && {
      emailVerification: {
        sendVerificationEmail: letters.verification,
        sendOnSignUp: true,
        sendOnSignIn: true,
        expiresIn: VERIFICATION_MINUTES * 60,
      },
    }),
    user: {
      changeEmail: { enabled: true, ...(letters && { sendChangeEmailConfirmation: letters.addressChange }) },
      deleteUser: { enabled: true, beforeDelete: (user) => eraseUser(db, throttle, user) },
    },
    session: {
      expiresIn: settings.sessionIdleSeconds,
      updateAge: Math.floor(settings.sessionIdleSeconds / SESSION_RENEWALS_PER_IDLE_TIME),
    },
    databaseHooks: sessionLifetime(settings.sessionMaxSeconds),
    // Housekeeping clears them, in chunks; Better Auth would read the whole table each time it looks one up.
    verification: { disableCleanup: true },
    rateLimit: { enabled: true, customRules: ADDRESS_LIMITS, customStorage: addressLimitStorage(db) },
    advanced: {
      useSecureCookies: secureCookies,
      // Better Auth turns both checks off by itself where it takes the environment for a test.
      disableOriginCheck: false,
      disableCSRFCheck: false,
      ipAddress: { ipAddressHeaders: ["cf-connecting-ip"], ipv6Subnet: 64 },
      database: { generateId: () => uuidv7() },
      backgroundTasks: { handler: waitUntil },
    },
    // Its messages may quote addresses; what fails is logged at the error edge.
    logger: { disabled: true },
    onAPIError: { throw: true },
    telemetry: { enabled: false },
    plugins: [
      inputPolicy(),
      signedBearer,
      passwordPolicy(),
      deletionPolicy(),
      throttling(throttle),
      links.plugin,
      upgrade,
      sessionPolicy(),
      accessToken(settings),
      ...(letters ? [passwordNotice(letters)] : []),
    ],
  });
  await auth.$context;
  return auth;
}
