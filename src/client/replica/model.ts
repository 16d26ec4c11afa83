/** What a replica holds: the server's tasks, the changes that wait, and what the person has to settle. */
import type { NewTask, Operation, Task } from "../types.ts";

/** The fields that a person can set. */
export type Fields = Required<NewTask>;
export type Field = keyof Fields;

/**
 * A change that the server does not have yet.
 * `create`: `fields` holds all fields. `edit`: the fields that it sets. `restore`: those that it sets afterwards.
 * `delete`: those of an unsent edit that it replaced; they come back when the deletion is undone.
 */
export type Entry = {
  /** Its place in the order of changes. */
  seq: number;
  id: string;
  kind: "create" | "edit" | "delete" | "restore";
  fields: Partial<Fields>;
  /** The values that the change was made on: of the fields that it sets; for a deletion, of all fields. */
  base: Partial<Fields>;
  /** The task as the person saw it. A restored task is shown so until the server's has arrived. */
  seen: Task;
};

/** A change before it has its place. */
export type NewEntry = Omit<Entry, "seq">;

/**
 * A change that meets another on the server. The server's task is shown; the change is kept until the person chooses.
 * `fields`: both sides changed these fields. `deleted-there`: the server's task is deleted. `deleted-here`: this device
 * deleted the task, and the server's has changed.
 */
export type Conflict = {
  id: string;
  kind: "fields" | "deleted-there" | "deleted-here";
  /** Our values. */
  fields: Partial<Fields>;
  /** The values that ours were made on. */
  base: Partial<Fields>;
  /** The task with our values. */
  mine: Task;
};

/** A change that the server refused for good. It is undone here; its values are kept for the person to read. */
export type Refusal = {
  key: string;
  id: string;
  kind: Entry["kind"];
  fields: Partial<Fields>;
  /** The task as the change would have made it. */
  task: Task;
  /** The server's answer: HTTP status, the problem's code, and the invalid fields. */
  status: number;
  code: string;
  errors: { path: string; message: string }[];
};

/** A batch that was sent, and may have been done. It is sent again, word for word, until its answer arrives. */
export type Batch = { key: string; operations: Operation[]; seqs: number[] };

export type Meta = {
  /** Grows with each commit; tabs notice by it what they have missed. 0: nothing was ever stored. */
  version: number;
  nextSeq: number;
  /** The change feed's token. */
  token?: string | undefined;
  /** The token is too old: the next pull replaces the whole copy. */
  startsOver?: boolean | undefined;
  /** Whether all tasks have arrived once. */
  isComplete?: boolean | undefined;
  batch?: Batch | undefined;
  /** The copy was deleted on purpose: a tab that still holds it must not store it again. */
  isWiped?: boolean | undefined;
};

/** A stored table's values by key. */
export type Tables = {
  tasks: Map<string, Task>;
  outbox: Map<number, Entry>;
  conflicts: Map<string, Conflict>;
  refusals: Map<string, Refusal>;
};

export type Data = Tables & { meta: Meta };

/** A commit: the new values by table; undefined deletes. */
export type Changes = {
  [Name in keyof Tables]: Tables[Name] extends Map<infer Key, infer Value> ? [Key, Value | undefined][] : never;
} & { meta: Meta };

export function emptyData(): Data {
  const meta = { version: 0, nextSeq: 1 };
  return { tasks: new Map(), outbox: new Map(), conflicts: new Map(), refusals: new Map(), meta };
}

/** Applies a commit in place. */
export function applyChanges(data: Data, changes: Changes): void {
  put(data.tasks, changes.tasks);
  put(data.outbox, changes.outbox);
  put(data.conflicts, changes.conflicts);
  put(data.refusals, changes.refusals);
  data.meta = changes.meta;
}

/** Two commits as one. */
export function mergeChanges(first: Changes, then: Changes): Changes {
  return {
    tasks: [...new Map([...first.tasks, ...then.tasks])],
    outbox: [...new Map([...first.outbox, ...then.outbox])],
    conflicts: [...new Map([...first.conflicts, ...then.conflicts])],
    refusals: [...new Map([...first.refusals, ...then.refusals])],
    meta: then.meta,
  };
}

/** What is left of a copy that was deleted on purpose. */
export function wipedData({ meta }: Data): Data {
  return { ...emptyData(), meta: { version: meta.version + 1, nextSeq: 1, isWiped: true } };
}

function put<Key, Value>(table: Map<Key, Value>, entries: [Key, Value | undefined][]): void {
  for (const [key, value] of entries) {
    if (value === undefined) table.delete(key);
    else table.set(key, value);
  }
}

/** Everything that there is, as one commit. */
export function changesOf(data: Data): Changes {
  return {
    tasks: [...data.tasks],
    outbox: [...data.outbox],
    conflicts: [...data.conflicts],
    refusals: [...data.refusals],
    meta: data.meta,
  };
}
