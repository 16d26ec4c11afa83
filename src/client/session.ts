/** Signing up, in and out; and what a call needs to be let in. */
import { isTasksError } from "./errors.ts";
import { forgetTokenKeeper, type Token, tokenKeeperFor } from "./token.ts";
import type { Call, Send } from "./transport.ts";

export type SessionOptions = {
  baseUrl: string;
  /**
   * How the session is carried: in browsers by their HttpOnly cookie, which no script sees, else by its bearer value,
   * which is kept in memory, and handed to `onSession` whenever it changes.
   */
  carrier: "cookie" | "bearer";
  /** The bearer value of a session that was opened earlier. */
  session?: string | undefined;
  onSession?: ((session: string | undefined) => void) | undefined;
  /** Called when the session has ended, here or in another tab. */
  onSignedOut?: (() => void) | undefined;
};

/** The refusals after which another token may be let in. */
const RENEWABLE = ["token_expired", "token_invalid"];

export function createSession(send: Send, options: SessionOptions) {
  let bearer = options.session;
  let hasEnded = false;
  let keeper = keep();

  return {
    signUp: (account: { name: string; email: string; password: string }) => open("/api/auth/sign-up/email", account),
    signIn: (account: { email: string; password: string }) => open("/api/auth/sign-in/email", account),

    /** Ends the session and its access tokens. Signed out twice is signed out. */
    async signOut(): Promise<void> {
      await send({ method: "POST", path: "/api/auth/sign-out", headers: sessionHeaders(), repeatable: true });
      end();
    },

    /** Sends a call with an access token, and once more with a new one where the first has run out. */
    async sendAuthorized(call: Call): Promise<Response> {
      const token = await accessToken();
      try {
        return await send(withToken(call, token));
      } catch (error) {
        if (isTasksError(error) && error.code === "session_ended") end();
        if (!isTasksError(error) || !RENEWABLE.includes(error.code)) throw error;
        return send(withToken(call, await accessToken(token)));
      }
    },
  };

  async function open(path: string, json: object): Promise<void> {
    const answer = await send({ method: "POST", path, json, repeatable: false });
    await answer.body?.cancel();
    hasEnded = false;
    if (options.carrier === "bearer") change(answer.headers.get("set-auth-token") ?? undefined);
    const token = answer.headers.get("set-auth-jwt");
    if (token) keeper.set({ token, expiresAt: expiryOf(token) });
  }

  async function accessToken(refused?: string): Promise<string> {
    try {
      return await keeper.get(fetchToken, refused);
    } catch (error) {
      if (isTasksError(error) && error.status === 401) end();
      throw error;
    }
  }

  async function fetchToken(): Promise<Token> {
    const answer = await send({ method: "GET", path: "/api/auth/token", headers: sessionHeaders(), repeatable: true });
    return answer.json();
  }

  function sessionHeaders() {
    return { authorization: bearer && `Bearer ${bearer}` };
  }

  /** Once, whoever noticed first: a call, signing out, or another tab. */
  function end(): void {
    if (hasEnded) return;
    hasEnded = true;
    keeper.signOut();
    if (options.carrier === "bearer") change(undefined);
    options.onSignedOut?.();
  }

  function change(value: string | undefined): void {
    if (value === bearer) return;
    const name = nameOf();
    if (name) forgetTokenKeeper(name);
    bearer = value;
    keeper = keep();
    options.onSession?.(value);
  }

  function keep() {
    const kept = tokenKeeperFor(nameOf());
    kept.onSignedOut.add(end);
    return kept;
  }

  function nameOf(): string | undefined {
    if (options.carrier === "cookie") return options.baseUrl;
    return bearer && `${options.baseUrl} ${bearer}`;
  }
}

function withToken(call: Call, token: string): Call {
  return { ...call, headers: { ...call.headers, authorization: `Bearer ${token}` } };
}

/** When a token expires, by its own claim. */
function expiryOf(token: string): string {
  const claims = (token.split(".")[1] ?? "").replaceAll("-", "+").replaceAll("_", "/");
  return new Date(JSON.parse(atob(claims)).exp * 1000).toISOString();
}
