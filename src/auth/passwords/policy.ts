/**
 * Which passwords may be set: 8 to 128 characters of any kind, but none of the 3,000 most common, and not the user's own
 * address or name, or the product's. A password is neither trimmed nor changed.
 * @see OWASP ASVS 5.0, 6.2
 */
import type { BetterAuthPlugin } from "better-auth";
import { APIError, createAuthMiddleware } from "better-auth/api";
import { ENDPOINTS } from "../endpoints.ts";
import { on } from "../hooks.ts";
import { currentSession } from "../workarounds/current-session.ts";
import commonPasswords from "./common-passwords.txt";

export const MIN_PASSWORD_CHARACTERS = 8;
export const MAX_PASSWORD_CHARACTERS = 128;

/** Words of this product. No password may be one of them with only digits or signs added. */
const CONTEXT_WORDS = ["edgetasks"];

const COMMON: ReadonlySet<string> = new Set(
  commonPasswords.split("\n").filter((line) => line !== "" && !line.startsWith("#")),
);

/** Applies the policy to sign-up and password change, before an attempt is counted. A reset applies it itself. */
export function passwordPolicy() {
  return {
    id: "password-policy",
    hooks: {
      before: [
        on(
          ({ path }) => path === ENDPOINTS.signUp.path,
          createAuthMiddleware(async (c) => {
            const { password, email, name } = (c.body ?? {}) as Record<string, unknown>;
            // Better Auth itself refuses a password that is not text.
            if (typeof password === "string") refuseBadPassword(password, [email, name]);
          }),
        ),
        on(
          ({ path }) => path === ENDPOINTS.changePassword.path,
          createAuthMiddleware(async (c) => {
            const { newPassword } = (c.body ?? {}) as Record<string, unknown>;
            const current = await currentSession(c);
            if (current && typeof newPassword === "string") {
              refuseBadPassword(newPassword, [current.user.email, current.user.name]);
            }
          }),
        ),
      ],
    },
  } satisfies BetterAuthPlugin;
}

/**
 * Refuses a password that may not be set.
 * @param own the user's address and name; values that are not text are ignored
 */
export function refuseBadPassword(password: string, own: unknown[]): void {
  const { length } = [...password];
  if (length < MIN_PASSWORD_CHARACTERS) {
    const message = `The password is too short. Use ${MIN_PASSWORD_CHARACTERS} to ${MAX_PASSWORD_CHARACTERS} characters`;
    throw new APIError("BAD_REQUEST", { code: "PASSWORD_TOO_SHORT", message });
  }
  if (length > MAX_PASSWORD_CHARACTERS) {
    const message = `The password is too long. Use ${MIN_PASSWORD_CHARACTERS} to ${MAX_PASSWORD_CHARACTERS} characters`;
    throw new APIError("BAD_REQUEST", { code: "PASSWORD_TOO_LONG", message });
  }
  if (isCommon(password) || isOwn(password, own)) {
    throw new APIError("BAD_REQUEST", {
      code: "PASSWORD_TOO_COMMON",
      message: "The password is too easy to guess. Choose another one",
    });
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

/** A text without case, width, invisible characters and outer spaces: variants of a word are as easy to guess. */
function plainOf(text: string): string {
  return text
    .normalize("NFKC")
    .replaceAll(/[\p{Cf}\p{Cc}\p{Default_Ignorable_Code_Point}]/gu, "")
    .trim()
    .toLowerCase();
}
