/** Sends mails through the EMAIL binding, when the operator has said who they come from. */
import { logEvent } from "../../http/request-log.ts";
import type { Mail } from "./mails.ts";

export type Mailer = (mail: Promise<Mail>) => Promise<void>;

/** A mail that cannot be sent is logged; whom it was for is not. */
export function createMailer(email: SendEmail, from: string): Mailer {
  return async (mail) => {
    const { to, subject, text, html } = await mail;
    try {
      await email.send({ from: { email: from, name: "Edge Tasks" }, to, subject, text, html });
    } catch (error) {
      logEvent("error", "mail not sent", { subject, error: error instanceof Error ? error.name : typeof error });
    }
  };
}
