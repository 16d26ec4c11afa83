/** The account: name, address, password, sessions, files, and its end. */
import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { UserSession } from "../../client/index.ts";
import { openDialog } from "../shell/dialog.tsx";
import { Layout } from "../shell/layout.tsx";
import { say } from "../shell/undo.ts";
import { momentWords } from "../tasks/dates.ts";
import { exportTasks } from "../tasks/files.ts";
import { deviceWords } from "./device.ts";
import { Field, Form, PASSWORD_RULES } from "./form.tsx";
import { client, leave, person, refresh } from "./session.ts";
import { failureOf } from "./words.ts";

export function AccountPage() {
  useEffect(() => {
    document.title = "Account · Edge Tasks";
    void refresh();
  }, []);
  const { name = "", email = "" } = person.value ?? {};
  return (
    <Layout title="Account">
      <h1>Account</h1>
      {!person.value && <p class="hint">Your account is on the server. Connect to change it.</p>}
      <section>
        <h2>Name</h2>
        <Form
          button="Save name"
          send={async (values) => {
            await client.account.update({ name: values["name"] ?? "" });
            await refresh();
            return "Saved.";
          }}
        >
          {() => (
            <Field
              key={name}
              label="Your name"
              name="name"
              autocomplete="name"
              required
              maxLength={100}
              defaultValue={name}
            />
          )}
        </Form>
      </section>
      <section>
        <h2>E-mail address</h2>
        <p>
          <bdi>{email}</bdi>
        </p>
        <Form
          button="Change address"
          send={async (values) => {
            await client.account.changeEmail({ newEmail: values["email"] ?? "" });
            return "Follow the links in the mails that we sent you. Until then your address stays.";
          }}
        >
          {(errorOf) => (
            <Field
              label="New address"
              name="email"
              type="email"
              autocomplete="email"
              required
              error={errorOf("email")}
            />
          )}
        </Form>
      </section>
      <section>
        <h2>Password</h2>
        <Form
          button="Change password"
          send={async ({ password = "", newPassword = "", others }) => {
            await client.account.changePassword({
              currentPassword: password,
              newPassword,
              revokeOtherSessions: others !== undefined,
            });
            return others === undefined ? "Changed." : "Changed. All other devices are signed out.";
          }}
        >
          {(errorOf) => (
            <>
              <Username email={email} />
              <Field
                label="Current password"
                name="password"
                type="password"
                autocomplete="current-password"
                required
                error={errorOf("password")}
              />
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
              />
              <label class="check">
                <input type="checkbox" name="others" defaultChecked /> Sign out all other devices
              </label>
            </>
          )}
        </Form>
      </section>
      <Sessions />
      <section>
        <h2>Your data</h2>
        <p>Save all your tasks as a file.</p>
        <div class="buttons">
          {(["json", "csv", "ics"] as const).map((format) => (
            <button key={format} type="button" onClick={() => void exportTasks(format)}>
              {{ json: "JSON", csv: "Spreadsheet (CSV)", ics: "Calendar (ICS)" }[format]}
            </button>
          ))}
        </div>
      </section>
      <section>
        <h2>Sign out</h2>
        <p>Your tasks stay on the server. The copy on this device is deleted.</p>
        <button type="button" onClick={() => openDialog("sign-out")}>
          Sign out
        </button>
      </section>
      <section>
        <h2>Delete the account</h2>
        <p>
          All your tasks are deleted with it, on the server and on this device. This cannot be undone: export them
          first.
        </p>
        <Form
          button="Delete account and tasks"
          isDangerous
          send={async ({ password = "" }) => {
            await leave(() => client.account.delete({ password }), "Your account and all your tasks are deleted.");
            return undefined;
          }}
        >
          {(errorOf) => (
            <>
              <Username email={email} />
              <Field
                label="Password"
                name="password"
                type="password"
                autocomplete="current-password"
                required
                error={errorOf("password")}
              />
            </>
          )}
        </Form>
      </section>
    </Layout>
  );
}

/** Tells password managers whose password it is. */
function Username({ email }: { email: string }) {
  return <input type="text" autocomplete="username" value={email} readOnly hidden />;
}

function Sessions() {
  const sessions = useSignal<UserSession[]>([]);
  const current = useSignal("");
  const error = useSignal("");

  async function load(): Promise<void> {
    try {
      const [all, mine] = await Promise.all([client.account.sessions(), client.session()]);
      sessions.value = all.toSorted((a, b) => (a.updatedAt < b.updatedAt ? 1 : -1));
      current.value = mine?.session.id ?? "";
      error.value = "";
    } catch (failure) {
      error.value = failureOf(failure).text;
    }
  }

  async function end(work: Promise<void>, sentence: string): Promise<void> {
    try {
      await work;
      say(sentence);
    } catch (failure) {
      say(failureOf(failure).text, undefined, { isBad: true });
    }
    await load();
  }

  useEffect(() => void load(), []);
  return (
    <section>
      <h2>Devices</h2>
      <p class="error" role="alert">
        {error.value}
      </p>
      <ul class="plain">
        {sessions.value.map((session) => (
          <li key={session.id} class="session">
            <span>
              {deviceWords(session.userAgent)} {session.id === current.value && <strong>this device</strong>}
              <span class="hint">
                Signed in {momentWords(session.createdAt)}
                {session.ipAddress && `, from ${session.ipAddress}`}
              </span>
            </span>
            {session.id !== current.value && (
              <button
                type="button"
                onClick={() => void end(client.account.revokeSession(session), "This device is signed out.")}
              >
                Sign out
              </button>
            )}
          </li>
        ))}
      </ul>
      {sessions.value.length > 1 && (
        <button
          type="button"
          onClick={() => void end(client.account.revokeOtherSessions(), "All other devices are signed out.")}
        >
          Sign out all other devices
        </button>
      )}
    </section>
  );
}
