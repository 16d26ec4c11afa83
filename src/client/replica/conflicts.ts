/** Conflicts: what is in one, and what becomes of it when either side moves. */
import type { Task } from "../types.ts";
import type { Draft } from "./draft.ts";
import { FIELDS, isSame, namesOf, part, pick, withFields, without } from "./fields.ts";
import type { Conflict, Field, NewEntry } from "./model.ts";

/** Adds to the conflict of a task. A value that is in conflict already was set later than what still waited. */
export function addConflict(draft: Draft, { id, kind, mine, ...added }: Conflict): void {
  const former = draft.conflicts.get(id);
  const [fields, base] = [
    { ...added.fields, ...former?.fields },
    { ...added.base, ...former?.base },
  ];
  draft.conflicts.set(id, { id, kind, fields, base, mine: withFields(mine, fields) });
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

/** What is left of a conflict after a change of the person. */
export function settledBy(conflict: Conflict, { kind, fields }: NewEntry): Conflict | undefined {
  if (kind === "edit" && conflict.kind === "deleted-there") {
    const changed = pick(
      fields,
      namesOf(fields).filter((name) => name in conflict.fields),
    );
    return { ...conflict, fields: { ...conflict.fields, ...changed }, mine: withFields(conflict.mine, changed) };
  }
  if (kind !== "edit" || conflict.kind !== "fields") return undefined;
  return onlyOf(conflict, without(conflict.fields, fields));
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
