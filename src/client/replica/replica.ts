/**
 * A copy of one person's tasks that works without a network. Reads come from memory. A change is shown at once, is stored on
 * the device, and is sent when the server can be reached. Nothing is overwritten silently.
 */
import type { NewTask, Task, TaskChanges } from "../types.ts";
import { editOf, withoutSame } from "./combine.ts";
import { createCopy } from "./copy.ts";
import { showTask } from "./draft.ts";
import { fieldsOf, isSame, namesOf, newFields, normalize, part, pick } from "./fields.ts";
import type { Conflict, Entry, Field, Fields, NewEntry, Refusal } from "./model.ts";
import { settle } from "./rebase.ts";
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
 * A change, and the promise that it is stored on the device. `undo` takes it back by another change, as far as nothing else
 * was changed since. Undefined if nothing is left to take back.
 */
export type Change = { task: ShownTask; stored: Promise<void>; undo: () => Promise<void> | undefined };

type Unsent = Pick<NewEntry, "fields" | "base">;

/** What the undo of a removal has to know: what was not sent of the task, and whether the server has the task. */
type Removal = { unsent: Unsent; isKnown: boolean };

export type Replica = Awaited<ReturnType<typeof openReplica>>;

/** Opens the copy, and begins to keep it equal to the server's. */
export async function openReplica(surroundings: Surroundings) {
  const { storage, clock, channel, lock, newId } = surroundings;
  const view = createView();
  const listeners = new Set<() => void>();
  /** What this tab has removed, by task, while the deletion waits. */
  const removals = new Map<string, Removal>();
  let status: SyncStatus = { state: "starting" };
  let isClosed = false;
  let isWiped = false;

  const copy = createCopy({ storage, channel, onChange: show, onWiped: () => end(true) });
  const { data, commit } = copy;
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
     * @returns how to take the choice back; undefined if the conflict has changed meanwhile: then nothing is done, and the
     * person has to look again
     */
    async settle(id: string, keepMine: readonly Field[] | boolean): Promise<Pick<Change, "undo"> | undefined> {
      const [conflict, theirs] = [data().conflicts.get(id), seenTask(id)];
      if (!conflict) return undefined;
      const isSettled = await commit((draft) => settle(draft, { conflict, theirs }, keepMine));
      sendSoon();
      if (!isSettled) return undefined;
      return { undo: () => (isClosed ? undefined : unsettle(conflict, theirs, keepMine)) };
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

  function edit(id: string, changes: TaskChanges, madeOn?: Partial<Fields>): Change | undefined {
    const seen = seenTask(id);
    if (!seen) return undefined;
    const at = new Date(clock.now()).toISOString();
    const entry = withoutSame(editOf({ ...seen, updatedAt: at }, normalize(changes), madeOn ?? seen));
    if (!entry) return changeOf(seen, Promise.resolve(), () => undefined);
    const conflict = copy.seen().conflicts.get(id);
    const undo = () => {
      const undone = takeBack(entry);
      // What the edit settled is in conflict again.
      if (undone && conflict?.kind === "fields") editAgain(id, part(conflict, namesOf(entry.fields)))?.catch(() => {});
      return undone;
    };
    return changeOf(seen, add(entry), undo);
  }

  /** Takes an edit back, as far as nothing else was set since. */
  function takeBack({ id, fields, base }: NewEntry): Promise<void> | undefined {
    const draft = copy.seen();
    const [seen, conflict] = [seenTask(id), draft.conflicts.get(id)];
    const isLast = (name: Field) =>
      [seen, conflict?.fields].some((values) => isSame(name, values?.[name], fields[name]));
    const names = namesOf(fields).filter(isLast);
    const shown = seen ?? conflict?.mine;
    if (names.length === 0 || !shown) return undefined;
    return add({ id, kind: "edit", fields: pick(base, names), base: pick(fields, names), seen: shown });
  }

  function remove(id: string): Change | undefined {
    const seen = seenTask(id);
    if (!seen) return undefined;
    const draft = copy.seen();
    const [conflict, last] = [draft.conflicts.get(id), draft.entriesOf(id).at(-1)];
    const removal = {
      unsent: last && last.kind !== "create" && !draft.isSent(last) ? unsentIn(last) : NOTHING_UNSENT,
      isKnown: seen.revision > 0,
    };
    const stored = add({ id, kind: "delete", fields: {}, base: fieldsOf(seen), seen });
    const after = copy.seen();
    const deletion = after.entriesOf(id).at(-1);
    const isWaiting = deletion?.kind === "delete" && !after.isSent(deletion);
    if (isWaiting) noteDeletion(removal, deletion);
    // The creation may be sent before the removal is stored: then there is a deletion after all.
    if (isWaiting || !removal.isKnown) removals.set(id, removal);
    const undo = () => {
      const isBack = view.get(id) && copy.seen().conflicts.get(id)?.kind !== "deleted-here";
      const undone = isBack ? editAgain(id, removal.unsent) : bringBack(seen, removal);
      // What was in conflict before is so again, or waits again.
      if (conflict) editAgain(id, conflict)?.catch(() => {});
      return undone;
    };
    return changeOf(seen, stored, undo);
  }

  /** Takes a removal back. A task that was deleted before the server had it is created again. */
  function bringBack(seen: Task, { isKnown, unsent }: Removal): Promise<void> {
    if (isKnown) return restore(seen, unsent).stored;
    return add({ id: seen.id, kind: "create", fields: fieldsOf(seen), base: {}, seen: { ...seen, revision: 0 } });
  }

  function editAgain(id: string, { fields, base }: Unsent): Promise<void> | undefined {
    return edit(id, fields, base)?.stored;
  }

  /** What was kept of ours goes, and all is in conflict again. */
  function unsettle(
    { id, kind, fields, base, mine }: Conflict,
    theirs: Task | undefined,
    keepMine: readonly Field[] | boolean,
  ): Promise<void> | undefined {
    const isKept = (name: Field) => (typeof keepMine === "boolean" ? keepMine : keepMine.includes(name));
    if (kind === "fields" && theirs) {
      const kept = namesOf(fields).filter(isKept);
      const back = takeBack({ ...part({ fields, base: fieldsOf(theirs) }, kept), id, kind: "edit", seen: mine });
      return editAgain(id, { fields, base }) ?? back;
    }
    if (keepMine === false)
      return add({ id, kind: kind === "deleted-here" ? "delete" : "edit", fields, base, seen: mine });
    if (kind === "deleted-here" && theirs) {
      const back = restore(theirs).stored;
      return editAgain(id, { fields, base }) ?? back;
    }
    return unrestore({ id, kind, fields, base, mine });
  }

  /** Takes a restoration back. A conflict that it has settled is there again, unless the restoration was sent. */
  function unrestore({ id, kind, fields, base, mine }: Conflict): Promise<void> | undefined {
    const removed = remove(id)?.stored;
    const draft = copy.seen();
    if (kind !== "deleted-there" || draft.tasks.get(id) || draft.entriesOf(id).length > 0) return removed;
    return add({ id, kind: "edit", fields, base, seen: mine });
  }

  /** A task as it is shown, without what only the view knows. */
  function seenTask(id: string): Task | undefined {
    const { isWaiting: _, ...seen } = view.get(id) ?? { isWaiting: false };
    return "id" in seen ? seen : undefined;
  }

  function restore(task: Task, unsent: Unsent = NOTHING_UNSENT): Change {
    const seen = { ...task, deletedAt: null };
    const conflict = copy.seen().conflicts.get(task.id);
    const stored = add({ id: task.id, kind: "restore", ...unsent, seen });
    return changeOf(seen, stored, () => (conflict ? unrestore(conflict) : remove(task.id)?.stored));
  }

  function changeOf(seen: Task, stored: Promise<void>, undo: () => Promise<void> | undefined): Change {
    const task = view.get(seen.id) ?? { ...seen, isWaiting: true };
    return { task, stored, undo: () => (isClosed ? undefined : undo()) };
  }

  /** Shows a change at once, and stores it. */
  async function add(entry: NewEntry): Promise<void> {
    if (isClosed) throw new Error("The copy is closed.");
    await copy.enter(entry);
    sendSoon();
    await copy.untilStored();
  }

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
      const [last, removal] = [entries.at(-1), removals.get(id)];
      if (removal && last?.kind === "delete") noteDeletion(removal, last);
      else if (removal?.isKnown) removals.delete(id);
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

/** A deletion that waits holds what was not sent, and the server will have the task. */
function noteDeletion(removal: Removal, deletion: Entry): void {
  removal.unsent = unsentIn(deletion);
  removal.isKnown = true;
}

const NOTHING_UNSENT: Unsent = { fields: {}, base: {} };

function unsentIn({ fields, base }: Unsent): Unsent {
  return { fields, base: pick(base, namesOf(fields)) };
}
