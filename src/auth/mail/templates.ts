/** The mails, in text and HTML: a subject, a sentence, one link and its expiry, and what to do if it was not requested. */
import { html } from "hono/html";

export type Mail = { to: string; subject: string; text: string; html: string };

type Template = {
  to: string;
  subject: string;
  text: string;
  link?: { label: string; url: string; minutes: number };
  ifNotRequested: string;
};

export function verificationMail(to: string, url: string, minutes: number): Promise<Mail> {
  return compose({
    to,
    subject: "Confirm your e-mail address",
    text: "Confirm your address to use it with Edge Tasks.",
    link: { label: "Confirm address", url, minutes },
    ifNotRequested: "If you did not request this, ignore this mail. Nothing happens unless you follow the link.",
  });
}

/** Confirming an account sets its password: somebody else may have created it. */
export function confirmAccountMail(to: string, url: string, minutes: number): Promise<Mail> {
  return compose({
    to,
    subject: "Confirm your e-mail address",
    text: "Confirm your address and choose the password of your Edge Tasks account.",
    link: { label: "Choose a password", url, minutes },
    ifNotRequested: "If you did not request this, ignore this mail. Nobody can use the account without the link.",
  });
}

export function leaveMail(to: string, newAddress: string, url: string, minutes: number): Promise<Mail> {
  return compose({
    to,
    subject: "Confirm the change of your e-mail address",
    text: `Somebody asked to move your account to ${newAddress}. Confirm the change, then confirm it again in the mail to the new address.`,
    link: { label: "Confirm change", url, minutes },
    ifNotRequested:
      "If you did not request this, do not follow the link. Change your password: somebody else is signed in.",
  });
}

export function arriveMail(to: string, url: string, minutes: number): Promise<Mail> {
  return compose({
    to,
    subject: "Confirm your new e-mail address",
    text: "Confirm this address to move your Edge Tasks account to it.",
    link: { label: "Confirm address", url, minutes },
    ifNotRequested: "If you did not request this, ignore this mail. Nothing happens unless you follow the link.",
  });
}

/** Confirming a change of address sets the password: the account may belong to somebody else. */
export function arriveWithPasswordMail(to: string, url: string, minutes: number): Promise<Mail> {
  return compose({
    to,
    subject: "Confirm your new e-mail address",
    text: "Confirm this address and choose a password to move your Edge Tasks account to it.",
    link: { label: "Choose a password", url, minutes },
    ifNotRequested: "If you did not request this, ignore this mail. Nothing happens unless you follow the link.",
  });
}

/** Goes to the former address, so that the owner notices an unwanted change. */
export function addressChangedMail(to: string): Promise<Mail> {
  return compose({
    to,
    subject: "Your e-mail address was changed",
    text: "Your Edge Tasks account was just moved to another address. You cannot sign in with this address any more.",
    ifNotRequested: "If this was not you, contact the operator of this service: somebody else has your account.",
  });
}

export function passwordResetMail(to: string, url: string, minutes: number): Promise<Mail> {
  return compose({
    to,
    subject: "Reset your password",
    text: "Choose a new password. This signs you out on all devices.",
    link: { label: "Choose a new password", url, minutes },
    ifNotRequested: "If you did not request this, ignore this mail. Your password stays the same.",
  });
}

export function passwordChangedMail(to: string): Promise<Mail> {
  return compose({
    to,
    subject: "Your password was changed",
    text: "The password of your Edge Tasks account was just changed.",
    ifNotRequested: "If this was not you, reset your password now: somebody else has your account.",
  });
}

export function existingAccountMail(to: string): Promise<Mail> {
  return compose({
    to,
    subject: "You already have an account",
    text: "Somebody, probably you, tried to sign up or to move an account to this address. It already has an account. Sign in or reset your password.",
    ifNotRequested: "If this was not you, ignore this mail. Nothing has changed.",
  });
}

async function compose({ to, subject, text: sentence, link, ifNotRequested }: Template): Promise<Mail> {
  const expiry = link && `The link works once and expires in ${link.minutes} minutes.`;
  const text = [sentence, link && `${link.label}:\n${link.url}`, expiry, ifNotRequested].filter(
    (part) => part !== undefined,
  );
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
      <p>${sentence}</p>
      ${button}
      <p>${ifNotRequested}</p>
    </div>
  </body>
</html>
`;
  return { to, subject, text: `${text.join("\n\n")}\n`, html: page.toString() };
}
