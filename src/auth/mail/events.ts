/**
 * Which mail an event sends, whether its limit allows it now, and where its link leads. Mails are sent after the answer. A
 * link is stored before the answer, except at sign-up and sign-in, which succeed without the mail.
 */
import { waitUntil } from "cloudflare:workers";
import { type Database, databaseFailure } from "../../db/client.ts";
import { logEvent } from "../../log.ts";
import { isLoopback } from "../../origin.ts";
import { ENDPOINTS } from "../endpoints.ts";
import { requestNotes } from "../request-notes.ts";
import { createSecret, digestOf } from "../secrets.ts";
import type { MailKind, Throttle } from "../throttling/throttle.ts";
import { insertLink, LINK_MINUTES, type LinkPurpose, type LinkTarget } from "./one-time-links.ts";
import type { SendMail } from "./send.ts";
import {
  addressChangedMail,
  arriveMail,
  arriveWithPasswordMail,
  confirmAccountMail,
  existingAccountMail,
  leaveMail,
  type Mail,
  passwordChangedMail,
  passwordResetMail,
  verificationMail,
} from "./templates.ts";

/** Our own pages (src/web/link-pages.tsx). */
const PAGES = { newPassword: "/reset-password", confirmation: "/verify-email" };

type User = { id: string; email: string };
/** What Better Auth passes. Its own token is not used: it is bound to an address, not to an account. */
type Requested = { user: User; url: string };

export type MailEvents = ReturnType<typeof createMailEvents>;

/**
 * @param publicOrigin the origin of links. Without one, links lead to this machine only: a request could name any host
 * @param confirmsByPassword whether confirming an address sets a password, so that an earlier one of somebody else ends
 */
export function createMailEvents(
  db: Database,
  send: SendMail,
  throttle: Throttle,
  { publicOrigin, confirmsByPassword }: { publicOrigin: string | undefined; confirmsByPassword: boolean },
) {
  return {
    /** Asks the account's address to confirm itself. */
    async verification({ user, url }: Requested): Promise<void> {
      const callback = callbackOf(new URL(url).searchParams.get("callbackURL"));
      const purpose = confirmsByPassword ? "password" : "verify";
      const sent = sendLink(
        "verification",
        { userId: user.id, email: user.email, purpose },
        callback,
        (link, minutes) => (confirmsByPassword ? confirmAccountMail : verificationMail)(user.email, link, minutes),
      );
      await sent.catch(logged("verification"));
    },

    passwordReset: (user: User, callback: string | undefined): Promise<void> =>
      sendLink("reset", { userId: user.id, email: user.email, purpose: "password" }, callback, (link, minutes) =>
        passwordResetMail(user.email, link, minutes),
      ),

    /** Asks the old, confirmed address to agree to a move of the account. */
    leave: (target: LinkTarget & { newEmail: string }, callback: string | undefined): Promise<void> =>
      sendLink("leave", target, callback, (link, minutes) => leaveMail(target.email, target.newEmail, link, minutes)),

    /** Asks the new address to confirm the move. */
    arrive: (target: LinkTarget & { newEmail: string }, callback: string | undefined): Promise<void> =>
      sendLink("arrive", target, callback, (link, minutes) => mailOfArrival(target.newEmail, link, minutes)),

    mayMail,

    /** Mails the new address once the old one has agreed: the stored link, or that the address already has an account. */
    afterLeaving(newEmail: string, isTaken: boolean, token: string, callback: string | undefined): void {
      if (isTaken) post(existingAccountMail(newEmail));
      else post(mailOfArrival(newEmail, linkTo("arrive", token, callback), LINK_MINUTES.arrive));
    },

    passwordChanged: (user: { email: string }): void => notify(user.email, passwordChangedMail),
    addressChanged: (former: string): void => notify(former, addressChangedMail),

    async existingAccount({ user }: { user: { email: string } }): Promise<void> {
      const isAllowed = await mayMail("existing-account", user.email).catch(logged("existing-account"));
      if (isAllowed) post(existingAccountMail(user.email));
    },
  };

  /** Better Auth ignores what fails here, so it is logged. */
  function logged(kind: MailKind) {
    return (error: unknown): never => {
      logEvent("error", "mail not sent", { kind, problem: databaseFailure(error as Error) ?? "internal" });
      throw error;
    };
  }

  /** Sends a link, unless there were too many: the newest link in the mailbox is then still valid. */
  async function sendLink(
    kind: MailKind,
    target: LinkTarget,
    callback: string | undefined,
    mail: (link: string, minutes: number) => Promise<Mail>,
  ): Promise<void> {
    if (!hasOrigin()) {
      logEvent("error", "mail not sent", { kind, problem: "BETTER_AUTH_URL is not set" });
      return;
    }
    const recipient = target.purpose === "arrive" ? target.newEmail : target.email;
    if (recipient === undefined || !(await mayMail(kind, recipient))) return;
    const token = createSecret();
    const kept = await insertLink(db, await digestOf(token), target);
    if (kept.length > 0) post(mail(linkTo(target.purpose, token, callback), LINK_MINUTES[target.purpose]));
  }

  function mailOfArrival(newEmail: string, link: string, minutes: number): Promise<Mail> {
    return (confirmsByPassword ? arriveWithPasswordMail : arriveMail)(newEmail, link, minutes);
  }

  /**
   * The address of a link: our page, or a callback that the operator listed. Our page asks for a click, so that a scanner
   * that opens every link uses none up, and its token stands behind the #, which no browser sends to a server.
   */
  function linkTo(purpose: LinkPurpose, token: string, callback: string | undefined): string {
    const { origin } = requestNotes();
    const isPassword = purpose === "password" || (purpose === "arrive" && confirmsByPassword);
    if (callback === undefined) return `${origin}${isPassword ? PAGES.newPassword : PAGES.confirmation}#${token}`;
    const link = new URL(isPassword ? callback : `/api/auth${ENDPOINTS.verifyEmail.path}`, origin);
    link.searchParams.set("token", token);
    if (!isPassword) link.searchParams.set("callbackURL", callback);
    return link.href;
  }

  /** Mails a notice of a change. The change stands whether or not the mail is sent. */
  function notify(to: string, mail: (to: string) => Promise<Mail>): void {
    const sent = mayMail("notice", to).then((isAllowed) => (isAllowed ? send(mail(to)) : undefined), logged("notice"));
    waitUntil(sent.catch(() => {}));
  }

  function post(mail: Promise<Mail>): void {
    waitUntil(send(mail));
  }

  async function mayMail(kind: MailKind, recipient: string): Promise<boolean> {
    return (await throttle.countMail(kind, recipient, requestNotes().source)).ok;
  }

  function hasOrigin(): boolean {
    const { origin } = requestNotes();
    return publicOrigin !== undefined || (origin !== "" && isLoopback(origin));
  }
}

/** The callback of a link; undefined for our own page, for which Better Auth passes `/`. */
export function callbackOf(callback: string | null | undefined): string | undefined {
  return callback === null || callback === "" || callback === "/" ? undefined : callback;
}
