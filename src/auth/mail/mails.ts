/** The mails: a subject, one link, when it expires, and what to do when one did not ask for it. In text and in HTML. */
import { html } from "hono/html";

export type Mail = { to: string; subject: string; text: string; html: string };

type Letter = {
  to: string;
  subject: string;
  says: string;
  link?: { label: string; url: string; minutes: number };
  unasked: string;
};

export function verificationMail(to: string, url: string, minutes: number): Promise<Mail> {
  return compose({
    to,
    subject: "Confirm your e-mail address",
    says: "Confirm that this address is yours, so that it can be used with Edge Tasks.",
    link: { label: "Confirm address", url, minutes },
    unasked: "If you did not ask for this, ignore it: nothing happens without the link.",
  });
}

/** Whoever confirms an account chooses its password: it may have been made by somebody else. */
export function confirmAccountMail(to: string, url: string, minutes: number): Promise<Mail> {
  return compose({
    to,
    subject: "Confirm your e-mail address",
    says: "Confirm that this address is yours, and choose the password of your Edge Tasks account.",
    link: { label: "Choose a password", url, minutes },
    unasked: "If you did not ask for this, ignore it: nobody can use the account without the link.",
  });
}

export function leaveMail(to: string, newAddress: string, url: string, minutes: number): Promise<Mail> {
  return compose({
    to,
    subject: "Confirm the change of your e-mail address",
    says: `Your account is to be moved to ${newAddress}. Confirm it, and a mail to the new address follows.`,
    link: { label: "Confirm change", url, minutes },
    unasked:
      "If you did not ask for this, do not follow the link, and change your password: somebody else is signed in.",
  });
}

export function arriveMail(to: string, url: string, minutes: number): Promise<Mail> {
  return compose({
    to,
    subject: "Confirm your new e-mail address",
    says: "Confirm that this address is yours, and your Edge Tasks account moves to it.",
    link: { label: "Confirm address", url, minutes },
    unasked: "If you did not ask for this, ignore it: nothing happens without the link.",
  });
}

/** Whoever confirms a change of address chooses the password: the account may be somebody else's. */
export function arriveWithPasswordMail(to: string, url: string, minutes: number): Promise<Mail> {
  return compose({
    to,
    subject: "Confirm your new e-mail address",
    says: "Confirm that this address is yours, and choose a password: your Edge Tasks account moves to this address.",
    link: { label: "Choose a password", url, minutes },
    unasked: "If you did not ask for this, ignore it: nothing happens without the link.",
  });
}

/** To the former address: whoever was moved out of their account learns of it. */
export function addressChangedMail(to: string): Promise<Mail> {
  return compose({
    to,
    subject: "Your e-mail address was changed",
    says: "Your Edge Tasks account was moved to another address just now. It no longer belongs to this one.",
    unasked: "If this was not you, tell the operator of this service at once: somebody else has your account.",
  });
}

export function passwordResetMail(to: string, url: string, minutes: number): Promise<Mail> {
  return compose({
    to,
    subject: "Reset your password",
    says: "Choose a new password. Everywhere you are signed in now, you will be signed out.",
    link: { label: "Choose a new password", url, minutes },
    unasked: "If you did not ask for this, ignore it: your password stays as it is.",
  });
}

export function passwordChangedMail(to: string): Promise<Mail> {
  return compose({
    to,
    subject: "Your password was changed",
    says: "The password of your account was changed just now.",
    unasked: "If this was not you, reset your password at once: somebody else has your account.",
  });
}

export function existingAccountMail(to: string): Promise<Mail> {
  return compose({
    to,
    subject: "You already have an account",
    says: "Somebody, probably you, tried to sign up with this address, or to move an account to it. It already has an account. Sign in, or reset your password.",
    unasked: "If this was not you, ignore it: nothing has changed.",
  });
}

async function compose({ to, subject, says, link, unasked }: Letter): Promise<Mail> {
  const expiry = link && `The link works once, for ${link.minutes} minutes.`;
  const text = [says, link && `${link.label}:\n${link.url}`, expiry, unasked].filter((part) => part !== undefined);
  const button =
    link &&
    html`<p><a href="${link.url}" style="display:inline-block;padding:10px 16px;border-radius:6px;background:#1d4ed8;color:#ffffff;text-decoration:none">${link.label}</a></p><p>${expiry}</p>`;
  const page = await html`<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width">
    <meta name="color-scheme" content="light dark">
    <title>${subject}</title>
  </head>
  <body style="margin:0;padding:24px;font:16px/1.5 system-ui,sans-serif">
    <div style="max-width:32em">
      <p>${says}</p>
      ${button}
      <p>${unasked}</p>
    </div>
  </body>
</html>
`;
  return { to, subject, text: `${text.join("\n\n")}\n`, html: page.toString() };
}
