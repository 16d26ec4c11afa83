/** Conflicts: what is in one, and what becomes of it when either side moves. */
import type { Task } from "../types.ts";
import type { Draft } from "./draft.ts";
import { FIELDS, isSame, namesOf, part, pick, withFields, without } from "./fields.ts";
import type { Conflict, Field, NewEntry } from "./model.ts";

/** Adds to the conflict of a task. A conflict has one value of ours for a field: the one that was shown. The other is reported. */
export function addConflict(draft: Draft, added: Conflict): void {
  const { id, kind, mine } = added;
  const former = draft.conflicts.get(id);
  if (former) {
    const isOther = (name: Field) => name in added.fields && !isSame(name, former.fields[name], added.fields[name]);
    reportReplaced(draft, former, namesOf(former.fields).filter(isOther));
  }
  const fields = { ...former?.fields, ...added.fields };
  draft.conflicts.set(id, {
    id,
    kind,
    fields,
    base: { ...added.base, ...former?.base },
    mine: withFields(mine, fields),
  });
}

/** The task of a conflict is gone for good: ours is kept for the person to read. */
export function endConflict(draft: Draft, id: string): void {
  const conflict = draft.conflicts.get(id);
  if (!conflict) return;
  reportReplaced(draft, conflict, namesOf(conflict.fields));
  draft.conflicts.set(id, undefined);
}

function reportReplaced(draft: Draft, { id, fields, mine }: Conflict, names: readonly Field[]): void {
  if (names.length === 0) return;
  const key = `${draft.meta.nextSeq}`;
  draft.setMeta({ nextSeq: draft.meta.nextSeq + 1 });
  const told = { status: 409, code: "replaced", errors: [] };
  draft.refusals.set(key, { key, id, kind: "edit", fields: pick(fields, names), task: mine, ...told });
}

/** A conflict after what it is about has changed: it may be settled, or be of another kind. */
export function reviewConflict(draft: Draft, conflict: Conflict, theirs: Task | "deleted"): void {
  const { id, kind, fields } = conflict;
  if (theirs === "deleted") {
    draft.conflicts.set(id, kind === "deleted-here" ? undefined : { ...conflict, kind: "deleted-there" });
    return;
  }
  if (kind === "deleted-here") return;
  const open = namesOf(fields).filter((name) => !isSame(name, theirs[name], fields[name]));
  draft.conflicts.set(id, onlyOf({ ...conflict, kind: "fields" }, open));
}

/**
 * What is left of a conflict after a change of the person.
 * @param shown the task that is shown: only an edit that was made on it settles anything
 */
export function settledBy(conflict: Conflict, entry: NewEntry, shown: Task | undefined): Conflict | undefined {
  if (entry.kind !== "edit" || conflict.kind === "deleted-here") return undefined;
  if (conflict.kind === "deleted-there") return conflict;
  const isOpen = (name: Field) => !(name in entry.fields && isSame(name, shown?.[name], entry.base[name]));
  return onlyOf(conflict, namesOf(conflict.fields).filter(isOpen));
}

/**
 * An edit that was made on our value in a conflict, such as the undo of the edit that is in conflict, changes that value.
 * @returns what else the edit changes
 */
export function changeOurs(draft: Draft, conflict: Conflict, edit: NewEntry): NewEntry | undefined {
  const shown = draft.shown(conflict.id);
  const isOurs = (name: Field) =>
    name in conflict.fields &&
    isSame(name, conflict.fields[name], edit.base[name]) &&
    !isSame(name, shown?.[name], edit.base[name]);
  const ours = namesOf(edit.fields).filter(isOurs);
  if (ours.length === 0) return edit;
  const changed = pick(edit.fields, ours);
  const isDone = (name: Field) =>
    [conflict.base[name], shown?.[name]].some((value) => isSame(name, changed[name], value));
  const [fields, mine] = [{ ...conflict.fields, ...changed }, withFields(conflict.mine, changed)];
  const open = namesOf(fields).filter((name) => !(name in changed && isDone(name)));
  draft.conflicts.set(conflict.id, onlyOf({ ...conflict, fields, mine }, open));
  const others = without(edit.fields, changed);
  return others.length > 0 ? part(edit, others) : undefined;
}

/** A conflict beside the task that is shown, as a person saw both. */
export type SeenConflict = { conflict: Conflict; theirs: Task | undefined };

/** Whether the person saw both sides as they are. */
export function isAsSeen(
  conflict: Conflict,
  shown: Task | undefined,
  { conflict: seen, theirs }: SeenConflict,
): boolean {
  const names = seen.kind === "fields" ? namesOf(seen.fields) : FIELDS;
  return (
    conflict.kind === seen.kind &&
    namesOf(conflict.fields).join() === namesOf(seen.fields).join() &&
    namesOf(seen.fields).every((name) => isSame(name, conflict.fields[name], seen.fields[name])) &&
    (shown === undefined) === (theirs === undefined) &&
    names.every((name) => isSame(name, shown?.[name], theirs?.[name]))
  );
}

function onlyOf(conflict: Conflict, names: readonly Field[]): Conflict | undefined {
  return names.length === 0 ? undefined : part(conflict, names);
}
