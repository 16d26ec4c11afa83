/** Joins consecutive changes of one task that wait, so that each task has at most one unsent change. */
import type { Task } from "../types.ts";
import { addConflict } from "./conflicts.ts";
import type { Draft } from "./draft.ts";
import { isSame, namesOf, part, pick, withFields, without } from "./fields.ts";
import type { Entry, Field, Fields, NewEntry } from "./model.ts";

/** Adds a change behind those that wait. */
export function addEntry(draft: Draft, entry: NewEntry): void {
  const last = draft.entriesOf(entry.id).at(-1);
  if (!last || draft.isSent(last)) draft.add(entry);
  else replace(draft, last, join(draft, last, entry));
}

/** Joins the unsent changes of a task, after one that was sent has come back undone. */
export function joinUnsent(draft: Draft, id: string): void {
  const [first, ...others] = draft.entriesOf(id).filter((entry) => !draft.isSent(entry));
  if (!first) return;
  let joined: NewEntry | undefined = first;
  for (const entry of others) {
    draft.outbox.set(entry.seq, undefined);
    joined = joined ? join(draft, joined, entry) : entry;
  }
  replace(draft, first, joined);
}

function replace(draft: Draft, { seq }: Entry, entry: NewEntry | undefined): void {
  draft.outbox.set(seq, entry && { ...entry, seq });
}

/** Two changes as one. An edit that was not made on what waits, such as one from an old editor, is in conflict with it. */
function join(draft: Draft, first: NewEntry, then: NewEntry): NewEntry | undefined {
  const isClash = (name: Field) =>
    name in first.fields &&
    ![then.base[name], then.fields[name]].some((value) => isSame(name, first.fields[name], value));
  const clashes = then.kind === "edit" && first.kind !== "delete" ? namesOf(then.fields).filter(isClash) : [];
  if (clashes.length === 0) return combine(first, then);
  addConflict(draft, { ...part(then, clashes), mine: taskWith(then), kind: "fields" });
  return combine(first, part(then, without(then.fields, pick(then.fields, clashes))));
}

/** Two changes as one; undefined if they undo each other. */
export function combine(first: NewEntry, then: NewEntry): NewEntry | undefined {
  const fields = { ...first.fields, ...then.fields };
  const base = { ...then.base, ...first.base };
  switch (`${first.kind} ${then.kind}` as const) {
    case "edit edit":
      return withoutSame({ ...first, fields, base });
    case "create edit":
    case "create restore":
      return { ...first, fields };
    case "restore edit":
    case "restore restore":
      return { ...first, fields, base };
    case "edit restore":
    case "edit delete":
    case "delete delete":
      return { ...then, fields, base };
    case "delete edit":
      // Two tabs at once: the edit stays, with those that the deletion replaced.
      return withoutSame({ ...then, fields, base: { ...then.base, ...pick(first.base, namesOf(first.fields)) } });
    case "create delete":
    case "restore delete":
      return undefined;
    case "delete restore":
      return withoutSame({
        ...first,
        kind: "edit",
        fields,
        base: pick({ ...first.base, ...then.base, ...pick(first.base, namesOf(first.fields)) }, namesOf(fields)),
      });
    default:
      return then;
  }
}

/** An edit without the fields that it leaves as they were. */
export function withoutSame(edit: NewEntry): NewEntry | undefined {
  const names = namesOf(edit.fields).filter((name) => !isSame(name, edit.fields[name], edit.base[name]));
  return names.length === 0 ? undefined : part(edit, names);
}

/**
 * An edit of a task as it is seen.
 * @param madeOn what the person saw when they began, if it may have changed since
 */
export function editOf(seen: Task, fields: Partial<Fields>, madeOn: Partial<Fields> = seen): NewEntry {
  return { id: seen.id, kind: "edit", fields, base: pick(madeOn, namesOf(fields)), seen };
}

/** The task as a change would have it. */
export function taskWith({ kind, seen, fields }: NewEntry): Task {
  return kind === "delete" ? seen : withFields({ ...seen, deletedAt: null }, fields);
}
