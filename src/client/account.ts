/** Signing in and out, and the account: one method for each account endpoint. */
import type { Abortable } from "./abort.ts";
import { isTasksError } from "./errors.ts";
import type { Session } from "./session.ts";
import type { Answer, Call } from "./transport.ts";

export type User = {
  id: string;
  name: string;
  email: string;
  emailVerified: boolean;
  image: string | null;
  createdAt: string;
  updatedAt: string;
};

/** A session of the user. `token` names it in `revokeSession`; it does not authorize. */
export type UserSession = {
  id: string;
  token: string;
  userId: string;
  ipAddress: string | null;
  userAgent: string | null;
  createdAt: string;
  updatedAt: string;
  expiresAt: string;
};

export type Credentials = { email: string; password: string; rememberMe?: boolean };
export type NewAccount = Credentials & { name: string; image?: string; callbackURL?: string };
export type PasswordChange = { currentPassword: string; newPassword: string; revokeOtherSessions?: boolean };

const PATH = "/api/auth";

export function createAccount({ sendAnonymously, sendWithSession, sendToEnd }: Session) {
  return {
    /**
     * Creates an account and signs in.
     * @returns undefined if the address has to be confirmed before signing in
     */
    async signUp(account: NewAccount, how?: Abortable): Promise<User | undefined> {
      const { token, user } = await opened("/sign-up/email", account, how);
      return token === null ? undefined : user;
    },

    signIn: async (credentials: Credentials, how?: Abortable): Promise<User> =>
      (await opened("/sign-in/email", credentials, how)).user,

    /** Ends the session and its access tokens. Does nothing if it has ended already. */
    async signOut(how?: Abortable): Promise<void> {
      try {
        await sendToEnd(post("/sign-out", undefined, how, true));
      } catch (error) {
        if (!isTasksError(error) || error.code !== "session_ended") throw error;
      }
    },

    /** Tells who is signed in; undefined if nobody is. */
    async session(how?: Abortable): Promise<{ user: User; session: UserSession } | undefined> {
      const { json } = await sendWithSession(get("/get-session", how));
      return (json as { user: User; session: UserSession } | null) ?? undefined;
    },

    account: {
      /** All sessions of the user, the current one included. */
      sessions: async (how?: Abortable): Promise<UserSession[]> =>
        (await sendWithSession(get("/list-sessions", how))).json as UserSession[],

      revokeSession: ({ token }: Pick<UserSession, "token">, how?: Abortable): Promise<void> =>
        done(sendWithSession(post("/revoke-session", { token }, how, true))),

      revokeOtherSessions: (how?: Abortable): Promise<void> =>
        done(sendWithSession(post("/revoke-other-sessions", {}, how, true))),

      /** Ends all sessions, the current one included. */
      revokeSessions: (how?: Abortable): Promise<void> => done(sendToEnd(post("/revoke-sessions", {}, how))),

      /** With `revokeOtherSessions`, a new session replaces all, and this client continues in it. */
      changePassword: (change: PasswordChange, how?: Abortable): Promise<void> =>
        done(sendWithSession(post("/change-password", change, how))),

      /** Mails a link that resets the password. Succeeds also if the address has no account. */
      requestPasswordReset: (request: { email: string; redirectTo?: string }, how?: Abortable): Promise<void> =>
        done(sendAnonymously(post("/request-password-reset", request, how))),

      /** Sets a new password with the token of a mailed link, and ends all sessions. */
      resetPassword: (reset: { token: string; newPassword: string }, how?: Abortable): Promise<void> =>
        done(sendAnonymously(post("/reset-password", reset, how))),

      /** Mails a link that confirms the address. Succeeds also if the address has no account. */
      sendVerificationEmail: (request: { email: string; callbackURL?: string }, how?: Abortable): Promise<void> =>
        done(sendAnonymously(post("/send-verification-email", request, how))),

      /** Confirms an address, or a change of address, with the token of a mailed link. The token works once. */
      verifyEmail: (token: string, how?: Abortable): Promise<void> =>
        done(sendAnonymously({ ...get("/verify-email", how), query: { token }, repeatable: false })),

      /** Mails the links that change the address. Needs a session that is at most 15 minutes old. */
      changeEmail: (change: { newEmail: string; callbackURL?: string }, how?: Abortable): Promise<void> =>
        done(sendWithSession(post("/change-email", change, how))),

      /** Changes the name or the picture; null removes the picture. */
      update: (changes: { name?: string; image?: string | null }, how?: Abortable): Promise<void> =>
        done(sendWithSession(post("/update-user", changes, how))),

      /** Deletes the account and all its data. */
      delete: (proof: { password: string }, how?: Abortable): Promise<void> =>
        done(sendToEnd(post("/delete-user", proof, how))),
    },
  };

  async function opened(path: string, json: object, how?: Abortable): Promise<{ token: string | null; user: User }> {
    return (await sendAnonymously(post(path, json, how))).json as { token: string | null; user: User };
  }
}

function get(path: string, { signal }: Abortable = {}): Call {
  return { method: "GET", path: PATH + path, repeatable: true, signal };
}

function post(path: string, json: unknown, { signal }: Abortable = {}, repeatable = false): Call {
  return { method: "POST", path: PATH + path, json, repeatable, signal };
}

async function done(answer: Promise<Answer>): Promise<void> {
  await answer;
}
