/**
 * A copy of one person's tasks that works without a network. Reads come from memory. A change is shown at once, is stored on
 * the device, and is sent when the server can be reached. Nothing is overwritten silently.
 */
import type { NewTask, Task, TaskChanges } from "../types.ts";
import { editOf, withoutSame } from "./combine.ts";
import { createDraft, type Draft, showTask } from "./draft.ts";
import { fieldsOf, newFields, normalize } from "./fields.ts";
import {
  applyChanges,
  type Changes,
  type Conflict,
  changesOf,
  type Data,
  type Entry,
  emptyData,
  type Field,
  type Fields,
  mergeChanges,
  type NewEntry,
  type Refusal,
} from "./model.ts";
import { change, settle } from "./rebase.ts";
import type { Surroundings } from "./surroundings.ts";
import { createSync, type SyncStatus } from "./sync.ts";
import { createView, type ShownTask } from "./view.ts";

export type ReplicaStatus = SyncStatus & {
  /** Changes that the server does not have yet. */
  waiting: number;
  /** Whether changes are stored on this device. If not, they last as long as this tab. */
  isStored: boolean;
  /** Whether all tasks have arrived once. */
  isComplete: boolean;
};

/**
 * A change, and the promise that it is stored on the device. `undo` takes it back by another change; where something else
 * was changed since, that becomes a conflict. Undefined if there is nothing to take back.
 */
export type Change = { task: ShownTask; stored: Promise<void>; undo: () => Promise<void> | undefined };

export type Replica = Awaited<ReturnType<typeof openReplica>>;

/** Opens the copy, and begins to keep it equal to the server's. */
export async function openReplica(surroundings: Surroundings) {
  const { storage, clock, channel, lock, newId } = surroundings;
  const view = createView();
  const listeners = new Set<() => void>();
  /** Changes of the person that are shown, and not stored yet. */
  let unstored: NewEntry[] = [];
  let data = emptyData();
  let status: SyncStatus = { state: "starting" };
  /** What the device could not store; it is stored with the next commit. `entries` are the person's changes in it. */
  let unsaved: (Changes & { entries: NewEntry[] }) | undefined;
  const whenSaved: (() => void)[] = [];
  /** Conflicts and refusals that the device could not store; the next commit makes them again. */
  let carried: Pick<Changes, "conflicts" | "refusals"> | undefined;
  let storedVersion = 0;
  let isClosed = false;
  let isWiped = false;
  let turn: Promise<unknown> = Promise.resolve();

  const sync = createSync({ ...surroundings, data: () => data, commit, storeAgain, report, isClosed: () => isClosed });
  channel.listen((message) => {
    if (isClosed) return;
    if (message.type === "commit") takeCommit(message.version, message.changes);
    if (message.type === "sync") sync.nudge();
    if (message.type === "status") takeStatus(message.version, message.status);
    if (message.type === "wiped") end(true);
  });
  // Commits of other tabs that arrive meanwhile are looked up afterwards.
  turn = open();
  await turn;
  lock(() => (isClosed ? Promise.resolve() : sync.run()));
  channel.post({ type: "sync" });

  return {
    get: view.get,
    list: view.list,
    counts: view.counts,
    tags: view.tags,
    /** Those that the person has to settle, the oldest first. */
    conflicts: (): Conflict[] => [...data.conflicts.values()],
    refusals: (): Refusal[] => [...data.refusals.values()],
    status: (): ReplicaStatus => ({
      ...status,
      waiting: data.outbox.size + unstored.length,
      isStored: unsaved === undefined,
      isComplete: data.meta.isComplete === true,
    }),
    /** Calls the listener after each change of anything that this replica tells. Returns how to stop. */
    subscribe(listener: () => void): () => void {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },

    /** @throws {InvalidTask} naming each field that the server would refuse */
    create(task: NewTask & { id?: string }): Change {
      const at = new Date(clock.now()).toISOString();
      const fields = newFields(task);
      const seen: Task = {
        ...{ ...fields, id: task.id?.toLowerCase() ?? newId(), completedAt: fields.completed ? at : null },
        ...{ createdAt: at, updatedAt: at, deletedAt: null, revision: 0 },
      };
      const stored = add({ id: seen.id, kind: "create", fields, base: {}, seen });
      return changeOf(seen, stored, () => remove(seen.id)?.stored);
    },

    /**
     * Changes some fields. Undefined if there is no such task.
     * @param madeOn the fields as the person saw them when they began to edit: a field that has changed since is a conflict
     * @throws {InvalidTask}
     */
    edit: (id: string, changes: TaskChanges, madeOn?: Partial<Fields>): Change | undefined => edit(id, changes, madeOn),

    /** Moves a task to the trash. Undefined if there is no such task. */
    remove,

    /** Takes a task out of the trash; `task` is as the trash shows it. */
    restore: (task: Task): Change => restore(task),

    /**
     * Settles a conflict: our values are set again, for all or some fields, or are dropped.
     * @returns false if it has changed meanwhile: then nothing is done, and the person has to look again
     */
    async settle(id: string, keepMine: readonly Field[] | boolean): Promise<boolean> {
      const [conflict, theirs] = [data.conflicts.get(id), data.tasks.get(id)];
      if (!conflict) return false;
      const isSettled = await commit((draft) => settle(draft, { conflict, theirs }, keepMine));
      sendSoon();
      return isSettled;
    },

    /** The server's task, without what waits. */
    theirs: (id: string): Task | undefined => data.tasks.get(id),

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
      await turn.catch(() => {});
      await storage.clear();
      channel.post({ type: "wiped" });
      await end(true);
    },

    /** Whether another tab has wiped the copy. */
    isWiped: (): boolean => isWiped,
  };

  function edit(id: string, changes: TaskChanges, madeOn?: Partial<Fields>): Change | undefined {
    const seen = seenTask(id);
    if (!seen) return undefined;
    const at = new Date(clock.now()).toISOString();
    const entry = withoutSame(editOf({ ...seen, updatedAt: at }, normalize(changes), madeOn ?? seen));
    if (!entry) return changeOf(seen, Promise.resolve(), () => undefined);
    return changeOf(seen, add(entry), () => edit(id, entry.base, entry.fields)?.stored);
  }

  function remove(id: string): Change | undefined {
    const seen = seenTask(id);
    if (!seen) return undefined;
    const unsent = unsentOf(id);
    const conflict = data.conflicts.get(id);
    const { remains, stored } = addEntry({ id, kind: "delete", fields: {}, base: fieldsOf(seen), seen });
    const undo = async () => {
      // A task that was deleted before the server had it is created again.
      const undone = (await remains) || seen.revision > 0 ? restore(seen, unsent).stored : recreate(seen);
      // What was in conflict before is so again.
      if (conflict?.kind === "fields") await edit(id, conflict.fields, conflict.base)?.stored;
      await undone;
    };
    return changeOf(seen, stored, undo);
  }

  /** A task as it is shown, without what only the view knows. */
  function seenTask(id: string): Task | undefined {
    const { isWaiting: _, ...seen } = view.get(id) ?? { isWaiting: false };
    return "id" in seen ? seen : undefined;
  }

  /** Creates a task again that was deleted before the server had it. */
  function recreate(seen: Task): Promise<void> {
    return add({ id: seen.id, kind: "create", fields: fieldsOf(seen), base: {}, seen: { ...seen, revision: 0 } });
  }

  /** The edits of a task that wait: its deletion replaces them, and the undo of that brings them back. */
  function unsentOf(id: string): Pick<NewEntry, "fields" | "base"> {
    const draft = createDraft(data);
    for (const entry of unstored) change(draft, entry);
    const edits = draft.entriesOf(id).filter(({ kind }) => kind === "edit" || kind === "restore");
    return edits.reduce<Pick<NewEntry, "fields" | "base">>(
      (all, { fields, base }) => ({ fields: { ...all.fields, ...fields }, base: { ...base, ...all.base } }),
      { fields: {}, base: {} },
    );
  }

  function restore(task: Task, unsent: Pick<NewEntry, "fields" | "base"> = { fields: {}, base: {} }): Change {
    const seen = { ...task, deletedAt: null };
    const stored = add({ id: task.id, kind: "restore", ...unsent, seen });
    return changeOf(seen, stored, () => remove(task.id)?.stored);
  }

  function changeOf(seen: Task, stored: Promise<void>, undo: () => Promise<void> | undefined): Change {
    const task = view.get(seen.id) ?? { ...seen, isWaiting: true };
    return { task, stored, undo: () => (isClosed ? undefined : undo()) };
  }

  function add(entry: NewEntry): Promise<void> {
    return addEntry(entry).stored;
  }

  /** Shows a change at once, and stores it. `remains`: whether changes of the task wait then, since some undo each other. */
  function addEntry(entry: NewEntry): { remains: Promise<boolean>; stored: Promise<void> } {
    const remains = isClosed ? Promise.reject<boolean>(new Error("The copy is closed.")) : enter(entry);
    return { remains, stored: remains.then(untilStored) };
  }

  function enter(entry: NewEntry): Promise<boolean> {
    unstored.push(entry);
    show([entry.id]);
    announce();
    return commit((draft) => draft.entriesOf(entry.id).length > 0);
  }

  async function untilStored(): Promise<void> {
    sendSoon();
    if (unsaved) await new Promise<void>((resolve) => whenSaved.push(resolve));
  }

  function sendSoon(): void {
    sync.nudge();
    channel.post({ type: "sync" });
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
      const entries = [...unstored];
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
      unstored = unstored.slice(entries.length);
      carried = undefined;
      if (next) take(next);
      if (next && !unsaved) channel.post({ type: "commit", version: next.meta.version, changes: next });
      return result;
    }
  }

  /**
   * Stores a commit, with all that could not be stored before. A device that stores nothing is no reason to stop: the copy
   * in memory goes on, and `isStored` tells of it.
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

  /** Tries again to store what the device could not, so that other tabs have it as well. */
  async function storeAgain(): Promise<void> {
    if (unsaved) await commit((draft) => draft.setMeta({}));
  }

  async function open(): Promise<void> {
    try {
      replaceData(await storage.load());
    } catch {
      unsaved = { ...changesOf(data), entries: [] };
    }
    data.meta = { ...data.meta, isWiped: undefined };
  }

  /**
   * Reads what other tabs have stored. Changes of this tab that could not be stored are made again on it.
   * @returns false if nothing can be read
   */
  async function reload(): Promise<boolean> {
    const before = data.meta.version;
    const stored = await storage.load().catch(() => undefined);
    if (!stored) return false;
    if (stored.meta.isWiped) await end(true);
    // Commits of other tabs were taken meanwhile.
    const isNewer = !unsaved && data.meta.version > Math.max(before, stored.meta.version);
    if (!isWiped && !isNewer) takeStored(stored, before);
    return true;
  }

  function takeStored(stored: Data, before: number): void {
    if (!unsaved && stored.meta.version < before) {
      // The browser has deleted the storage: the copy in memory is stored anew.
      storedVersion = stored.meta.version;
      unsaved = { ...changesOf(data), entries: [] };
      return;
    }
    const kept = unsaved;
    const waiting = new Set([...data.outbox.values()].map(({ id }) => id));
    const again = kept?.entries.filter(({ id }) => waiting.has(id)) ?? [];
    unsaved = undefined;
    replaceData(stored);
    unstored = [...again, ...unstored];
    carried = kept ?? carried;
    show([...view.ids(), ...data.tasks.keys(), ...unstored.map(({ id }) => id)]);
    announce();
  }

  function replaceData(stored: Data): void {
    data = stored;
    storedVersion = stored.meta.version;
    show([...view.ids(), ...data.tasks.keys(), ...[...data.outbox.values()].map(({ id }) => id)]);
  }

  /** A commit of another tab. One that does not follow ours shows that some were missed. */
  function takeCommit(version: number, changes: Changes): void {
    if (unsaved || version > data.meta.version + 1) {
      reloadInTurn();
    } else if (version === data.meta.version + 1) {
      take(changes);
      storedVersion = version;
    }
  }

  function takeStatus(version: number, changed: SyncStatus): void {
    setStatus(changed);
    if (version > data.meta.version) reloadInTurn();
  }

  function reloadInTurn(): void {
    turn = turn.catch(() => {}).then(reload);
    // Stores what the reload left to be made again.
    commit(() => {}).catch(() => {});
  }

  function take(changes: Changes): void {
    const ids = new Set([...changes.tasks, ...changes.conflicts].map(([id]) => id));
    for (const [seq, entry] of changes.outbox) ids.add(entry?.id ?? data.outbox.get(seq)?.id ?? "");
    applyChanges(data, changes);
    show(ids);
    announce();
  }

  /** Shows tasks as they are now, with what is not stored yet. */
  function show(ids: Iterable<string>): void {
    const draft = createDraft(data);
    for (const entry of unstored) change(draft, entry);
    const waiting = new Map<string, Entry[]>();
    for (const entry of draft.entries()) waiting.set(entry.id, [...(waiting.get(entry.id) ?? []), entry]);
    for (const id of ids) {
      const entries = waiting.get(id) ?? [];
      const task = showTask(draft.tasks.get(id), entries);
      view.set(id, task, entries.at(-1)?.seq ?? 0);
    }
  }

  function report(changed: SyncStatus): void {
    setStatus(changed);
    channel.post({ type: "status", version: storedVersion, status: changed });
  }

  function setStatus(changed: SyncStatus): void {
    status = changed;
    announce();
  }

  function announce(): void {
    for (const listener of [...listeners]) listener();
  }

  async function end(wiped: boolean): Promise<void> {
    isClosed = true;
    isWiped ||= wiped;
    sync.end();
    if (!wiped) await turn.catch(() => {});
    channel.close();
    storage.close();
    announce();
  }
}

/** Adds conflicts and refusals that only this tab knows. */
function carry(draft: Draft, { conflicts, refusals }: Pick<Changes, "conflicts" | "refusals">): void {
  for (const [id, conflict] of conflicts) if (conflict && !draft.conflicts.get(id)) draft.conflicts.set(id, conflict);
  for (const [, refusal] of refusals) {
    const key = `${refusal?.key} ${refusal?.id}`;
    if (refusal) draft.refusals.set(key, { ...refusal, key });
  }
}
