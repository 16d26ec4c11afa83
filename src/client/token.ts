/**
 * The access token, in memory, renewed once for everybody who waits: the calls of a client, clients that share a session,
 * and tabs. Tabs take turns by a lock; whoever has its turn first asks the others, and fetches only what nobody has.
 */

export type Token = { token: string; expiresAt: string };
type Fetched = () => Promise<Token>;

/** A token that is about to expire is not worth sending. */
const EXPIRES_SOON_MS = 10_000;
const OTHERS_ANSWER_WITHIN_MS = 100;

export type TokenKeeper = ReturnType<typeof createTokenKeeper>;

type Message = { type: "ask" } | { type: "token"; token: Token } | { type: "signed-out" };
type Channel = {
  postMessage: (message: Message) => void;
  addEventListener: (type: "message", listener: (event: { data: Message }) => void) => void;
  unref?: () => void;
};
type Locks = { request: <Result>(name: string, work: () => Promise<Result>) => Promise<Result> };

const keepers = new Map<string, TokenKeeper>();

/** The keeper of one session; clients of the same session get the same. Without a session there is nothing to share. */
export function tokenKeeperFor(name: string | undefined): TokenKeeper {
  if (name === undefined) return createTokenKeeper("nobody");
  const known = keepers.get(name) ?? createTokenKeeper(name);
  keepers.set(name, known);
  return known;
}

/** Forgets a keeper whose session has ended. */
export function forgetTokenKeeper(name: string): void {
  keepers.delete(name);
}

function createTokenKeeper(name: string) {
  let current: Token | undefined;
  let renewing: Promise<Token> | undefined;
  const waiting = new Set<() => void>();
  const onSignedOut = new Set<() => void>();
  const channel = openChannel(`edge-tasks ${name}`);

  channel?.addEventListener("message", ({ data }) => {
    if (data.type === "token") take(data.token);
    if (data.type === "ask" && isFresh(current)) channel.postMessage({ type: "token", token: current });
    if (data.type === "signed-out") drop();
  });

  return {
    onSignedOut,

    /** A token, fetched if there is none; `refused` is one that is no longer good. */
    async get(fetched: Fetched, refused?: string): Promise<string> {
      if (isFresh(current) && current.token !== refused) return current.token;
      renewing ??= inTurn(name, () => renew(fetched, refused)).finally(() => {
        renewing = undefined;
      });
      return (await renewing).token;
    },

    /** A token that came with signing in. */
    set(token: Token): void {
      take(token);
      channel?.postMessage({ type: "token", token });
    },

    /** Ends it here and in the other tabs. */
    signOut(): void {
      current = undefined;
      channel?.postMessage({ type: "signed-out" });
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

  function take(token: Token): void {
    current = token;
    for (const resolve of waiting) resolve();
    waiting.clear();
  }

  function drop(): void {
    current = undefined;
    for (const listener of onSignedOut) listener();
  }
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

function inTurn<Result>(name: string, work: () => Promise<Result>): Promise<Result> {
  const { navigator } = globalThis as unknown as { navigator?: { locks?: Locks } };
  const locks = navigator?.locks;
  return "document" in globalThis && locks ? locks.request(`edge-tasks ${name}`, work) : work();
}
