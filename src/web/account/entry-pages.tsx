/** Sign in, sign up, and a forgotten password. */
import type { ComponentChildren } from "preact";
import { useEffect } from "preact/hooks";
import { Field, Form, PASSWORD_RULES } from "./form.tsx";
import { client, enter, notice } from "./session.ts";

/** The frame of a page with one form. */
export function EntryPage({ title, children }: { title: string; children: ComponentChildren }) {
  useEffect(() => {
    document.title = `${title} · Edge Tasks`;
  }, [title]);
  return (
    <main class="entry" id="main">
      <p class="wordmark">
        <a href="/">Edge Tasks</a>
      </p>
      <h1>{title}</h1>
      {children}
    </main>
  );
}

export function SignIn() {
  return (
    <EntryPage title="Sign in">
      {notice.value && (
        <p class="notice" role="status">
          {notice.value}
        </p>
      )}
      <Form
        button="Sign in"
        send={async ({ email = "", password = "", remember }) => {
          await enter(await client.signIn({ email, password, rememberMe: remember !== undefined }));
          return undefined;
        }}
      >
        {(errorOf) => (
          <>
            <Field
              label="E-mail address"
              name="email"
              type="email"
              autocomplete="username"
              required
              error={errorOf("email")}
              isFirst
            />
            <Field
              label="Password"
              name="password"
              type="password"
              autocomplete="current-password"
              required
              error={errorOf("password")}
            />
            <label class="check">
              <input type="checkbox" name="remember" defaultChecked /> Stay signed in on this device
            </label>
          </>
        )}
      </Form>
      <p class="ways">
        <a href="/forgotten-password">Forgotten your password?</a> <a href="/sign-up">Create an account</a>
      </p>
    </EntryPage>
  );
}

export function SignUp() {
  return (
    <EntryPage title="Create an account">
      <Form
        button="Create account"
        send={async ({ name = "", email = "", newPassword = "" }) => {
          const user = await client.signUp({ name, email, password: newPassword });
          if (!user) return "Almost done: follow the link in the mail that we sent you, then sign in.";
          await enter(user);
          return undefined;
        }}
      >
        {(errorOf) => (
          <>
            <Field label="Your name" name="name" autocomplete="name" required maxLength={100} isFirst />
            <Field
              label="E-mail address"
              name="email"
              type="email"
              autocomplete="username"
              required
              error={errorOf("email")}
            />
            <Field
              label="Password"
              name="newPassword"
              type="password"
              autocomplete="new-password"
              required
              minLength={8}
              maxLength={128}
              hint={PASSWORD_RULES}
              error={errorOf("newPassword")}
            />
          </>
        )}
      </Form>
      <p class="ways">
        <a href="/sign-in">I have an account</a>
      </p>
    </EntryPage>
  );
}

export function ForgottenPassword() {
  return (
    <EntryPage title="Forgotten password">
      <p>We mail you a link with which you choose a new password.</p>
      <Form
        button="Send link"
        send={async ({ email = "" }) => {
          await client.account.requestPasswordReset({ email });
          return "If this address has an account, the link is on its way. It works once, for an hour at most.";
        }}
      >
        {(errorOf) => (
          <Field
            label="E-mail address"
            name="email"
            type="email"
            autocomplete="username"
            required
            error={errorOf("email")}
            isFirst
          />
        )}
      </Form>
      <p class="ways">
        <a href="/sign-in">Back to sign-in</a>
      </p>
    </EntryPage>
  );
}
