/** Batches: what is sent next, and what an answer means. */
import type { Operation, OperationResult } from "../types.ts";
import { combine, taskWith } from "./combine.ts";
import { endConflict } from "./conflicts.ts";
import type { Draft } from "./draft.ts";
import { fieldsOf, namesOf, pick } from "./fields.ts";
import type { Batch, Entry, NewEntry } from "./model.ts";
import { rebase, release, take } from "./rebase.ts";

/** The server takes 100 operations and 64 KiB. */
export const MAX_OPERATIONS = 100;
const MAX_BYTES = 60_000;

/** What an answer leaves to do: changes that have to wait, and whether something was refused because it was stale. */
export type Outcome = { held: string[]; isStale: boolean };

/**
 * Puts the next changes into a batch, at most one of each task, in order.
 * @param isHeld tells which tasks have to wait
 * @returns undefined if nothing can be sent
 */
export function prepareBatch(
  draft: Draft,
  key: string,
  max: number,
  isHeld: (id: string) => boolean,
): Batch | undefined {
  const [operations, seqs, ids]: [Operation[], number[], Set<string>] = [[], [], new Set()];
  let bytes = 0;
  for (const entry of draft.entries()) {
    const operation = ids.has(entry.id) || isHeld(entry.id) ? undefined : operationOf(draft, entry);
    ids.add(entry.id);
    if (!operation) continue;
    // A UTF-16 unit takes at most 3 bytes.
    bytes += 3 * JSON.stringify(operation).length;
    if (operations.length > 0 && (operations.length === max || bytes > MAX_BYTES)) break;
    operations.push(operation);
    seqs.push(entry.seq);
  }
  if (operations.length === 0) return undefined;
  const batch = { key, operations, seqs };
  draft.setMeta({ batch });
  return batch;
}

/** What an entry asks of the server: only what it has seen may be changed. Undefined while the server's task is unknown. */
function operationOf(draft: Draft, { id, kind, fields }: Entry): Operation | undefined {
  if (kind === "create") return { op: "create", id, task: { title: "", ...fields } };
  if (kind === "restore") return { op: "restore", id };
  const base = draft.tasks.get(id);
  if (!base) return undefined;
  const ifMatch = `"${base.revision}"`;
  return kind === "delete" ? { op: "delete", id, ifMatch } : { op: "patch", id, ifMatch, task: fields };
}

/** Applies the answer to a batch, if it is the one that was sent last. */
export function applyAnswer(
  draft: Draft,
  key: string,
  results: readonly OperationResult[],
  newId: () => string,
): Outcome | undefined {
  const { batch } = draft.meta;
  if (batch?.key !== key) return undefined;
  draft.setMeta({ batch: undefined });
  const outcome: Outcome = { held: [], isStale: false };
  const released: string[] = [];
  for (const [index, seq] of batch.seqs.entries()) {
    const [entry, result] = [draft.outbox.get(seq), results[index]];
    if (!entry || !result) continue;
    applyResult(draft, entry, withKnown(draft, entry, result, batch.operations[index]), outcome, newId);
    released.push(entry.id);
  }
  release(draft, released);
  return outcome;
}

/** Puts all of a batch back among the changes that wait. */
export function takeBack(draft: Draft): void {
  const ids = draft
    .entries()
    .filter((entry) => draft.isSent(entry))
    .map(({ id }) => id);
  draft.setMeta({ batch: undefined });
  release(draft, ids);
}

function applyResult(draft: Draft, entry: Entry, result: OperationResult, outcome: Outcome, newId: () => string): void {
  const { id } = entry;
  switch (result.status) {
    case 200:
    case 201:
    case 204:
      done(draft, entry, result);
      break;
    case 409:
      // An earlier sending of this creation took effect, and the task was changed or deleted since.
      draft.outbox.set(entry.seq, { ...entry, kind: "edit", base: fieldsOf(entry.seen) });
      if (!draft.tasks.get(id)) draft.setMeta({ token: undefined, startsOver: true });
      break;
    case 412:
      outcome.isStale = true;
      break;
    case 404:
      absent(draft, entry, newId);
      break;
    case 429:
      outcome.held.push(id);
      break;
    default:
      refuse(draft, entry, result);
  }
}

/**
 * An answer may come late, after the feed has told what happened since. A task that is newer here than the operation's
 * condition was neither absent nor is deleted.
 */
function withKnown(
  draft: Draft,
  { id }: Entry,
  result: OperationResult,
  operation: Operation | undefined,
): OperationResult {
  const sent = operation && "ifMatch" in operation ? Number(operation.ifMatch?.slice(1, -1)) : 0;
  const known = draft.tasks.get(id);
  if (!known || known.revision <= sent) return result;
  if (result.status === 404) return { ...result, status: 412 };
  return result.task === null && result.status < 300 ? { ...result, task: known } : result;
}

function done(draft: Draft, entry: Entry, { task }: OperationResult): void {
  const { id, seq, kind, fields } = entry;
  draft.outbox.set(seq, undefined);
  if (!task) {
    draft.tasks.set(id, undefined);
    rebase(draft, id, "deleted");
    return;
  }
  // A restored task still has to get the fields that were changed before it was deleted.
  if (kind === "restore" && namesOf(fields).length > 0) draft.outbox.set(seq, { ...entry, kind: "edit" });
  take(draft, id, task.deletedAt === null ? task : "deleted", task.revision);
}

/** The server has no such task: it was deleted there, and can be restored for a time only. */
function absent(draft: Draft, entry: Entry, newId: () => string): void {
  const { id } = entry;
  draft.tasks.set(id, undefined);
  if (entry.kind === "restore") {
    const joined = removeAll(draft, id);
    if (joined) create(draft, newId(), joined);
    endConflict(draft, id);
    return;
  }
  if (entry.kind === "delete") draft.outbox.set(entry.seq, undefined);
  rebase(draft, id, "deleted");
}

/** Creates a task that cannot be restored any more. */
function create(draft: Draft, id: string, restoration: NewEntry): void {
  const seen = { ...taskWith(restoration), id, revision: 0 };
  draft.add({ id, kind: "create", fields: fieldsOf(seen), base: {}, seen });
}

/** Takes a change out for good, and keeps its values for the person to read. Changes that were made on it go as well. */
function refuse(draft: Draft, entry: Entry, { status, code, errors = [] }: OperationResult): void {
  const { id, seq, kind } = entry;
  const isOfTask = kind === "create" || kind === "restore";
  const refused = isOfTask ? removeAll(draft, id) : entry;
  draft.outbox.set(seq, undefined);
  for (const later of draft.entriesOf(id)) {
    // It was made on values that the server never had.
    draft.outbox.set(later.seq, { ...later, base: { ...later.base, ...pick(entry.base, namesOf(later.base)) } });
  }
  if (isOfTask && !draft.tasks.get(id)) endConflict(draft, id);
  if (!refused) return;
  const { fields } = refused;
  draft.refusals.set(`${seq}`, {
    key: `${seq}`,
    id,
    kind,
    fields,
    task: taskWith(refused),
    status,
    code: code ?? "",
    errors,
  });
}

/** Takes all changes of a task out, and returns them as one. */
function removeAll(draft: Draft, id: string): NewEntry | undefined {
  const [first, ...others] = draft.entriesOf(id);
  for (const { seq } of [...(first ? [first] : []), ...others]) draft.outbox.set(seq, undefined);
  return others.reduce<NewEntry | undefined>((joined, next) => (joined ? combine(joined, next) : next), first);
}
