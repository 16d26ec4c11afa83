/** Which of Better Auth's endpoints are open. Whatever else it could mount does not exist. */

/** `open` ones need no session. */
export const AUTH_ENDPOINTS = [
  { method: "POST", path: "/sign-up/email", open: true, does: "Create an account and a session" },
  { method: "POST", path: "/sign-in/email", open: true, does: "Open a session" },
  { method: "POST", path: "/sign-out", does: "End the session and its access tokens" },
  { method: "GET", path: "/get-session", does: "Tell the session and the user" },
  { method: "GET", path: "/token", does: "Exchange the session for an access token" },
  { method: "GET", path: "/list-sessions", does: "List the user's sessions" },
  { method: "POST", path: "/revoke-session", does: "End one of them" },
  { method: "POST", path: "/revoke-other-sessions", does: "End all but this one" },
  { method: "POST", path: "/revoke-sessions", does: "End all" },
  { method: "POST", path: "/change-password", does: "Change the password" },
  {
    method: "POST",
    path: "/request-password-reset",
    open: true,
    sendsMail: true,
    does: "Mail a link, if the address has an account",
  },
  { method: "POST", path: "/reset-password", open: true, does: "Set a new password by such a link" },
  {
    method: "POST",
    path: "/send-verification-email",
    open: true,
    sendsMail: true,
    does: "Mail a link to confirm the address",
  },
  { method: "GET", path: "/verify-email", open: true, does: "Confirm an address by such a link" },
  { method: "POST", path: "/change-email", sendsMail: true, does: "Mail links that change the address" },
  { method: "POST", path: "/update-user", does: "Change the name and the picture" },
  { method: "POST", path: "/delete-user", does: "Delete the account and all that is in it" },
  { method: "GET", path: "/ok", open: true, does: "Tell that it is there" },
] as const;
