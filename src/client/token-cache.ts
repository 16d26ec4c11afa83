/**
 * The access token, in memory. It is fetched once for all that need it: the calls of a client, clients of one session, and
 * tabs. Tabs take turns with a lock; the one whose turn it is asks the others before it fetches.
 */
import { type Abortable, withLimit } from "./abort.ts";
import { aborted } from "./errors.ts";
import { type AbortSignalLike, type Channel, isPage, platform } from "./platform.ts";
import { claimsOf, isFresh, type Token } from "./token.ts";

type FetchToken = (signal: AbortSignalLike) => Promise<Token>;

const OTHER_TABS_ANSWER_WITHIN_MS = 100;
/** A renewal that takes longer is replaced: on Workers it may belong to a request that no longer runs. */
const RENEWAL_TAKES_MS = 60_000;

export type TokenCache = ReturnType<typeof createTokenCache>;

type Renewal = {
  userId: string | undefined;
  token: Promise<Token>;
  startedAt: number;
  waiting: number;
  stop: () => void;
};
/** `token`: somebody has signed in, or a token was renewed. `answer`: what a tab has, for the one that asks. */
type Message = { type: "ask" } | { type: "answer" | "token"; token: Token } | { type: "ended" };
type Wish = { refused: string | undefined; userId: string | undefined };

/** The caches of sessions, for as long as a client uses them. */
const caches = new Map<string, WeakRef<TokenCache>>();
const collected = new FinalizationRegistry<string>((name) => {
  if (caches.get(name)?.deref() === undefined) caches.delete(name);
});

/**
 * The cache of one session; clients of the same session share it.
 * @param name names the session; undefined without one
 */
export function tokenCacheFor(name: string | undefined): TokenCache {
  const known = name === undefined ? undefined : caches.get(name)?.deref();
  if (known) return known;
  const cache = createTokenCache(name);
  if (name !== undefined) {
    caches.set(name, new WeakRef(cache));
    collected.register(cache, name);
  }
  return cache;
}

function createTokenCache(name: string | undefined) {
  let current: Token | undefined;
  let renewal: Renewal | undefined;
  /** Whose token is asked for. */
  let wanted: string | undefined;
  const waitingForTabs = new Set<() => void>();
  /** Called when the session has ended or another one has replaced it, whoever noticed. */
  const onEnded = new Set<() => void>();
  const channel = name === undefined ? undefined : openChannel(`edge-tasks ${name}`);

  channel?.addEventListener("message", (event) => {
    // Only this client writes to this channel.
    const message = event.data as Message;
    if (message.type === "token") take(message.token);
    // A tab of another person answers as well: its token is none of ours.
    if (message.type === "answer" && waitingForTabs.size > 0 && isOf(message.token, wanted)) take(message.token);
    if (message.type === "ask" && isFresh(current)) tell({ type: "answer", token: current });
    if (message.type === "ended") drop();
  });

  return {
    onEnded,

    /**
     * Returns a token, fetched if there is none.
     * @param wish `refused`: a token that the server no longer accepts; `userId`: whose token it has to be, if it is known
     */
    async get(fetchToken: FetchToken, { signal, ...wish }: Abortable & Wish) {
      if (isGood(current, wish)) return current.token;
      if (signal?.aborted) throw aborted(signal.reason);
      const isLate = renewal && Date.now() - renewal.startedAt > RENEWAL_TAKES_MS;
      if (!renewal || isLate || renewal.userId !== wish.userId) renewal = startRenewal(fetchToken, wish);
      const mine = renewal;
      mine.waiting += 1;
      try {
        return (await withLimit({ signal }, () => mine.token)).token;
      } finally {
        mine.waiting -= 1;
        if (mine.waiting === 0) {
          if (renewal === mine) renewal = undefined;
          mine.stop();
        }
      }
    },

    /** Stores a token that came with signing in. */
    set: share,

    /** Ends the session for all clients here and in other tabs. */
    end(): void {
      drop();
      tell({ type: "ended" });
    },
  };

  /** Starts a renewal. It is stopped when no call waits for it any more. */
  function startRenewal(fetchToken: FetchToken, wish: Wish): Renewal {
    const controller = new platform.AbortController();
    const { userId } = wish;
    // Tabs of one person take turns; another person's do not wait for them.
    const turn = name && (userId === undefined ? name : `${name} ${userId}`);
    const token = inTurn(turn, () => renew(fetchToken, wish, controller.signal));
    return { userId, token, startedAt: Date.now(), waiting: 0, stop: () => controller.abort() };
  }

  async function renew(fetchToken: FetchToken, wish: Wish, signal: AbortSignalLike): Promise<Token> {
    wanted = wish.userId;
    if (!isGood(current, wish) && channel) await askOtherTabs(() => isGood(current, wish));
    if (isGood(current, wish)) return current;
    const token = await fetchToken(signal);
    // Whoever asks by a name knows that the person has changed.
    if (wish.userId !== undefined && isOf(token, wish.userId)) current = token;
    share(token);
    return token;
  }

  async function askOtherTabs(isAnswered: () => boolean): Promise<void> {
    tell({ type: "ask" });
    const end = Date.now() + OTHER_TABS_ANSWER_WITHIN_MS;
    const nextAnswer = () => new Promise<void>((resolve) => waitingForTabs.add(resolve));
    while (!isAnswered() && Date.now() < end) {
      // When the time has passed, no tab has a token.
      await withLimit({ ms: end - Date.now() }, nextAnswer).catch(() => {});
    }
  }

  function share(token: Token): void {
    take(token);
    tell({ type: "token", token });
  }

  function tell(message: Message): void {
    channel?.postMessage(message);
  }

  /** A token of another user, from a tab that signed in as somebody else, ends the current session. */
  function take(token: Token): void {
    if (current && claimsOf(current.token)["sub"] !== claimsOf(token.token)["sub"]) drop();
    current = token;
    for (const resolve of waitingForTabs) resolve();
    waitingForTabs.clear();
  }

  function drop(): void {
    current = undefined;
    for (const listener of [...onEnded]) listener();
  }
}

function isGood(token: Token | undefined, { refused, userId }: Wish): token is Token {
  return isFresh(token) && token.token !== refused && isOf(token, userId);
}

function isOf({ token }: Token, userId: string | undefined): boolean {
  return userId === undefined || claimsOf(token)["sub"] === userId;
}

/** Only pages share a session with others that run elsewhere. */
function openChannel(name: string): Channel | undefined {
  return isPage && platform.BroadcastChannel ? new platform.BroadcastChannel(name) : undefined;
}

function inTurn<Result>(name: string | undefined, work: () => Promise<Result>): Promise<Result> {
  const locks = isPage && name !== undefined ? platform.navigator?.locks : undefined;
  return locks ? locks.request(`edge-tasks ${name}`, work) : work();
}
