/** What a person does to tasks, and how each of it is taken back. */
import type { NewTask, Task, TaskChanges } from "../types.ts";
import { editOf, withoutSame } from "./combine.ts";
import type { Copy } from "./copy.ts";
import { fieldsOf, isSame, namesOf, newFields, normalize, part, pick } from "./fields.ts";
import type { Conflict, Entry, Field, Fields, NewEntry } from "./model.ts";
import { settle } from "./rebase.ts";
import type { Surroundings } from "./surroundings.ts";
import type { ShownTask, View } from "./view.ts";

/**
 * A change, and the promise that it is stored on the device. `undo` takes it back by another change, as far as nothing else
 * was changed since. Undefined if nothing is left to take back.
 */
export type Change = { task: ShownTask; stored: Promise<void>; undo: () => Promise<void> | undefined };

type Unsent = Pick<NewEntry, "fields" | "base">;

/** What the undo of a removal has to know: what was not sent of the task, and whether the server has the task. */
type Removal = { unsent: Unsent; isKnown: boolean };

type Parts = Pick<Surroundings, "clock" | "newId"> & {
  copy: Copy;
  view: View;
  isClosed: () => boolean;
  /** Has the leading tab send what waits. */
  sendSoon: () => void;
};

export function createEdits({ copy, view, clock, newId, isClosed, sendSoon }: Parts) {
  const { data, commit } = copy;
  /** What this tab has removed, by task, while the deletion waits. */
  const removals = new Map<string, Removal>();

  return {
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
      return { undo: () => (isClosed() ? undefined : unsettle(conflict, theirs, keepMine)) };
    },

    /** Notes what waits of a task: the undo of a removal has to know. */
    note(id: string, entries: readonly Entry[]): void {
      const [last, removal] = [entries.at(-1), removals.get(id)];
      if (removal && last?.kind === "delete") noteDeletion(removal, last);
      else if (removal?.isKnown) removals.delete(id);
    },
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
    return { task, stored, undo: () => (isClosed() ? undefined : undo()) };
  }

  /** Shows a change at once, and stores it. */
  async function add(entry: NewEntry): Promise<void> {
    if (isClosed()) throw new Error("The copy is closed.");
    await copy.enter(entry);
    sendSoon();
    await copy.untilStored();
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
