/**
 * Puts what the server says under what waits. Different fields merge. Where both sides changed the same, nothing is
 * overwritten: the change becomes a conflict, which the person settles.
 */
import type { Task } from "../types.ts";
import { addEntry, editOf, joinUnsent, taskWith, withoutSame } from "./combine.ts";
import { addConflict, changeOurs, isAsSeen, reviewConflict, type SeenConflict, settledBy } from "./conflicts.ts";
import type { Draft } from "./draft.ts";
import { FIELDS, fieldsOf, isSame, namesOf, part, pick, without } from "./fields.ts";
import type { Conflict, Entry, Field, NewEntry } from "./model.ts";

/** What the server has: the task, or its deletion. */
export type Theirs = Task | "deleted";

/** Takes the server's state of a task, unless a newer one is here. */
export function take(draft: Draft, id: string, theirs: Theirs, revision: number): void {
  const known = draft.tasks.get(id);
  if (known && known.revision > revision) return;
  draft.tasks.set(id, theirs === "deleted" ? undefined : theirs);
  rebase(draft, id, theirs);
}

/** Judges the unsent change and the conflict of a task anew. A change that was sent is judged once it is answered. */
export function rebase(draft: Draft, id: string, theirs: Theirs): void {
  if (draft.entriesOf(id).some((entry) => draft.isSent(entry))) return;
  joinUnsent(draft, id);
  const [entry] = draft.entriesOf(id);
  if (entry) rebaseEntry(draft, entry, theirs);
  const conflict = draft.conflicts.get(id);
  if (conflict) reviewConflict(draft, conflict, theirs === "deleted" ? theirs : (draft.shown(id) ?? theirs));
}

function rebaseEntry(draft: Draft, entry: Entry, theirs: Theirs): void {
  const { kind } = entry;
  if (theirs === "deleted") {
    if (kind === "edit" || kind === "create") collide(draft, entry, "deleted-there");
    // A deletion that both sides made is done.
    if (kind === "delete") keep(draft, entry, undefined);
  } else if (kind === "delete") {
    const isChanged = FIELDS.some((name) => !isSame(name, theirs[name], entry.base[name]));
    if (isChanged) collide(draft, entry, "deleted-here");
  } else {
    // A creation or restoration that took effect: what remains is to set its fields.
    const base = kind === "create" ? fieldsOf(entry.seen) : entry.base;
    mergeEdit(draft, { ...entry, kind: "edit", base }, theirs);
  }
}

/** Keeps the fields that the server left as they were, and drops those on which both agree. The others are in conflict. */
function mergeEdit(draft: Draft, entry: Entry, theirs: Task): void {
  const open = namesOf(entry.fields).filter((name) => !isSame(name, theirs[name], entry.fields[name]));
  const isKept = (name: Field) => isSame(name, theirs[name], entry.base[name]);
  const [kept, lost] = [open.filter(isKept), open.filter((name) => !isKept(name))];
  keep(draft, entry, kept.length > 0 ? part(entry, kept) : undefined);
  if (lost.length > 0) addConflict(draft, { ...part(entry, lost), mine: taskWith(entry), kind: "fields" });
}

function keep(draft: Draft, { seq }: Entry, entry: NewEntry | undefined): void {
  draft.outbox.set(seq, entry && { ...entry, seq });
}

function collide(draft: Draft, entry: Entry, kind: Conflict["kind"]): void {
  keep(draft, entry, undefined);
  addConflict(draft, { ...entry, mine: taskWith(entry), kind });
}

/**
 * Adds a change that the person made while seeing `entry.seen`. What it sets or deletes settles a conflict about it.
 */
export function change(draft: Draft, made: NewEntry): void {
  if (made.kind === "create" && draft.entriesOf(made.id).some(({ kind }) => kind === "delete")) {
    // Another tab has sent the task before it was deleted.
    change(draft, { ...made, kind: "restore", fields: {} });
    return;
  }
  const conflict = draft.conflicts.get(made.id);
  if (conflict?.kind === "deleted-there" && made.kind === "restore") {
    settle(draft, { conflict, theirs: draft.shown(made.id) }, true);
    addEntry(draft, part(made, without(made.fields, conflict.fields)));
    return;
  }
  const entry =
    conflict && conflict.kind !== "deleted-here" && made.kind === "edit" ? changeOurs(draft, conflict, made) : made;
  if (!entry) return;
  const open = draft.conflicts.get(made.id);
  if (open) draft.conflicts.set(entry.id, settledBy(open, entry, draft.shown(entry.id)));
  if (conflict?.kind === "deleted-here" && entry.kind !== "delete") {
    changeAgain(draft, conflict, without(conflict.fields, entry.fields));
    if (entry.kind === "restore") return;
  }
  const hasEntries = draft.entriesOf(entry.id).length > 0;
  const base = draft.tasks.get(entry.id);
  addEntry(draft, entry);
  if (base) rebase(draft, entry.id, base);
  // The task has gone since the person saw it.
  else if (!hasEntries && entry.kind !== "create") rebase(draft, entry.id, "deleted");
}

/** The edit that a deletion replaced waits again. */
function changeAgain(draft: Draft, { id, fields, base, mine }: Conflict, names = namesOf(fields)): void {
  if (names.length > 0) change(draft, { ...part({ fields, base }, names), id, kind: "edit", seen: mine });
}

/**
 * Settles a conflict: our change is made again on what the server has now, or is dropped.
 * @param seen the conflict, and the task that is shown, as the person saw them
 * @param keepMine whether ours is kept; or the fields of which it is
 * @returns false if either has changed since: then the person has to look again
 */
export function settle(draft: Draft, seen: SeenConflict, keepMine: readonly Field[] | boolean): boolean {
  const { id, kind, fields } = seen.conflict;
  const conflict = draft.conflicts.get(id);
  const shown = draft.shown(id);
  if (!conflict || !isAsSeen(conflict, shown, seen)) return false;
  draft.conflicts.set(id, undefined);
  if (keepMine === false) {
    if (kind === "deleted-here") changeAgain(draft, conflict);
  } else if (kind === "deleted-there" || !shown) {
    addEntry(draft, { id, kind: "restore", fields, base: conflict.base, seen: conflict.mine });
  } else if (kind === "deleted-here") {
    addEntry(draft, { id, kind: "delete", fields: {}, base: fieldsOf(shown), seen: shown });
  } else {
    const names = keepMine === true ? namesOf(fields) : namesOf(fields).filter((name) => keepMine.includes(name));
    const edit = withoutSame(editOf(shown, pick(fields, names)));
    if (edit) addEntry(draft, edit);
  }
  return true;
}

/** Undoes the sending of changes: they wait again, joined with those that were made meanwhile. */
export function release(draft: Draft, ids: Iterable<string>): void {
  for (const id of ids) {
    joinUnsent(draft, id);
    const base = draft.tasks.get(id);
    const [entry] = draft.entriesOf(id);
    if (base) rebase(draft, id, base);
    // The feed has told of the deletion while the change was sent.
    else if (entry && needsTask(entry) && !draft.meta.startsOver) rebase(draft, id, "deleted");
  }
}

/** Whether a change is of a task that the server must have. */
export function needsTask({ kind }: NewEntry): boolean {
  return kind === "edit" || kind === "delete";
}
