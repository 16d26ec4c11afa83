/**
 * The pages that links in mails lead to. A page asks for a click, so that a scanner that opens every link uses none up.
 * What fails is named, and the input is kept.
 */
import { useSignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { type Sent, sendToken } from "./send-token.ts";

type Status = { text: string; isBad?: boolean; isDone?: boolean; isBusy?: boolean };
type LinkPageProps = {
  title: string;
  token: string;
  button: string;
  done: string;
  send: () => Promise<Sent>;
  children?: ComponentChildren;
};

export function VerifyEmail({ token }: { token: string }) {
  return (
    <LinkPage
      title="Confirm your e-mail address"
      token={token}
      button="Confirm address"
      done="Confirmed. You can close this page."
      send={() => sendToken(`/verify-email?token=${encodeURIComponent(token)}`)}
    />
  );
}

export function ResetPassword({ token }: { token: string }) {
  const password = useRef<HTMLInputElement>(null);
  useEffect(() => password.current?.focus(), []);
  return (
    <LinkPage
      title="Choose a new password"
      token={token}
      button="Set password"
      done="Your new password is set. You are signed out on all devices; sign in with the new password."
      send={() => sendToken("/reset-password", { token, newPassword: password.current?.value ?? "" })}
    >
      <label for="password">New password</label>
      <input
        id="password"
        ref={password}
        type="password"
        autocomplete="new-password"
        required
        minLength={8}
        aria-describedby="hint"
      />
      <p class="hint" id="hint">
        8 characters or more, of any kind.
      </p>
    </LinkPage>
  );
}

const INCOMPLETE: Status = { text: "This link is incomplete. Open it from the mail again.", isBad: true, isDone: true };

function LinkPage({ title, token, button, done, send, children }: LinkPageProps) {
  const status = useSignal<Status>(token ? { text: "" } : INCOMPLETE);
  useEffect(() => {
    document.title = `${title} · Edge Tasks`;
  }, [title]);

  async function submit(event: Event): Promise<void> {
    event.preventDefault();
    status.value = { text: "One moment ...", isBusy: true };
    const sent = await send();
    status.value = sent.ok ? { text: done, isDone: true } : { text: sent.reason, isBad: true };
  }

  const { text, isBad, isDone, isBusy } = status.value;
  return (
    <main>
      <h1>{title}</h1>
      {!isDone && (
        <form onSubmit={submit}>
          {children}
          <button type="submit" disabled={isBusy}>
            {button}
          </button>
        </form>
      )}
      <output class={isBad ? "bad" : ""}>{text}</output>
    </main>
  );
}
