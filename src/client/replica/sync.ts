/**
 * The one loop of the tab that leads: send what waits, apply the answer, pull the feed. It may be cut at any point: what was
 * sent without an answer is sent again under its key.
 */
import type { OperationResult } from "../types.ts";
import { applyAnswer, MAX_OPERATIONS, type Outcome, prepareBatch, takeBack } from "./batches.ts";
import type { Draft } from "./draft.ts";
import type { Data } from "./model.ts";
import { applyAll, applyPage, type Page, startOver } from "./pull.ts";
import type { Surroundings } from "./surroundings.ts";

/** What the leading tab is doing. */
export type SyncStatus = {
  /**
   * `offline`: the server cannot be reached. `unavailable`: it answers with a failure. `signed-out`: the session has ended.
   * `other-user`: somebody else is signed in. `storage`: this device stores nothing, and the copy in memory is used.
   */
  state: "starting" | "syncing" | "idle" | "offline" | "unavailable" | "signed-out" | "other-user";
  /** While the first copy is made: how many tasks have arrived, and how many there are. */
  progress?: { loaded: number; total: number | undefined } | undefined;
  /** When the server is asked again, in milliseconds from now. */
  retryInMs?: number | undefined;
  /** The server takes no more changes today. */
  isOverDailyQuota?: boolean | undefined;
};

export type Commit = <Result>(work: (draft: Draft) => Result) => Promise<Result>;

type Parts = Pick<Surroundings, "network" | "clock" | "newId"> & {
  data: () => Data;
  commit: Commit;
  storeAgain: () => Promise<void>;
  report: (status: SyncStatus) => void;
  isClosed: () => boolean;
};

/** How often a copy that somebody looks at is brought up to date. */
export const POLL_MS = 30_000;
const FIRST_PAUSE_MS = 1000;
const LONGEST_PAUSE_MS = 60_000;
const HOLD_MS = 15 * 60_000;

export function createSync({ network, clock, newId, data, commit, storeAgain, report, isClosed }: Parts) {
  let wake = () => {};
  let isWoken = false;
  let end = () => {};
  const ended = new Promise<void>((resolve) => {
    end = resolve;
  });
  let failures = 0;
  let maxOperations = MAX_OPERATIONS;
  /** Tasks whose changes wait for the next day, until when. */
  const held = new Map<string, number>();

  return {
    /** Ends the pause, unless the server has asked for it. */
    nudge,
    /** Ends the loop. */
    end(): void {
      end();
      nudge();
    },
    run,
  };

  function nudge(): void {
    isWoken = true;
    wake();
  }

  async function run(): Promise<void> {
    while (!isClosed()) {
      try {
        report({ state: "syncing", isOverDailyQuota: held.size > 0 });
        await storeAgain();
        const { isStale, failure } = await sendAll();
        const before = data().meta.version;
        await pull();
        if (failure) throw failure;
        report({ state: "idle", isOverDailyQuota: held.size > 0 });
        const isMoved = data().meta.version !== before;
        failures = isStale && !isMoved ? failures + 1 : 0;
        if (isMoved && data().outbox.size > 0) continue;
        await (isStale ? pause(pauseAfter(failures)) : pause(POLL_MS, { until: clock.untilLookedAt }));
      } catch (error) {
        if (isClosed()) return;
        await recover(failureOf(error)).catch((failure: unknown) => {
          // The copy was deleted meanwhile.
          if (!isClosed()) throw failure;
        });
      }
    }
  }

  /**
   * Sends batches until nothing is left, or the server refuses changes because this copy is behind. A server that answers
   * but takes nothing may still be read.
   */
  async function sendAll(): Promise<{ isStale: boolean; failure?: unknown }> {
    try {
      for (;;) {
        const next = await commit((draft) => draft.meta.batch ?? prepareBatch(draft, newId(), maxOperations, isHeld));
        if (!next || isClosed()) return { isStale: false };
        const outcome = await send(next);
        if (outcome?.isStale) return { isStale: true };
      }
    } catch (failure) {
      const { status } = failureOf(failure);
      if (status !== 429 && status < 500) throw failure;
      return { isStale: false, failure };
    }
  }

  async function send(batch: NonNullable<Data["meta"]["batch"]>): Promise<Outcome | undefined> {
    let results: OperationResult[];
    try {
      results = await network.send(batch.operations, batch.key);
    } catch (error) {
      const { status, code, errors } = failureOf(error);
      // An answer that is not the API's, such as a portal's, is no refusal.
      if (!isFinal(status) || code === "network") throw error;
      if (batch.operations.length > 1) {
        // One of them is the cause: they go one by one.
        maxOperations = 1;
        await commit((draft) => draft.meta.batch?.key === batch.key && takeBack(draft));
        return undefined;
      }
      results = [
        {
          op: "",
          id: "",
          status: 400,
          code: "invalid_request",
          errors: [...errors, { path: "", message: code }],
          task: null,
        },
      ];
    }
    if (batch.operations.length === 1) maxOperations = MAX_OPERATIONS;
    const outcome = await commit((draft) => applyAnswer(draft, batch.key, results, newId));
    for (const id of outcome?.held ?? []) held.set(id, clock.now() + HOLD_MS);
    return outcome;
  }

  async function pull(): Promise<void> {
    const { token, startsOver, isComplete } = data().meta;
    const total = isComplete ? undefined : await network.count().catch(() => undefined);
    const pages: Page[] = [];
    let since = startsOver ? undefined : token;
    for await (const page of network.changes(since)) {
      if (isClosed()) return;
      if (startsOver) pages.push(page);
      else if (!(await commit((draft) => applyPage(draft, page, since)))) return;
      since = page.token;
      if (!isComplete) report({ state: "syncing", progress: { loaded: data().tasks.size, total } });
    }
    if (startsOver) await commit((draft) => applyAll(draft, pages));
    else if (!isComplete) await commit((draft) => draft.meta.startsOver || draft.setMeta({ isComplete: true }));
  }

  async function recover({ status, code, retryAfterMs }: Failure): Promise<void> {
    if (status === 410 || (status === 400 && code === "invalid_request")) {
      await commit(startOver);
      failures += 1;
      return pause(failures > 1 ? pauseAfter(failures) : 0);
    }
    // Any other 403 comes from something between, such as a firewall.
    const isOther = status === 403 && code === "forbidden";
    if (status === 401 || isOther) {
      report({ state: isOther ? "other-user" : "signed-out" });
      return pause(undefined);
    }
    failures += 1;
    const retryInMs = Math.max(retryAfterMs, pauseAfter(failures));
    report({ state: status === 0 ? "offline" : "unavailable", retryInMs });
    await pause(retryInMs, { leastMs: Math.min(retryAfterMs, LONGEST_PAUSE_MS) });
  }

  /** Waits until the time has passed and `until` has come, or until somebody calls `nudge`, but for `leastMs` at least. */
  async function pause(ms: number | undefined, { until = async () => {}, leastMs = 0 } = {}): Promise<void> {
    if (leastMs > 0) await Promise.race([ended, clock.sleep(leastMs)]);
    const woken = new Promise<void>((resolve) => {
      wake = resolve;
    });
    if (!isWoken) await (ms === undefined ? woken : Promise.race([woken, clock.sleep(ms).then(until)]));
    isWoken = false;
    wake = () => {};
  }

  function isHeld(id: string): boolean {
    const until = held.get(id) ?? 0;
    // A clock that was put back must not hold a change for years.
    const isDue = clock.now() >= until || until - clock.now() > HOLD_MS;
    if (isDue) held.delete(id);
    return !isDue;
  }
}

type Failure = { status: number; code: string; retryAfterMs: number; errors: { path: string; message: string }[] };

/** What an error of the network says, whichever class it has. Without a status, nothing was answered. */
function failureOf(error: unknown): Failure {
  const {
    status = 0,
    code = "",
    retryAfterSeconds = 0,
    errors = [],
  } = { ...(error as Partial<Failure & { retryAfterSeconds: number }>) };
  return { status, code, retryAfterMs: retryAfterSeconds * 1000, errors };
}

/** Whether sending the same once more would end the same. */
function isFinal(status: number): boolean {
  return status >= 400 && status < 500 && ![401, 403, 408, 410, 425, 429].includes(status);
}

function pauseAfter(failures: number): number {
  return Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** failures) * (0.5 + Math.random() / 2);
}
