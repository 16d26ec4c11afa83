/** A change of the replica's data before it is committed: reads see it, and the data stays as it is. */
import type { Task } from "../types.ts";
import { withFields } from "./fields.ts";
import type { Changes, Data, Entry, Meta } from "./model.ts";

export type Draft = ReturnType<typeof createDraft>;

export function createDraft(data: Data) {
  const tasks = overlay(data.tasks);
  const outbox = overlay(data.outbox);
  const conflicts = overlay(data.conflicts);
  const refusals = overlay(data.refusals);
  let meta = data.meta;

  const draft = {
    tasks,
    conflicts,
    refusals,
    outbox,
    get meta(): Meta {
      return meta;
    },
    setMeta(changed: Partial<Meta>): void {
      meta = { ...meta, ...changed };
    },
    /** The changes of one task that wait, in order. */
    entriesOf: (id: string): Entry[] => inOrder([...outbox.values()].filter((entry) => entry.id === id)),
    entries: (): Entry[] => inOrder([...outbox.values()]),
    /** A task with what waits. */
    shown: (id: string): Task | undefined => showTask(tasks.get(id), draft.entriesOf(id)),
    isSent: ({ seq }: Entry): boolean => meta.batch?.seqs.includes(seq) === true,
    add(entry: Omit<Entry, "seq">): void {
      outbox.set(meta.nextSeq, { ...entry, seq: meta.nextSeq });
      draft.setMeta({ nextSeq: meta.nextSeq + 1 });
    },
    /** The commit, if anything changed. */
    changes(): Changes | undefined {
      const changes = {
        tasks: tasks.changes(),
        outbox: outbox.changes(),
        conflicts: conflicts.changes(),
        refusals: refusals.changes(),
        meta,
      };
      const isChanged = meta !== data.meta || [tasks, outbox, conflicts, refusals].some((table) => table.isChanged());
      return isChanged ? changes : undefined;
    },
  };
  return draft;
}

/** A task as the person sees it: the server's, with the changes that wait. */
export function showTask(base: Task | undefined, entries: readonly Entry[]): Task | undefined {
  return entries.reduce((task, { kind, fields, seen }) => {
    if (kind === "delete") return undefined;
    if (kind === "edit") return task && withFields(task, fields, seen.updatedAt);
    if (kind === "create" && task) return task;
    return withFields(task ?? { ...seen, deletedAt: null }, fields);
  }, base);
}

function inOrder(entries: Entry[]): Entry[] {
  return entries.sort((a, b) => a.seq - b.seq);
}

function overlay<Key, Value>(below: ReadonlyMap<Key, Value>) {
  const changed = new Map<Key, Value | undefined>();
  return {
    get: (key: Key): Value | undefined => (changed.has(key) ? changed.get(key) : below.get(key)),
    set(key: Key, value: Value | undefined): void {
      changed.set(key, value);
    },
    *values(): Generator<Value, void, undefined> {
      for (const [key, value] of below) if (!changed.has(key)) yield value;
      for (const value of changed.values()) if (value !== undefined) yield value;
    },
    isChanged: () => changed.size > 0,
    changes: (): [Key, Value | undefined][] => [...changed],
  };
}
