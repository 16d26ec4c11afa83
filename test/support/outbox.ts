/** A mail service that keeps what it is given. */
export type Sent = { to: string; subject: string; text: string; html: string };

export function createOutbox() {
  const sent: Sent[] = [];
  const email = {
    send: async (mail: Sent) => {
      sent.push(mail);
      return { messageId: crypto.randomUUID() };
    },
  };

  /** The newest mail to an address; mails are sent after the answer, so it may take a moment. */
  async function mailTo(address: string, subject = ""): Promise<Sent> {
    for (let wait = 0; wait < 100; wait += 1) {
      const mail = sent.findLast(({ to, subject: its }) => to === address && its.includes(subject));
      if (mail) return mail;
      await scheduler.wait(10);
    }
    throw new Error(`no mail ${subject} to ${address}`);
  }

  // The one method of the binding that this project calls.
  return { email: email as unknown as SendEmail, sent, mailTo };
}

/** The one link in a mail. */
export function linkIn({ text }: Sent): URL {
  const links = text.match(/https?:\/\/\S+/g) ?? [];
  if (links.length !== 1) throw new Error(`expected one link, found ${links.length}`);
  return new URL(links[0]);
}
