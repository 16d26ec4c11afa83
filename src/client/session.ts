/** The session of a client, and how its calls are authorized: account calls by the session, others by an access token. */

import { isTasksError, sessionEnded } from "./errors.ts";
import type { AbortSignalLike } from "./platform.ts";
import { type Token, tokenFrom } from "./token.ts";
import { type TokenCache, tokenCacheFor } from "./token-cache.ts";
import type { Answer, Call, Send } from "./transport.ts";

export type SessionOptions = {
  baseUrl: string;
  /**
   * What carries the session. `cookie`, the default in pages: the browser's HttpOnly cookie, which no script can read.
   * `bearer`, the default elsewhere: a value in memory, which `onSession` receives. Pages of another site than the Worker's
   * need it, because browsers block third-party cookies.
   */
  carrier: "cookie" | "bearer";
  /** The bearer value of a session that was opened earlier. */
  session?: string | undefined;
  /** Called with the bearer value whenever it changes; undefined when the session has ended. */
  onSession?: ((session: string | undefined) => void) | undefined;
  /** Called when the session has ended, here or in another tab. */
  onSignedOut?: (() => void) | undefined;
};

/** A session from its opening to its end. A call never continues in another session than it began in. */
type Active = { bearer: string | undefined; tokens: TokenCache };

export type Session = ReturnType<typeof createSession>;

/** The problems after which a new access token may be accepted. */
const RENEWABLE = ["token_expired", "token_invalid"];

export function createSession(send: Send, options: SessionOptions) {
  let isSignedIn = true;
  let active: Active = begin(options.session);

  return {
    /** Sends a call that needs no session. If the response opens a session, that becomes the active one. */
    async sendAnonymously(call: Call): Promise<Answer> {
      // The server gives a page the bearer value only on request, and then sets no cookie.
      const headers = options.carrier === "bearer" ? { "x-session-carrier": "bearer" } : {};
      const answer = await send({ ...call, headers });
      adopt(answer);
      return answer;
    },

    /** Sends an account call with the session. */
    sendWithSession: (call: Call): Promise<Answer> => noticingEnd((mine) => sendIn(mine, call)),

    /** Sends an account call that ends the session. */
    sendToEnd: (call: Call): Promise<Answer> =>
      noticingEnd(async (mine) => {
        const answer = await sendIn(mine, call);
        if (active === mine) mine.tokens.end();
        return answer;
      }),

    /** Sends a call with an access token, and once more with a new one if the first is refused. */
    sendAuthorized: (call: Call): Promise<Answer> =>
      noticingEnd(async (mine) => {
        const token = await accessToken(mine, call);
        try {
          return await send(withToken(call, token));
        } catch (error) {
          if (!isTasksError(error) || !RENEWABLE.includes(error.code)) throw error;
          return await send(withToken(call, await accessToken(mine, call, token)));
        }
      }),
  };

  async function noticingEnd(work: (mine: Active) => Promise<Answer>): Promise<Answer> {
    const mine = active;
    try {
      return await work(mine);
    } catch (error) {
      if (isTasksError(error) && error.code === "session_ended" && active === mine) mine.tokens.end();
      throw error;
    }
  }

  async function sendIn(mine: Active, call: Call): Promise<Answer> {
    try {
      const answer = await send({ ...call, headers: { authorization: mine.bearer && `Bearer ${mine.bearer}` } });
      if (active === mine) adopt(answer);
      const renewed = answer.response.headers.get("set-auth-token");
      if (mine.bearer && renewed && renewed !== mine.bearer && active === mine) {
        // The same session, signed with the server's new secret.
        mine.bearer = renewed;
        options.onSession?.(renewed);
      }
      return answer;
    } catch (error) {
      throw isTasksError(error) && error.status === 401 ? sessionEnded() : error;
    }
  }

  /** Makes the session that a response opens the active one. Only such a response has an access token in this header. */
  function adopt({ response }: Answer): void {
    const token = response.headers.get("set-auth-jwt");
    if (!token) return;
    const bearer = options.carrier === "bearer" ? (response.headers.get("set-auth-token") ?? undefined) : undefined;
    const isOther = bearer !== active.bearer;
    active = begin(bearer, active);
    isSignedIn = true;
    if (isOther) options.onSession?.(bearer);
    active.tokens.set(tokenFrom(token));
  }

  /** An access token of this session, for as long as it is the active one. */
  async function accessToken(mine: Active, { signal, userId }: Call, refused?: string): Promise<string> {
    const token = await mine.tokens.get((renewal) => fetchToken(mine, renewal), { signal, refused, userId });
    if (active !== mine) throw sessionEnded();
    isSignedIn = true;
    return token;
  }

  async function fetchToken(mine: Active, signal: AbortSignalLike): Promise<Token> {
    const { json } = await sendIn(mine, { method: "GET", path: "/api/auth/token", repeatable: true, signal });
    // The shape that the endpoint documents.
    return json as Token;
  }

  /** Runs once per session, whoever noticed the end first: a call, signing out, or another tab. */
  function onEnded(): void {
    if (!isSignedIn) return;
    isSignedIn = false;
    const had = active.bearer;
    active = begin(undefined, active);
    if (had !== undefined) options.onSession?.(undefined);
    options.onSignedOut?.();
  }

  function begin(bearer: string | undefined, before?: Active): Active {
    before?.tokens.onEnded.delete(onEnded);
    const name = options.carrier === "cookie" ? options.baseUrl : bearer && `${options.baseUrl} ${bearer}`;
    const tokens = tokenCacheFor(name);
    tokens.onEnded.add(onEnded);
    return { bearer, tokens };
  }
}

function withToken(call: Call, token: string): Call {
  return { ...call, headers: { ...call.headers, authorization: `Bearer ${token}` } };
}
