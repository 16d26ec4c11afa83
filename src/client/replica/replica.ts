/**
 * A copy of one person's tasks that works without a network. Reads come from memory. A change is shown at once, is stored on
 * the device, and is sent when the server can be reached. Nothing is overwritten silently.
 */

import { createCopy } from "./copy.ts";
import { showTask } from "./draft.ts";
import { createEdits } from "./edits.ts";
import type { Conflict, Entry, Refusal } from "./model.ts";
import type { Surroundings } from "./surroundings.ts";
import { createSync, type SyncStatus } from "./sync.ts";
import { createView } from "./view.ts";

export type ReplicaStatus = SyncStatus & {
  /** Changes that the server does not have yet. */
  waiting: number;
  /** Whether changes are stored on this device. If not, they last as long as this tab. */
  isStored: boolean;
  /** Whether all tasks have arrived once. */
  isComplete: boolean;
};

export type Replica = Awaited<ReturnType<typeof openReplica>>;

/** Opens the copy, and begins to keep it equal to the server's. */
export async function openReplica(surroundings: Surroundings) {
  const { storage, channel, lock } = surroundings;
  const view = createView();
  const listeners = new Set<() => void>();
  let status: SyncStatus = { state: "starting" };
  let isClosed = false;
  let isWiped = false;

  const copy = createCopy({ storage, channel, onChange: show, onWiped: () => end(true) });
  const { data, commit } = copy;
  const edits = createEdits({ ...surroundings, copy, view, isClosed: () => isClosed, sendSoon });
  const sync = createSync({
    ...surroundings,
    data,
    commit,
    storeAgain: async () => void (await copy.storeAgain()),
    report,
    isClosed: () => isClosed,
  });
  channel.listen((message) => {
    if (isClosed) return;
    if (message.type === "commit") copy.takeCommit(message.version, message.changes);
    if (message.type === "sync") sync.nudge();
    if (message.type === "status") {
      setStatus(message.status);
      copy.takeVersion(message.version);
      void storeAgain();
    }
    if (message.type === "wiped") end(true);
  });
  await copy.open();
  lock(() => (isClosed ? Promise.resolve() : sync.run()));
  channel.post({ type: "sync" });

  return {
    get: view.get,
    list: view.list,
    counts: view.counts,
    tags: view.tags,
    create: edits.create,
    edit: edits.edit,
    remove: edits.remove,
    restore: edits.restore,
    settle: edits.settle,
    /** Those that the person has to settle, the oldest first. */
    conflicts: (): Conflict[] => [...data().conflicts.values()],
    refusals: (): Refusal[] => [...data().refusals.values()],
    status: (): ReplicaStatus => ({
      ...status,
      waiting: copy.waiting(),
      isStored: copy.isStored(),
      isComplete: data().meta.isComplete === true,
    }),
    /** Calls the listener after each change of anything that this replica tells. Returns how to stop. */
    subscribe(listener: () => void): () => void {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },

    /** Forgets a refusal that the person has read. */
    dismiss: (key: string): Promise<void> => commit((draft) => draft.refusals.set(key, undefined)),

    /** Asks the leading tab to send and pull now; after signing in again as well. */
    sync(): void {
      sync.nudge();
      channel.post({ type: "sync" });
    },

    /** Stops. What waits stays on the device. */
    close: (): Promise<void> => end(false),

    /** Deletes this person's copy from the device, with what waits, in all tabs. */
    async wipe(): Promise<void> {
      isClosed = true;
      await copy.idle();
      try {
        await storage.clear();
        channel.post({ type: "wiped" });
      } finally {
        await end(true);
      }
    },

    /** Whether another tab has wiped the copy. */
    isWiped: (): boolean => isWiped,
  };

  function sendSoon(): void {
    sync.nudge();
    channel.post({ type: "sync" });
  }

  /** Shows tasks as they are now, with what is not stored yet. */
  function show(ids: Iterable<string>): void {
    const draft = copy.seen();
    const waiting = new Map<string, Entry[]>();
    for (const entry of draft.entries()) waiting.set(entry.id, [...(waiting.get(entry.id) ?? []), entry]);
    for (const id of ids) {
      const entries = waiting.get(id) ?? [];
      edits.note(id, entries);
      const task = showTask(draft.tasks.get(id), entries);
      view.set(id, task, entries.at(-1)?.seq ?? 0);
    }
    announce();
  }

  function report(changed: SyncStatus): void {
    setStatus(changed);
    channel.post({ type: "status", version: copy.storedVersion(), status: changed });
  }

  function setStatus(changed: SyncStatus): void {
    status = changed;
    announce();
  }

  function announce(): void {
    for (const listener of [...listeners]) listener();
  }

  /** Stores what the device could not store, and has it sent. */
  async function storeAgain(): Promise<void> {
    if (await copy.storeAgain().catch(() => false)) channel.post({ type: "sync" });
  }

  async function end(wiped: boolean): Promise<void> {
    isClosed = true;
    isWiped ||= wiped;
    if (wiped) copy.wiped();
    sync.end();
    if (!wiped) {
      await copy.idle();
      await storeAgain();
    }
    channel.close();
    storage.close();
    announce();
  }
}
