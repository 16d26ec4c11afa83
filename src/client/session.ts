/** Signing up, in and out; and what a call needs to be let in. */
import { isTasksError, sessionEnded } from "./errors.ts";
import { claimsOf, type Token, type TokenKeeper, tokenKeeperFor } from "./token.ts";
import type { Answer, Call, Send } from "./transport.ts";

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

/** One session, from its opening to its end; a call belongs to the one in which it was made. */
type Life = { bearer: string | undefined; keeper: TokenKeeper };

/** The refusals after which another token may be let in. */
const RENEWABLE = ["token_expired", "token_invalid"];

export function createSession(send: Send, options: SessionOptions) {
  let isSignedIn = true;
  let life: Life = begin(options.session);

  return {
    signUp: (account: { name: string; email: string; password: string }) => open("/api/auth/sign-up/email", account),
    signIn: (account: { email: string; password: string }) => open("/api/auth/sign-in/email", account),

    /** Ends the session and its access tokens. Signed out twice is signed out. */
    async signOut(): Promise<void> {
      const mine = life;
      await send({ method: "POST", path: "/api/auth/sign-out", headers: sessionHeaders(mine), repeatable: true });
      if (life === mine) mine.keeper.end();
    },

    /** Sends a call with an access token, and once more with a new one where the first has run out. */
    async sendAuthorized(call: Call): Promise<Answer> {
      const mine = life;
      try {
        const token = await accessToken(mine);
        try {
          return await send(withToken(call, token));
        } catch (error) {
          if (!isTasksError(error) || !RENEWABLE.includes(error.code)) throw error;
          return await send(withToken(call, await accessToken(mine, token)));
        }
      } catch (error) {
        const hasEnded = isTasksError(error) && error.code === "session_ended";
        if (hasEnded && life === mine) mine.keeper.end();
        throw error;
      }
    },
  };

  async function open(path: string, json: object): Promise<void> {
    // A page gets the bearer value only where it asks for it, and then no cookie.
    const headers = options.carrier === "bearer" ? { "x-session-carrier": "bearer" } : {};
    const { response } = await send({ method: "POST", path, json, headers, repeatable: false });
    const bearer = options.carrier === "bearer" ? (response.headers.get("set-auth-token") ?? undefined) : undefined;
    const isOther = bearer !== life.bearer;
    life = begin(bearer, life);
    isSignedIn = true;
    if (isOther) options.onSession?.(bearer);
    const token = response.headers.get("set-auth-jwt");
    if (token) life.keeper.set({ token, expiresAt: new Date(Number(claimsOf(token)["exp"]) * 1000).toISOString() });
  }

  /** A token for a call of this life. No call goes on as whoever has signed in since. */
  async function accessToken(mine: Life, refused?: string): Promise<string> {
    const token = await mine.keeper.get(() => fetchToken(mine), refused);
    if (life !== mine) throw sessionEnded();
    isSignedIn = true;
    return token;
  }

  async function fetchToken(mine: Life): Promise<Token> {
    const headers = sessionHeaders(mine);
    try {
      const { response, json } = await send({ method: "GET", path: "/api/auth/token", headers, repeatable: true });
      const renewed = response.headers.get("set-auth-token");
      if (mine.bearer && renewed && renewed !== mine.bearer) {
        // The server's secret was rolled: the same session, signed anew.
        mine.bearer = renewed;
        if (life === mine) options.onSession?.(renewed);
      }
      return json as Token;
    } catch (error) {
      throw isTasksError(error) && error.status === 401 ? sessionEnded() : error;
    }
  }

  /** Once for each session, whoever noticed first: a call, signing out, or another tab. */
  function onEnded(): void {
    if (!isSignedIn) return;
    isSignedIn = false;
    const had = life.bearer;
    life = begin(undefined, life);
    if (had !== undefined) options.onSession?.(undefined);
    options.onSignedOut?.();
  }

  function begin(bearer: string | undefined, before?: Life): Life {
    before?.keeper.listeners.delete(onEnded);
    const named = options.carrier === "cookie" ? options.baseUrl : bearer && `${options.baseUrl} ${bearer}`;
    const keeper = tokenKeeperFor(named);
    keeper.listeners.add(onEnded);
    return { bearer, keeper };
  }
}

function sessionHeaders({ bearer }: Life) {
  return { authorization: bearer && `Bearer ${bearer}` };
}

function withToken(call: Call, token: string): Call {
  return { ...call, headers: { ...call.headers, authorization: `Bearer ${token}` } };
}
