/** Sends mails through the EMAIL binding. */
import { logEvent } from "../../log.ts";
import type { Mail } from "./templates.ts";

export type SendMail = (mail: Promise<Mail>) => Promise<void>;

/** Returns a function that sends a mail. A failure is logged, without the recipient. */
export function createMailSender(email: SendEmail, from: string): SendMail {
  return async (mail) => {
    const { to, subject, text, html } = await mail;
    try {
      await email.send({ from: { email: from, name: "Edge Tasks" }, to, subject, text, html });
    } catch (error) {
      logEvent("error", "mail not sent", { subject, error: error instanceof Error ? error.name : typeof error });
    }
  };
}
