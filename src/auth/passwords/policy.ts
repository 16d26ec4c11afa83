/**
 * Which passwords may be set: 8 to 128 characters of any kind, but not one of the 3,000 most common, and not the
 * person's own address or name, or ours. What was sent is neither trimmed nor altered.
 * @see OWASP ASVS 5.0, 6.2
 */
import type { BetterAuthPlugin } from "better-auth";
import { APIError, createAuthMiddleware } from "better-auth/api";
import { currentSession } from "../current-session.ts";
import commonPasswords from "./common-passwords.txt";

export const MIN_PASSWORD_CHARACTERS = 8;
export const MAX_PASSWORD_CHARACTERS = 128;

/** Words of this product: no password is made of one of them and digits or signs alone, wherever those stand. */
const CONTEXT_WORDS = ["edgetasks"];

const COMMON: ReadonlySet<string> = new Set(
  commonPasswords.split("\n").filter((line) => line !== "" && !line.startsWith("#")),
);

/** Applies the policy to signing up and to a change, before a try is counted; a reset learns of its owner later. */
export function passwordPolicy() {
  return {
    id: "password-policy",
    hooks: {
      before: [
        {
          matcher: ({ path }) => path === "/sign-up/email",
          handler: createAuthMiddleware(async (c) => {
            const { password, email, name } = (c.body ?? {}) as Record<string, unknown>;
            // What is no text is refused by the endpoint itself.
            if (typeof password === "string") refuseBadPassword(password, [email, name]);
          }),
        },
        {
          matcher: ({ path }) => path === "/change-password",
          handler: createAuthMiddleware(async (c) => {
            const { newPassword } = (c.body ?? {}) as Record<string, unknown>;
            const current = await currentSession(c);
            if (current && typeof newPassword === "string") {
              refuseBadPassword(newPassword, [current.user.email, current.user.name]);
            }
          }),
        },
      ],
    },
  } satisfies BetterAuthPlugin;
}

/**
 * Refuses a password that may not be set.
 * @param own the person's address and name, as far as they are text
 */
export function refuseBadPassword(password: string, own: unknown[]): void {
  const { length } = [...password];
  if (length < MIN_PASSWORD_CHARACTERS) {
    const message = `Password too short: use ${MIN_PASSWORD_CHARACTERS} characters or more`;
    throw new APIError("BAD_REQUEST", { code: "PASSWORD_TOO_SHORT", message });
  }
  if (length > MAX_PASSWORD_CHARACTERS) {
    const message = `Password too long: use ${MAX_PASSWORD_CHARACTERS} characters or fewer`;
    throw new APIError("BAD_REQUEST", { code: "PASSWORD_TOO_LONG", message });
  }
  if (isCommon(password) || isOwn(password, own)) {
    throw new APIError("BAD_REQUEST", { code: "PASSWORD_TOO_COMMON", message: "Password too easy to guess" });
  }
}

function isCommon(password: string): boolean {
  const plain = plainOf(password);
  return COMMON.has(plain) || CONTEXT_WORDS.includes(plain.replaceAll(/[^\p{L}]/gu, ""));
}

function isOwn(password: string, own: unknown[]): boolean {
  const words = own.filter((value) => typeof value === "string").flatMap((value) => [value, value.split("@")[0] ?? ""]);
  const plain = plainOf(password);
  return plain !== "" && words.some((word) => plainOf(word) === plain);
}

/** Letters alike in case and width are the same word to whoever guesses, with spaces around or what shows nothing. */
function plainOf(text: string): string {
  return text
    .normalize("NFKC")
    .replaceAll(/[\p{Cf}\p{Cc}\p{Default_Ignorable_Code_Point}]/gu, "")
    .trim()
    .toLowerCase();
}
