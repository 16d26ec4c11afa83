/**
 * The access token, in memory, renewed once for everybody who waits: the calls of a client, clients that share a session,
 * and tabs. Tabs take turns by a lock; whoever has its turn first asks the others, and fetches only what nobody has.
 */

export type Token = { token: string; expiresAt: string };
type Fetched = () => Promise<Token>;

/** A token that is about to expire is not worth sending. */
const EXPIRES_SOON_MS = 10_000;
const OTHERS_ANSWER_WITHIN_MS = 100;
/** A renewal that takes longer is given up: on Workers it may belong to a request that is gone. */
const RENEWAL_TAKES_MS = 60_000;

export type TokenKeeper = ReturnType<typeof createTokenKeeper>;

type Message = { type: "ask" } | { type: "token"; token: Token } | { type: "ended" };
type Channel = {
  postMessage: (message: Message) => void;
  addEventListener: (type: "message", listener: (event: { data: Message }) => void) => void;
};
type Locks = { request: <Result>(name: string, work: () => Promise<Result>) => Promise<Result> };

/** The keepers of sessions, for as long as a client holds on to them. */
const keepers = new Map<string, WeakRef<TokenKeeper>>();
const forgotten = new FinalizationRegistry<string>((name) => {
  if (keepers.get(name)?.deref() === undefined) keepers.delete(name);
});

/** The keeper of one session; clients of the same session get the same. Without a session there is nothing to share. */
export function tokenKeeperFor(name: string | undefined): TokenKeeper {
  const known = name === undefined ? undefined : keepers.get(name)?.deref();
  if (known) return known;
  const keeper = createTokenKeeper(name);
  if (name !== undefined) {
    keepers.set(name, new WeakRef(keeper));
    forgotten.register(keeper, name);
  }
  return keeper;
}

function createTokenKeeper(name: string | undefined) {
  let current: Token | undefined;
  let renewal: { token: Promise<Token>; startedAt: number } | undefined;
  const waiting = new Set<() => void>();
  /** Called when the session has ended, or is another's, wherever that was noticed. */
  const listeners = new Set<() => void>();
  const channel = name === undefined ? undefined : openChannel(`edge-tasks ${name}`);

  channel?.addEventListener("message", ({ data }) => {
    if (data.type === "token") take(data.token);
    if (data.type === "ask" && isFresh(current)) channel.postMessage({ type: "token", token: current });
    if (data.type === "ended") drop();
  });

  return {
    listeners,

    /** A token, fetched if there is none; `refused` is one that is no longer good. */
    async get(fetched: Fetched, refused?: string): Promise<string> {
      if (isFresh(current) && current.token !== refused) return current.token;
      if (!renewal || Date.now() - renewal.startedAt > RENEWAL_TAKES_MS) {
        const token = inTurn(name, () => renew(fetched, refused)).finally(() => {
          if (renewal?.token === token) renewal = undefined;
        });
        renewal = { token, startedAt: Date.now() };
      }
      return (await renewal.token).token;
    },

    /** A token that came with signing in. */
    set(token: Token): void {
      take(token);
      channel?.postMessage({ type: "token", token });
    },

    /** Ends it for all clients here, and in the other tabs. */
    end(): void {
      drop();
      channel?.postMessage({ type: "ended" });
    },
  };

  async function renew(fetched: Fetched, refused: string | undefined): Promise<Token> {
    const isGood = (token: Token | undefined) => isFresh(token) && token.token !== refused;
    if (!isGood(current) && channel) await askOthers(() => isGood(current));
    if (current && isGood(current)) return current;
    const token = await fetched();
    take(token);
    channel?.postMessage({ type: "token", token });
    return token;
  }

  async function askOthers(isAnswered: () => boolean): Promise<void> {
    channel?.postMessage({ type: "ask" });
    const end = Date.now() + OTHERS_ANSWER_WITHIN_MS;
    while (!isAnswered() && Date.now() < end) {
      await new Promise<void>((resolve) => {
        waiting.add(resolve);
        setTimeout(resolve, end - Date.now());
      });
    }
  }

  /** Another user's token, from a tab that signed in as somebody else, ends what was here. */
  function take(token: Token): void {
    if (current && claimsOf(current.token)["sub"] !== claimsOf(token.token)["sub"]) drop();
    current = token;
    for (const resolve of waiting) resolve();
    waiting.clear();
  }

  function drop(): void {
    current = undefined;
    for (const listener of [...listeners]) listener();
  }
}

/** A token's claims, unverified: that is for the server. */
export function claimsOf(token: string): Record<string, unknown> {
  const claims = (token.split(".")[1] ?? "").replaceAll("-", "+").replaceAll("_", "/");
  return JSON.parse(atob(claims));
}

function isFresh(token: Token | undefined): token is Token {
  return token !== undefined && Date.parse(token.expiresAt) - Date.now() > EXPIRES_SOON_MS;
}

/** Browsers alone have tabs; elsewhere one process is all there is. */
function openChannel(name: string): Channel | undefined {
  if (!("document" in globalThis)) return undefined;
  const { BroadcastChannel } = globalThis as unknown as { BroadcastChannel?: new (name: string) => Channel };
  return BroadcastChannel && new BroadcastChannel(name);
}

function inTurn<Result>(name: string | undefined, work: () => Promise<Result>): Promise<Result> {
  const { navigator } = globalThis as unknown as { navigator?: { locks?: Locks } };
  const locks = "document" in globalThis && name !== undefined ? navigator?.locks : undefined;
  return locks ? locks.request(`edge-tasks ${name}`, work) : work();
}
