/**
 * Which mail an event sends, whether it may be sent now, and where the link in it leads. Mails are sent behind the answer; a
 * link is kept before it, but for those of a sign-up or sign-in, which are done without the mail.
 */
import { waitUntil } from "cloudflare:workers";
import { type Database, databaseTrouble } from "../../db/client.ts";
import { isLoopback } from "../../http/origin.ts";
import { logEvent } from "../../http/request-log.ts";
import { requestNotes } from "../request-notes.ts";
import { createSecret, digestOf } from "../secrets.ts";
import type { MailKind, Throttle } from "../throttling/throttle.ts";
import { insertLink, LINK_MINUTES, type LinkPurpose, type LinkTarget } from "./links.ts";
import type { Mailer } from "./mailer.ts";
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
} from "./mails.ts";

type User = { id: string; email: string };
/** What Better Auth hands over. Its own token is not used: it names no account that it works for alone. */
type Asked = { user: User; url: string };

export type Letters = ReturnType<typeof createLetters>;

/**
 * @param publicOrigin where links lead. Without one they lead to this machine, and nowhere beyond it: a request could name
 *   any host.
 * @param confirmsByPassword whether confirming an address takes a new password, so that nobody's earlier one is armed by it
 */
export function createLetters(
  db: Database,
  send: Mailer,
  throttle: Throttle,
  { publicOrigin, confirmsByPassword }: { publicOrigin: string | undefined; confirmsByPassword: boolean },
) {
  return {
    /** Confirms the account's address. */
    async verification({ user, url }: Asked): Promise<void> {
      const callback = leadOn(new URL(url).searchParams.get("callbackURL"));
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

    /** Asks at the old address, where that is confirmed, whether the account is to move to the new one. */
    leave: (target: LinkTarget & { newEmail: string }, callback: string | undefined): Promise<void> =>
      sendLink("leave", target, callback, (link, minutes) => leaveMail(target.email, target.newEmail, link, minutes)),

    /** Asks at the new address. */
    arrive: (target: LinkTarget & { newEmail: string }, callback: string | undefined): Promise<void> =>
      sendLink("arrive", target, callback, (link, minutes) => mailOfArrival(target.newEmail, link, minutes)),

    mayMail,

    /** The mail to the new address once the old one has agreed: of the link that was kept then, or that there is an account. */
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

  /** Better Auth passes over what fails here in silence. */
  function logged(kind: MailKind) {
    return (error: unknown): never => {
      logEvent("error", "mail not sent", { kind, problem: databaseTrouble(error as Error) ?? "internal" });
      throw error;
    };
  }

  /** Sends a link, unless there have been too many: then the newest one in the mailbox is still good. */
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
   * Our page, which asks for one more click, so that a scanner that opens every link uses none up; the token stands behind
   * the #, which a browser sends to no server. Or where the caller asked to be led: the operator has listed it.
   */
  function linkTo(purpose: LinkPurpose, token: string, callback: string | undefined): string {
    const { origin } = requestNotes();
    const isPassword = purpose === "password" || (purpose === "arrive" && confirmsByPassword);
    if (callback === undefined) return `${origin}${isPassword ? "/reset-password" : "/verify-email"}#${token}`;
    const link = new URL(isPassword ? callback : "/api/auth/verify-email", origin);
    link.searchParams.set("token", token);
    if (!isPassword) link.searchParams.set("callbackURL", callback);
    return link.href;
  }

  /** Tells of a change that has been made: whatever comes of the mail, the change stands. */
  function notify(to: string, mail: (to: string) => Promise<Mail>): void {
    const sent = mayMail("notice", to).then((isAllowed) => (isAllowed ? send(mail(to)) : undefined), logged("notice"));
    waitUntil(sent.catch(() => {}));
  }

  function post(mail: Promise<Mail>): void {
    waitUntil(send(mail));
  }

  async function mayMail(kind: MailKind, recipient: string): Promise<boolean> {
    return (await throttle.claimMail(kind, recipient, requestNotes().source)).ok;
  }

  function hasOrigin(): boolean {
    const { origin } = requestNotes();
    return publicOrigin !== undefined || (origin !== "" && isLoopback(origin));
  }
}

/** Where a link is to lead on; our own page where the caller does not say, for which Better Auth writes `/`. */
export function leadOn(callback: string | null | undefined): string | undefined {
  return callback === null || callback === "" || callback === "/" ? undefined : callback;
}
