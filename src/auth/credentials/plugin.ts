/**
 * The endpoints that change credentials. Their paths, bodies and answers are Better Auth's, but each is one transaction
 * (store.ts), where Better Auth takes several steps. An endpoint of a plugin replaces Better Auth's of the same name.
 */
import type { BetterAuthPlugin, GenericEndpointContext } from "better-auth";
import {
  APIError,
  changeEmail,
  changePassword,
  createAuthEndpoint,
  createAuthMiddleware,
  deleteUser,
  requestPasswordReset,
  resetPassword,
  revokeOtherSessions,
  revokeSession,
  revokeSessions,
  updateUser,
  verifyEmail,
} from "better-auth/api";
import { deleteSessionCookie, setSessionCookie } from "better-auth/cookies";
import { uuidv7 } from "uuidv7";
import type { Database } from "../../db/client.ts";
import { ENDPOINTS } from "../endpoints.ts";
import { on } from "../hooks.ts";
import { callbackOf, type MailEvents } from "../mail/events.ts";
import { findLink } from "../mail/one-time-links.ts";
import { refuseBadPassword } from "../passwords/policy.ts";
import { requestNotes } from "../request-notes.ts";
import { createSecret, digestOf } from "../secrets.ts";
import type { SessionRow } from "../session-insert.ts";
import { rememberCaller } from "../throttling/plugin.ts";
import { LONGEST_MAIL_WAIT_MS, type Throttle } from "../throttling/throttle.ts";
import { createAddresses, type FollowResult } from "./addresses.ts";
import type { CredentialStore, Verified } from "./store.ts";

type Parts = {
  db: Database;
  store: CredentialStore;
  throttle: Throttle;
  mails: MailEvents | undefined;
  /** Whether confirming an address sets a password: then no link only confirms. */
  confirmsByPassword: boolean;
};
type Current = { user: { id: string; email: string; name: string }; session: { id: string; token: string } };

export function credentialEndpoints({ db, store, throttle, mails, confirmsByPassword }: Parts) {
  const addresses = createAddresses({ db, store, mails, confirmsByPassword });

  return {
    id: "credentials",
    hooks: {
      before: [
        on(
          ({ path }) => path === ENDPOINTS.deleteUser.path,
          createAuthMiddleware(async (c) => {
            if (typeof c.body?.password === "string" && c.body.password !== "") return;
            const message = "Send the account's password in the field `password`";
            throw new APIError("BAD_REQUEST", { code: "PASSWORD_REQUIRED", message });
          }),
        ),
      ],
    },
    endpoints: {
      changePassword: createAuthEndpoint(ENDPOINTS.changePassword.path, changePassword.options, async (c) => {
        const current = c.context.session;
        const { user } = current;
        const replacement = c.body.revokeOtherSessions ? newSession(c, user.id) : undefined;
        await withPassword(c, current, c.body.currentPassword, async (verified) => {
          const hash = await c.context.password.hash(c.body.newPassword);
          return store.changePassword(verified, hash, replacement);
        });
        if (replacement) await setSessionCookie(c, { session: replacement, user });
        mails?.passwordChanged(user);
        return c.json({ token: replacement?.token ?? null, user });
      }),

      requestPasswordReset: createAuthEndpoint(
        ENDPOINTS.requestPasswordReset.path,
        requestPasswordReset.options,
        async (c) => {
          const { email, redirectTo } = c.body;
          const found = await c.context.internalAdapter.findUserByEmail(email);
          // An address without an account takes as many round trips. No link is stored and no mail is sent.
          await mails?.passwordReset(found?.user ?? { id: "", email: email.toLowerCase() }, callbackOf(redirectTo));
          const message = "If this email exists in our system, check your email for the reset link";
          return c.json({ status: true, message });
        },
      ),

      resetPassword: createAuthEndpoint(ENDPOINTS.resetPassword.path, resetPassword.options, async (c) => {
        refuseBadPassword(c.body.newPassword, []);
        const digest = await digestOf(c.body.token ?? c.query?.token);
        const arriving = confirmsByPassword ? await findLink(db, digest, "arrive") : undefined;
        const link = arriving ?? (await findLink(db, digest, "password"));
        if (!link) throw invalidToken("BAD_REQUEST");
        const email = arriving?.newEmail ?? link.email;
        refuseBadPassword(c.body.newPassword, [email, link.name]);
        const hash = await c.context.password.hash(c.body.newPassword);
        const isSet = arriving ? addresses.arrive(digest, arriving, hash) : store.resetPassword(digest, link, hash);
        if (!(await isSet)) throw invalidToken("BAD_REQUEST");
        requestNotes().userId = link.userId;
        await rememberCaller(throttle, { id: link.userId, email });
        mails?.passwordChanged({ email });
        return c.json({ status: true });
      }),

      verifyEmail: createAuthEndpoint(ENDPOINTS.verifyEmail.path, verifyEmail.options, async (c) => {
        const { callbackURL } = c.query;
        const followed = await addresses.confirm(await digestOf(c.query.token), callbackOf(callbackURL));
        if (callbackURL && followed === "done") throw c.redirect(callbackURL);
        if (callbackURL) {
          requestNotes().outcome = followed === "invalid" ? "refused" : "throttled";
          throw c.redirect(withError(callbackURL, followed));
        }
        if (followed === "too-many-mails") throw tooManyMails();
        if (followed === "invalid") throw invalidToken("UNAUTHORIZED");
        return c.json({ status: true, user: null });
      }),

      changeEmail: createAuthEndpoint(ENDPOINTS.changeEmail.path, changeEmail.options, async (c) => {
        const { user, session } = c.context.session;
        const newEmail = c.body.newEmail.toLowerCase();
        if (newEmail === user.email) throw new APIError("BAD_REQUEST", { message: "Email is the same" });
        const target = { userId: user.id, email: user.email, newEmail, sessionId: session.id };
        const callback = callbackOf(c.body.callbackURL);
        // The answer and the mail do not reveal whether the new address has an account.
        if (user.emailVerified) await mails?.leave({ ...target, purpose: "leave" }, callback);
        else if (!(await addresses.isTaken(newEmail)))
          await mails?.arrive({ ...target, purpose: "arrive", unconfirmed: true }, callback);
        return c.json({ status: true });
      }),

      updateUser: createAuthEndpoint(ENDPOINTS.updateUser.path, updateUser().options, async (c) => {
        const { user, session } = c.context.session;
        const { name = user.name, image = user.image } = c.body as Partial<Pick<typeof user, "name" | "image">>;
        if (Object.keys(c.body).length === 0) throw new APIError("BAD_REQUEST", { message: "No fields to update" });
        const owner = { userId: user.id, sessionId: session.id };
        requireDone(await store.changeProfile(owner, { name, image: image ?? null }));
        await setSessionCookie(c, { session, user: { ...user, name, image } });
        return c.json({ status: true });
      }),

      deleteUser: createAuthEndpoint(ENDPOINTS.deleteUser.path, deleteUser.options, async (c) => {
        const current = c.context.session;
        // Better Auth also deletes with a mailed token. This Worker mails none.
        if (c.body.token) throw invalidToken("NOT_FOUND");
        const account = await throttle.nameOf(current.user.email);
        await withPassword(c, current, c.body.password ?? "", (verified) =>
          store.deleteAccount(verified, throttle.deleteAttempts(account)),
        );
        deleteSessionCookie(c);
        return c.json({ success: true, message: "User deleted" });
      }),

      revokeSession: createAuthEndpoint(ENDPOINTS.revokeSession.path, revokeSession.options, async (c) => {
        const { user, session } = c.context.session;
        requireDone(await store.endSession({ userId: user.id, sessionId: session.id }, c.body.token));
        if (c.body.token === session.token) deleteSessionCookie(c);
        return c.json({ status: true });
      }),

      revokeSessions: createAuthEndpoint(ENDPOINTS.revokeSessions.path, revokeSessions.options, async (c) => {
        const { user, session } = c.context.session;
        requireDone(await store.endSessions({ userId: user.id, sessionId: session.id }, false));
        deleteSessionCookie(c);
        return c.json({ status: true });
      }),

      revokeOtherSessions: createAuthEndpoint(
        ENDPOINTS.revokeOtherSessions.path,
        revokeOtherSessions.options,
        async (c) => {
          const { user, session } = c.context.session;
          requireDone(await store.endSessions({ userId: user.id, sessionId: session.id }, true));
          return c.json({ status: true });
        },
      ),
    },
  } satisfies BetterAuthPlugin;
}

/**
 * Runs work that needs the password of the session's account. If the hash was replaced meanwhile, by a stronger hash or by
 * that of another password, the password is verified again.
 */
async function withPassword(
  c: GenericEndpointContext,
  { user, session }: Current,
  password: string,
  work: (verified: Verified) => Promise<boolean>,
): Promise<void> {
  for (let former = ""; ; ) {
    const account = await c.context.internalAdapter.findCredentialAccount(user.id);
    const hash = account?.password ?? "";
    if (hash === former || !(await c.context.password.verify({ hash, password }))) throw invalidPassword();
    if (await work({ userId: user.id, sessionId: session.id, hash })) return;
    former = hash;
  }
}

function newSession(c: GenericEndpointContext, userId: string): SessionRow {
  const now = new Date();
  return {
    id: uuidv7(),
    userId,
    token: createSecret(),
    expiresAt: new Date(now.getTime() + c.context.sessionConfig.expiresIn * 1000),
    createdAt: now,
    updatedAt: now,
    ipAddress: requestNotes().source.address,
    userAgent: c.headers?.get("user-agent") ?? "",
  };
}

function withError(callback: string, followed: FollowResult): string {
  const code = followed === "too-many-mails" ? "TOO_MANY_REQUESTS" : "INVALID_TOKEN";
  return `${callback}${callback.includes("?") ? "&" : "?"}error=${code}`;
}

function tooManyMails(): APIError {
  const message =
    "Too many mails were sent to the new address today. Follow the link again after the number of seconds in Retry-After";
  const headers = { "Retry-After": String(LONGEST_MAIL_WAIT_MS / 1000) };
  return new APIError("TOO_MANY_REQUESTS", { code: "TOO_MANY_REQUESTS", message }, headers);
}

/** Refuses the request of a session that has ended meanwhile. */
function requireDone(isDone: boolean): void {
  if (!isDone)
    throw new APIError("UNAUTHORIZED", { code: "UNAUTHORIZED", message: "The session has ended. Sign in again" });
}

function invalidPassword(): APIError {
  return new APIError("BAD_REQUEST", { code: "INVALID_PASSWORD", message: "Invalid password" });
}

function invalidToken(status: "BAD_REQUEST" | "UNAUTHORIZED" | "NOT_FOUND"): APIError {
  return new APIError(status, { code: "INVALID_TOKEN", message: "Invalid token" });
}
