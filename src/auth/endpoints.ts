/** The account endpoints, a row each: all that is special about one stands in its row. Other endpoints do not exist. */

/** Calls a minute of one address, as the rate limits in wrangler.toml have them. */
export const ATTEMPTS_PER_MINUTE = 10;
export const CALLS_PER_MINUTE = 300;

export type AccountEndpoint = {
  method: "GET" | "POST";
  /** Below `/api/auth`. */
  path: string;
  /** Whether a caller needs a session. */
  session: "required" | "none";
  /** `ATTEMPTS_PER_MINUTE` for endpoints that guess, create or send; each has a count of its own. */
  perMinute: typeof ATTEMPTS_PER_MINUTE | typeof CALLS_PER_MINUTE;
  /** What it does, for the document. */
  summary: string;
  /** Counted by address, also for a known device: one that creates accounts must not get further counts by itself. */
  countedBy?: "address";
  /** Opens a session on success. */
  opensSession?: true;
  /** Success proves that the account is the caller's. */
  provesOwnership?: true;
  /** Checks a password: of the account that the body names, or of the session's own account. It stands in this field. */
  triesPassword?: { of: "named account" | "own account"; field: "password" | "currentPassword" };
  /** Sets a password, which stands in this field. */
  newPassword?: "password" | "newPassword";
  /** Needs mail to be configured: always, or where sign-ups have to verify their address. */
  needsMail?: "always" | "with verification";
  /**
   * Must not tell by its time whether an address has an account: always, where sign-ups have to verify their address, or
   * when it fails.
   */
  evenAnswer?: "always" | "with verification" | "on failure";
  /** The fields of its body. Left out, the endpoint's own schema decides. */
  fields?: readonly string[];
};

export const ENDPOINTS = {
  signUp: {
    method: "POST",
    path: "/sign-up/email",
    session: "none",
    perMinute: ATTEMPTS_PER_MINUTE,
    countedBy: "address",
    opensSession: true,
    provesOwnership: true,
    newPassword: "password",
    needsMail: "with verification",
    evenAnswer: "with verification",
    fields: ["name", "email", "password", "image", "callbackURL", "rememberMe"],
    summary: "Create an account and a session",
  },
  signIn: {
    method: "POST",
    path: "/sign-in/email",
    session: "none",
    perMinute: ATTEMPTS_PER_MINUTE,
    opensSession: true,
    provesOwnership: true,
    triesPassword: { of: "named account", field: "password" },
    evenAnswer: "on failure",
    summary: "Open a session",
  },
  signOut: {
    method: "POST",
    path: "/sign-out",
    session: "required",
    perMinute: CALLS_PER_MINUTE,
    summary: "End the session and its access tokens",
  },
  getSession: {
    method: "GET",
    path: "/get-session",
    session: "required",
    perMinute: CALLS_PER_MINUTE,
    summary: "Get the current session and user; null without a session",
  },
  getToken: {
    method: "GET",
    path: "/token",
    session: "required",
    perMinute: CALLS_PER_MINUTE,
    summary: "Exchange the session for an access token",
  },
  listSessions: {
    method: "GET",
    path: "/list-sessions",
    session: "required",
    perMinute: CALLS_PER_MINUTE,
    summary: "List the user's sessions",
  },
  revokeSession: {
    method: "POST",
    path: "/revoke-session",
    session: "required",
    perMinute: CALLS_PER_MINUTE,
    summary: "End one session, and the mailed links that it asked for",
  },
  revokeOtherSessions: {
    method: "POST",
    path: "/revoke-other-sessions",
    session: "required",
    perMinute: CALLS_PER_MINUTE,
    summary: "End all other sessions and all mailed links",
  },
  revokeSessions: {
    method: "POST",
    path: "/revoke-sessions",
    session: "required",
    perMinute: CALLS_PER_MINUTE,
    summary: "End all sessions and all mailed links",
  },
  changePassword: {
    method: "POST",
    path: "/change-password",
    session: "required",
    perMinute: ATTEMPTS_PER_MINUTE,
    // With `revokeOtherSessions`, in place of all that there were.
    opensSession: true,
    provesOwnership: true,
    triesPassword: { of: "own account", field: "currentPassword" },
    newPassword: "newPassword",
    summary: "Change the password and end all mailed links",
  },
  requestPasswordReset: {
    method: "POST",
    path: "/request-password-reset",
    session: "none",
    perMinute: ATTEMPTS_PER_MINUTE,
    needsMail: "always",
    evenAnswer: "always",
    summary: "Mail a link that resets the password, if the address has an account",
  },
  resetPassword: {
    method: "POST",
    path: "/reset-password",
    session: "none",
    perMinute: ATTEMPTS_PER_MINUTE,
    newPassword: "newPassword",
    summary: "Set a new password with a mailed link and end all sessions",
  },
  sendVerificationEmail: {
    method: "POST",
    path: "/send-verification-email",
    session: "none",
    perMinute: ATTEMPTS_PER_MINUTE,
    needsMail: "always",
    evenAnswer: "always",
    summary: "Mail a link that confirms the address",
  },
  verifyEmail: {
    method: "GET",
    path: "/verify-email",
    session: "none",
    perMinute: CALLS_PER_MINUTE,
    summary: "Confirm an address, or a change of address, with a mailed link",
  },
  changeEmail: {
    method: "POST",
    path: "/change-email",
    session: "required",
    perMinute: ATTEMPTS_PER_MINUTE,
    needsMail: "always",
    evenAnswer: "always",
    summary: "Mail the links that change the address",
  },
  updateUser: {
    method: "POST",
    path: "/update-user",
    session: "required",
    perMinute: CALLS_PER_MINUTE,
    fields: ["name", "image"],
    summary: "Change the name and the picture",
  },
  deleteUser: {
    method: "POST",
    path: "/delete-user",
    session: "required",
    perMinute: ATTEMPTS_PER_MINUTE,
    triesPassword: { of: "own account", field: "password" },
    summary: "Delete the account and all its data",
  },
  ok: {
    method: "GET",
    path: "/ok",
    session: "none",
    perMinute: CALLS_PER_MINUTE,
    summary: "Check that the account endpoints are up",
  },
} as const satisfies Record<string, AccountEndpoint>;

export const ALL_ENDPOINTS: readonly AccountEndpoint[] = Object.values(ENDPOINTS);

/** The row of a path, if there is one. */
export function endpointAt(path: string): AccountEndpoint | undefined {
  return ALL_ENDPOINTS.find((endpoint) => endpoint.path === path);
}
