/** Which mail Better Auth's events send, and where the link in it leads. */
import { waitUntil } from "cloudflare:workers";
import type { BetterAuthPlugin } from "better-auth";
import { createAuthMiddleware, isAPIError } from "better-auth/api";
import type { AccountThrottle } from "../throttling/account.ts";
import type { Mailer } from "./mailer.ts";
import {
  addressChangeMail,
  existingAccountMail,
  type Mail,
  passwordChangedMail,
  passwordResetMail,
  verificationMail,
} from "./mails.ts";
import { type OneTimeLinks, PASSWORD_RESET_MINUTES, VERIFICATION_MINUTES } from "./one-time-links.ts";

type User = { id: string; email: string };
type Link = { user: User; url: string; token: string };

export type Letters = ReturnType<typeof createLetters>;

export function createLetters(send: Mailer, links: OneTimeLinks, throttle: AccountThrottle) {
  return {
    async verification({ user, url, token }: Link): Promise<void> {
      await links.remember(token, user.id);
      await deliver(user.email, verificationMail(user.email, verificationLink(url, token), VERIFICATION_MINUTES));
    },

    async addressChange({ user, newEmail, url, token }: Link & { newEmail: string }): Promise<void> {
      await links.remember(token, user.id);
      const link = verificationLink(url, token);
      await deliver(user.email, addressChangeMail(user.email, newEmail, link, VERIFICATION_MINUTES));
    },

    async passwordReset({ user, url, token }: Link): Promise<void> {
      await deliver(user.email, passwordResetMail(user.email, resetLink(url, token), PASSWORD_RESET_MINUTES));
    },

    passwordChanged: ({ user }: { user: User }): Promise<void> => send(passwordChangedMail(user.email)),

    existingAccount: ({ user }: { user: User }): Promise<void> => deliver(user.email, existingAccountMail(user.email)),
  };

  /** Sends a mail that a stranger may have asked for, unless there have been too many of them. */
  async function deliver(to: string, mail: Promise<Mail>): Promise<void> {
    const claim = await throttle.claimMail(to);
    if (claim.ok) await send(mail);
  }
}

/** Tells the owner by mail that the password was changed. */
export function passwordNotice(letters: Letters) {
  return {
    id: "password-notice",
    hooks: {
      after: [
        {
          matcher: ({ path }) => path === "/change-password",
          handler: createAuthMiddleware(async (c) => {
            const user = c.context.newSession?.user ?? c.context.session?.user;
            if (user && !isAPIError(c.context.returned)) waitUntil(letters.passwordChanged({ user }));
          }),
        },
      ],
    },
  } satisfies BetterAuthPlugin;
}

/** Whoever asked for a link may say where it leads on. Otherwise it leads to our page, which asks for one more click. */
function verificationLink(url: string, token: string): string {
  return callbackOf(url) ? url : ownPage(url, "/verify-email", token);
}

function resetLink(url: string, token: string): string {
  const callback = callbackOf(url);
  if (!callback) return ownPage(url, "/reset-password", token);
  callback.searchParams.set("token", token);
  return callback.href;
}

function callbackOf(url: string): URL | undefined {
  const callback = new URL(url).searchParams.get("callbackURL");
  return callback && callback !== "/" ? new URL(callback, url) : undefined;
}

/** The token stands behind the #, which a browser sends to no server and puts into no referrer. */
function ownPage(url: string, path: string, token: string): string {
  return `${new URL(path, url).href}#${token}`;
}
