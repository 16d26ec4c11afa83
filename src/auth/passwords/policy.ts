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

/** The field that holds the new password, by endpoint. */
const NEW_PASSWORDS: Record<string, string> = {
  "/sign-up/email": "password",
  "/change-password": "newPassword",
  "/reset-password": "newPassword",
};

export function passwordPolicy() {
  return {
    id: "password-policy",
    hooks: {
      before: [
        {
          matcher: ({ path }) => path !== undefined && path in NEW_PASSWORDS,
          handler: createAuthMiddleware(async (c) => {
            const password: unknown = c.body?.[NEW_PASSWORDS[c.path] ?? ""];
            // What is no text is refused by the endpoint itself.
            if (typeof password === "string") refuseBadPassword(password, [c.body.email, c.body.name]);
          }),
        },
      ],
    },
  } satisfies BetterAuthPlugin;
}

function refuseBadPassword(password: string, own: unknown[]): void {
  const { length } = [...password];
  if (length < MIN_PASSWORD_CHARACTERS) {
    throw new APIError("BAD_REQUEST", { code: "PASSWORD_TOO_SHORT", message: "Password too short" });
  }
  if (length > MAX_PASSWORD_CHARACTERS) {
    throw new APIError("BAD_REQUEST", { code: "PASSWORD_TOO_LONG", message: "Password too long" });
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
  return words.some((word) => word.toLowerCase() === password.toLowerCase());
}
