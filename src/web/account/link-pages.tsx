/**
 * The pages that links in mails lead to. A page asks for a click, so that a scanner that opens every link uses none up.
 * What fails is named, and the input is kept.
 */
import { useSignal } from "@preact/signals";
import { EntryPage } from "./entry-pages.tsx";
import { Field, Form, PASSWORD_RULES } from "./form.tsx";
import { linkToken } from "./link-token.ts";
import { client } from "./session.ts";

const INCOMPLETE = "This link is incomplete. Open it from the mail again.";

export function VerifyEmail() {
  return (
    <LinkPage title="Confirm your e-mail address" token={linkToken}>
      {(finish) => (
        <Form
          button="Confirm address"
          send={async () => {
            await client.account.verifyEmail(linkToken);
            finish("Confirmed. You can close this page.");
            return undefined;
          }}
        />
      )}
    </LinkPage>
  );
}

export function ResetPassword() {
  return (
    <LinkPage title="Choose a new password" token={linkToken}>
      {(finish) => (
        <Form
          button="Set password"
          send={async ({ newPassword = "" }) => {
            await client.account.resetPassword({ token: linkToken, newPassword });
            finish("Your new password is set. You are signed out on all devices; sign in with the new password.");
            return undefined;
          }}
        >
          {(errorOf) => (
            <Field
              label="New password"
              name="newPassword"
              type="password"
              autocomplete="new-password"
              required
              minLength={8}
              maxLength={128}
              hint={PASSWORD_RULES}
              error={errorOf("newPassword")}
              isFirst
            />
          )}
        </Form>
      )}
    </LinkPage>
  );
}

type LinkPageProps = {
  title: string;
  token: string;
  children: (finish: (sentence: string) => void) => preact.ComponentChildren;
};

function LinkPage({ title, token, children }: LinkPageProps) {
  const done = useSignal("");
  return (
    <EntryPage title={title}>
      {!token && (
        <p class="error" role="alert">
          {INCOMPLETE}
        </p>
      )}
      {token &&
        !done.value &&
        children((sentence) => {
          done.value = sentence;
        })}
      <output class="done">{done.value}</output>
      {done.value && (
        <p class="ways">
          <a href="/sign-in">Sign in</a>
        </p>
      )}
    </EntryPage>
  );
}
