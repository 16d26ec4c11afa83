/**
 * The data of a replica, in memory and on the device. Commits run one after the other, each on the newest data, and are told
 * to the other tabs. A device that stores nothing is no reason to stop: the copy in memory goes on, and `isStored` tells of it.
 */
import { createDraft, type Draft } from "./draft.ts";
import { applyChanges, type Changes, changesOf, type Data, emptyData, mergeChanges, type NewEntry } from "./model.ts";
import { change } from "./rebase.ts";
import type { Surroundings } from "./surroundings.ts";

type Parts = Pick<Surroundings, "storage" | "channel"> & {
  /** Called with the tasks that may look different now. */
  onChange: (ids: Iterable<string>) => void;
  /** Called when the device holds the mark of a copy that was deleted on purpose. */
  onWiped: () => Promise<void>;
};

export type Copy = ReturnType<typeof createCopy>;

export function createCopy({ storage, channel, onChange, onWiped }: Parts) {
  let data = emptyData();
  /** Changes of the person that are shown, and not committed yet. */
  let entered: NewEntry[] = [];
  /** What the device could not store; it is stored with the next commit. `entries` are the person's changes in it. */
  let unsaved: (Changes & { entries: NewEntry[] }) | undefined;
  const whenSaved: (() => void)[] = [];
  /** Conflicts and refusals that the device could not store; the next commit makes them again. */
  let carried: Pick<Changes, "conflicts" | "refusals"> | undefined;
  let storedVersion = 0;
  let isWiped = false;
  let turn: Promise<unknown> = Promise.resolve();

  return {
    data: (): Data => data,
    /** The data with the changes that are not committed yet. */
    seen,
    /** How many changes the server does not have yet. */
    waiting: (): number => data.outbox.size + entered.length,
    isStored: (): boolean => unsaved === undefined,
    /** The version that the device holds, as far as this tab knows. */
    storedVersion: (): number => storedVersion,

    /** Reads what the device holds. Commits of other tabs that arrive meanwhile are looked up afterwards. */
    open(): Promise<void> {
      const opened = open();
      turn = opened;
      return opened;
    },

    /** Shows a change of the person at once, and commits it. */
    enter(entry: NewEntry): Promise<void> {
      entered.push(entry);
      onChange([entry.id]);
      return commit(() => {});
    },

    commit,

    /** Resolves when the device holds all that was committed. */
    async untilStored(): Promise<void> {
      if (unsaved) await new Promise<void>((resolve) => whenSaved.push(resolve));
    },

    /**
     * Tries again to store what the device could not, so that other tabs have it as well.
     * @returns whether something was stored
     */
    async storeAgain(): Promise<boolean> {
      if (!unsaved) return false;
      await commit((draft) => draft.setMeta({}));
      return !unsaved;
    },

    /** A commit of another tab. One that does not follow ours shows that some were missed. */
    takeCommit(version: number, changes: Changes): void {
      if (unsaved || version > data.meta.version + 1) {
        lookUp();
      } else if (version === data.meta.version + 1) {
        take(changes);
        storedVersion = version;
      }
    },

    /** Another tab has stored this version. */
    takeVersion(version: number): void {
      if (version > data.meta.version) lookUp();
    },

    /** Resolves when no commit is under way. */
    async idle(): Promise<void> {
      await turn.catch(() => {});
    },

    /** Nothing is committed from now on: the copy was deleted on purpose. */
    wiped(): void {
      isWiped = true;
    },
  };

  function seen(): Draft {
    const draft = createDraft(data);
    for (const entry of entered) change(draft, entry);
    return draft;
  }

  async function open(): Promise<void> {
    try {
      replaceData(await storage.load());
    } catch {
      unsaved = { ...changesOf(data), entries: [] };
    }
    data.meta = { ...data.meta, isWiped: undefined };
  }

  /** Runs `work` on the newest data, after the changes that the person made before, and stores all of it at once. */
  function commit<Result>(work: (draft: Draft) => Result): Promise<Result> {
    const result = turn.catch(() => {}).then(() => commitNow(work));
    turn = result;
    return result;
  }

  async function commitNow<Result>(work: (draft: Draft) => Result): Promise<Result> {
    for (;;) {
      if (isWiped) throw new Error("The copy was deleted from this device.");
      const entries = [...entered];
      const draft = createDraft(data);
      if (carried) carry(draft, carried);
      for (const entry of entries) change(draft, entry);
      const result = work(draft);
      const changes = draft.changes();
      const next = changes && { ...changes, meta: { ...changes.meta, version: data.meta.version + 1 } };
      if (next && !(await store(next, entries))) {
        const isRead = await reload();
        if (isRead || next.meta.version !== data.meta.version + 1) continue;
        keepUnsaved(next, entries);
      }
      entered = entered.slice(entries.length);
      carried = undefined;
      if (next) take(next);
      if (next && !unsaved) channel.post({ type: "commit", version: next.meta.version, changes: next });
      return result;
    }
  }

  /**
   * Stores a commit, with all that could not be stored before.
   * @returns false if another tab has stored something since
   */
  async function store(changes: Changes, entries: NewEntry[]): Promise<boolean> {
    const all = unsaved ? mergeChanges(unsaved, changes) : changes;
    try {
      if (!(await storage.commit(storedVersion, all))) return false;
      unsaved = undefined;
      storedVersion = all.meta.version;
      for (const resolve of whenSaved.splice(0)) resolve();
    } catch {
      // Another tab has stored something meanwhile, and told this one.
      if (changes.meta.version !== data.meta.version + 1) return false;
      keepUnsaved(changes, entries);
    }
    return true;
  }

  function keepUnsaved(changes: Changes, entries: NewEntry[]): void {
    const all = unsaved ? mergeChanges(unsaved, changes) : changes;
    unsaved = { ...all, entries: [...(unsaved?.entries ?? []), ...entries] };
  }

  function lookUp(): void {
    turn = turn.catch(() => {}).then(reload);
    // Stores what the reload left to be made again.
    commit(() => {}).catch(() => {});
  }

  /**
   * Reads what other tabs have stored. Changes of this tab that could not be stored are made again on it.
   * @returns false if nothing can be read
   */
  async function reload(): Promise<boolean> {
    const before = storedVersion;
    const stored = await storage.load().catch(() => undefined);
    if (!stored) return false;
    if (stored.meta.isWiped) {
      isWiped = true;
      await onWiped();
    }
    // Commits of other tabs were taken meanwhile.
    const isNewer = !unsaved && data.meta.version > Math.max(before, stored.meta.version);
    if (!isWiped && !isNewer) takeStored(stored, before);
    return true;
  }

  function takeStored(stored: Data, before: number): void {
    if (stored.meta.version < before) {
      // The browser has deleted the storage: the copy in memory is stored anew.
      storedVersion = stored.meta.version;
      unsaved = { ...changesOf(data), entries: unsaved?.entries ?? [] };
      return;
    }
    const kept = unsaved;
    const former = data;
    const waiting = new Set([...former.outbox.values()].map(({ id }) => id));
    const again = kept?.entries.filter(({ id }) => waiting.has(id)) ?? [];
    unsaved = undefined;
    entered = [...again, ...entered];
    carried = kept ?? carried;
    replaceData(stored);
    onChange([...idsOf(former), ...entered.map(({ id }) => id)]);
  }

  function replaceData(stored: Data): void {
    data = stored;
    storedVersion = stored.meta.version;
    onChange(idsOf(stored));
  }

  function take(changes: Changes): void {
    const ids = new Set([...changes.tasks, ...changes.conflicts].map(([id]) => id));
    for (const [seq, entry] of changes.outbox) ids.add(entry?.id ?? data.outbox.get(seq)?.id ?? "");
    applyChanges(data, changes);
    onChange(ids);
  }
}

/** All tasks that a copy shows. */
function idsOf({ tasks, outbox }: Data): string[] {
  return [...tasks.keys(), ...[...outbox.values()].map(({ id }) => id)];
}

/** Adds conflicts and refusals that only this tab knows. */
function carry(draft: Draft, { conflicts, refusals }: Pick<Changes, "conflicts" | "refusals">): void {
  for (const [id, conflict] of conflicts) if (conflict && !draft.conflicts.get(id)) draft.conflicts.set(id, conflict);
  for (const [, refusal] of refusals) {
    const key = `${refusal?.key} ${refusal?.id}`;
    if (refusal) draft.refusals.set(key, { ...refusal, key });
  }
}
