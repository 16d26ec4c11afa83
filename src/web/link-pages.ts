/**
 * The pages that links in mails lead to. A page asks for a click, so that a scanner that opens every link uses none up. The
 * token stands behind the #, which no server and no referrer sees, and is removed from the address at once.
 */
import { Hono } from "hono";
import { html } from "hono/html";
import { page, pagePolicy } from "./page.ts";

const SHARED_SCRIPT = `
const token = location.hash.slice(1);
history.replaceState(null, "", location.pathname);
const form = document.querySelector("form");
const status = document.querySelector("[role=status]");
function say(text, bad = false) {
  status.textContent = text;
  status.classList.toggle("bad", bad);
}
function done(text) {
  form.remove();
  say(text);
}
if (!token) {
  form.remove();
  say("This link is incomplete. Open it from the mail again.", true);
}
async function send(path, init) {
  say("One moment ...");
  const button = form.querySelector("button");
  button.disabled = true;
  try {
    const answer = await fetch("/api/auth" + path, init);
    return answer.ok ? { ok: true } : { ok: false, code: (await answer.json()).code };
  } catch {
    return { ok: false, code: "OFFLINE" };
  } finally {
    button.disabled = false;
  }
}
const REASONS = {
  INVALID_TOKEN: "This link was used or has expired. Request a new one.",
  PASSWORD_TOO_SHORT: "Use 8 characters or more.",
  PASSWORD_TOO_LONG: "Use 128 characters or fewer.",
  PASSWORD_TOO_COMMON: "This password is too easy to guess. Choose another one.",
  TOO_MANY_REQUESTS: "Too many attempts. Try again in a few minutes.",
  OFFLINE: "You seem to be offline. Try again when you are online.",
};
function fail(code) {
  say(REASONS[code] ?? "Something went wrong. Try again in a moment.", true);
}
`;

export const linkPages = new Hono()
  .get("/verify-email", pagePolicy, (c) =>
    page(
      c,
      "Confirm your e-mail address",
      html`<form><button>Confirm address</button></form>`,
      `${SHARED_SCRIPT}
form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const sent = await send("/verify-email?token=" + encodeURIComponent(token));
  if (sent.ok) done("Confirmed. You can close this page.");
  else fail(sent.code);
});`,
    ),
  )
  .get("/reset-password", pagePolicy, (c) =>
    page(
      c,
      "Choose a new password",
      html`<form>
        <label for="password">New password</label>
        <input id="password" type="password" autocomplete="new-password" required minlength="8" aria-describedby="hint" autofocus>
        <p class="hint" id="hint">8 characters or more, of any kind.</p>
        <button>Set password</button>
      </form>`,
      `${SHARED_SCRIPT}
form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const body = JSON.stringify({ token, newPassword: form.elements.password.value });
  const sent = await send("/reset-password", { method: "POST", headers: { "content-type": "application/json" }, body });
  if (sent.ok) done("Your new password is set. You are signed out on all devices; sign in with the new password.");
  else fail(sent.code);
});`,
    ),
  );
