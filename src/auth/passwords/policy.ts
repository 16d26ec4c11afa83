/**
 * Which passwords may be set: 8 to 128 characters of any kind, but not one of the 3,000 most common, and not the
 * person's own address or name, or ours. What was sent is neither trimmed nor altered.
 * @see OWASP ASVS 5.0, 6.2
 */
import type { BetterAuthPlugin } from "better-auth";
import { APIError, createAuthMiddleware } from "better-auth/api";
import commonPasswords from "./common-passwords.txt";

export const MIN_PASSWORD_CHARACTERS = 8;
export const MAX_PASSWORD_CHARACTERS = 128;

/** Words of this product: no password is made of one of them and digits or signs alone. */
export const CONTEXT_WORDS = ["edge tasks", "edgetasks", "edge-tasks", "edge_tasks"];

const COMMON: ReadonlySet<string> = new Set(commonPasswords.split("\n").filter((line) => !line.startsWith("#")));

/** Applies the policy to signing up; the endpoints that change a password apply it to what they know of its owner. */
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
  const plain = password.toLowerCase();
  return COMMON.has(plain) || CONTEXT_WORDS.includes(plain.replace(/^[^a-z]+|[^a-z]+$/g, ""));
}

function isOwn(password: string, own: unknown[]): boolean {
  const words = own.filter((value) => typeof value === "string").flatMap((value) => [value, value.split("@")[0] ?? ""]);
  return words.some((word) => plainOf(word) === plainOf(password));
}

/** Letters alike in case, width and surrounding spaces are the same word to whoever guesses. */
function plainOf(text: string): string {
  return text.normalize("NFKC").trim().toLowerCase();
}
