/** Which account endpoints are open, and what each takes. Whatever else Better Auth could mount does not exist. */

/**
 * `limit` names the platform's limit by address: `tries` for what guesses, creates or sends, `calls` for the rest.
 * `open` endpoints need no session. `fields` are all that a caller may set of an account.
 */
type AccountEndpoint = {
  method: "GET" | "POST";
  path: string;
  limit: "tries" | "calls";
  open?: true;
  sendsMail?: true;
  fields?: readonly string[];
  does: string;
};

export const AUTH_ENDPOINTS = [
  {
    method: "POST",
    path: "/sign-up/email",
    limit: "tries",
    open: true,
    fields: ["name", "email", "password", "image", "callbackURL", "rememberMe"],
    does: "Create an account and a session",
  },
  {
    method: "POST",
    path: "/sign-in/email",
    limit: "tries",
    open: true,
    does: "Open a session",
  },
  {
    method: "POST",
    path: "/sign-out",
    limit: "calls",
    does: "End the session and its access tokens",
  },
  { method: "GET", path: "/get-session", limit: "calls", does: "Tell the session and the user" },
  { method: "GET", path: "/token", limit: "calls", does: "Exchange the session for an access token" },
  { method: "GET", path: "/list-sessions", limit: "calls", does: "List the user's sessions" },
  {
    method: "POST",
    path: "/revoke-session",
    limit: "calls",
    does: "End one of them, and the links that it asked for",
  },
  {
    method: "POST",
    path: "/revoke-other-sessions",
    limit: "calls",
    does: "End all but this one, and all links in mails",
  },
  { method: "POST", path: "/revoke-sessions", limit: "calls", does: "End all, and all links in mails" },
  {
    method: "POST",
    path: "/change-password",
    limit: "tries",
    does: "Change the password, and end all links in mails",
  },
  {
    method: "POST",
    path: "/request-password-reset",
    limit: "tries",
    open: true,
    sendsMail: true,
    does: "Mail a link, if the address has an account",
  },
  {
    method: "POST",
    path: "/reset-password",
    limit: "tries",
    open: true,
    does: "Set a new password by such a link, and end all sessions",
  },
  {
    method: "POST",
    path: "/send-verification-email",
    limit: "tries",
    open: true,
    sendsMail: true,
    does: "Mail a link to confirm the address",
  },
  {
    method: "GET",
    path: "/verify-email",
    limit: "calls",
    open: true,
    does: "Confirm an address, or a change of it, by such a link; it opens no session",
  },
  {
    method: "POST",
    path: "/change-email",
    limit: "tries",
    sendsMail: true,
    does: "Mail links that change the address",
  },
  {
    method: "POST",
    path: "/update-user",
    limit: "calls",
    fields: ["name", "image"],
    does: "Change the name and the picture",
  },
  {
    method: "POST",
    path: "/delete-user",
    limit: "tries",
    does: "Delete the account and all that is in it",
  },
  { method: "GET", path: "/ok", limit: "calls", open: true, does: "Tell that it is there" },
] as const satisfies readonly AccountEndpoint[];
