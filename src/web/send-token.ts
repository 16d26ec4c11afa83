/** Sends the token of a mailed link, and says in words why it was refused. */

export type Sent = { ok: true } | { ok: false; reason: string };

const REASONS: Record<string, string> = {
  INVALID_TOKEN: "This link was used or has expired. Request a new one.",
  PASSWORD_TOO_SHORT: "Use 8 characters or more.",
  PASSWORD_TOO_LONG: "Use 128 characters or fewer.",
  PASSWORD_TOO_COMMON: "This password is too easy to guess. Choose another one.",
  TOO_MANY_REQUESTS: "Too many attempts. Try again in a few minutes.",
};
const OFFLINE = "You seem to be offline. Try again when you are online.";
const FAILED = "Something went wrong. Try again in a moment.";

/** @param path below `/api/auth`; with a body it is a POST */
export async function sendToken(path: string, body?: Record<string, string>): Promise<Sent> {
  const headers = { "content-type": "application/json" };
  const init = body && { method: "POST", headers, body: JSON.stringify(body) };
  try {
    const answer = await fetch(`/api/auth${path}`, init);
    if (answer.ok) return { ok: true };
    const { code = "" } = (await answer.json()) as { code?: string };
    return { ok: false, reason: REASONS[code] ?? FAILED };
  } catch {
    return { ok: false, reason: OFFLINE };
  }
}
