/** Failures of account calls, in words that a person understands. */
import { isTasksError } from "../../client/index.ts";
import { OtherPerson } from "./session.ts";

const WORDS: Record<string, string> = {
  INVALID_EMAIL_OR_PASSWORD: "The address or the password is wrong.",
  INVALID_PASSWORD: "The password is wrong.",
  INVALID_EMAIL: "This is not an e-mail address.",
  INVALID_TOKEN: "This link was used or has expired. Request a new one.",
  USER_ALREADY_EXISTS: "This address has an account already. Sign in, or reset the password.",
  USER_ALREADY_EXISTS_USE_ANOTHER_EMAIL: "This address has an account already. Sign in, or reset the password.",
  PASSWORD_TOO_SHORT: "Use 8 characters or more.",
  PASSWORD_TOO_LONG: "Use 128 characters or fewer.",
  PASSWORD_TOO_COMMON: "This password is too easy to guess. Choose another one.",
  EMAIL_NOT_VERIFIED: "Confirm your address first: follow the link in the mail that we sent you.",
  EMAIL_NOT_CONFIGURED: "This server sends no mail. Ask its operator to set EMAIL_FROM.",
  SESSION_NOT_FRESH: "Sign in again to do this: it needs a session that is at most 15 minutes old.",
};

export type Failure = {
  text: string;
  /** The account endpoint's code, for the field that it belongs to. */
  code: string;
  /** How long to wait, in seconds. */
  waitSeconds?: number | undefined;
};

/** What went wrong, and what to do. */
export function failureOf(error: unknown): Failure {
  if (error instanceof OtherPerson)
    return { text: "Somebody else has signed in in another tab. Load this page again.", code: "" };
  if (!isTasksError(error)) return { text: "Something went wrong here. Load the page again.", code: "" };
  const code = error.code === "account_refused" ? error.reason : error.code;
  const waitSeconds = error.retryAfterSeconds;
  if (error.status === 429) return { text: "Too many attempts.", code, waitSeconds: waitSeconds ?? 60 };
  if (error.status === 0) return { text: "You are offline. Try again when you are connected.", code };
  if (WORDS[code]) return { text: WORDS[code], code };
  if (error.status >= 500) return { text: "The server is not available. Try again in a moment.", code, waitSeconds };
  return { text: error.code === "account_refused" ? error.message : "The server refused this. Try again.", code };
}
