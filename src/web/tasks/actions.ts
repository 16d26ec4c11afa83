/** What a person does with tasks. Each action is shown at once, and says how to take it back. */

import type { NewTask, Task, TaskChanges } from "../../client/index.ts";
import { type Change, InvalidTask, type ShownTask } from "../../client/replica/index.ts";
import { say } from "../shell/undo.ts";
import { tasks } from "./store.ts";
import { lines, VIEWS } from "./views.ts";

/** Of a title in a sentence. */
const NAME_CHARACTERS = 40;

/** Adds tasks. Returns what is wrong with them, or undefined. */
export function add(all: readonly NewTask[]): string | undefined {
  const replica = tasks.value;
  if (!replica) return "The tasks are still being opened. Try again.";
  const changes: Change[] = [];
  try {
    for (const task of all) changes.push(replica.create(task));
  } catch (error) {
    for (const change of changes) void change.undo();
    const line = all.length === 1 ? "" : `Line ${changes.length + 1}: `;
    return line + wordsOf(error);
  }
  say(addedWords(changes), () => undoAll(changes));
  return undefined;
}

/** Where the tasks are, if they are not in the list that is shown. */
function addedWords(changes: readonly Change[]): string {
  const shown = new Set(lines.value.map((line) => (line.kind === "task" ? line.task.id : "")));
  const where = changes.some(({ task }) => !shown.has(task.id)) ? ` to ${VIEWS.all}` : "";
  return `Added ${changes.length === 1 ? nameOf(changes[0]?.task) : `${changes.length} tasks`}${where}.`;
}

function nameOf(task: Pick<Task, "title"> | undefined): string {
  const { title = "" } = task ?? {};
  const letters = [...title];
  return `“${letters.length > NAME_CHARACTERS ? `${letters.slice(0, NAME_CHARACTERS).join("")}…` : title}”`;
}

export function complete(task: ShownTask): void {
  const completed = !task.completed;
  done(`${completed ? "Completed" : "Open again:"} ${nameOf(task)}.`, tasks.value?.edit(task.id, { completed }));
}

/**
 * Changes fields. Returns what is wrong with them, or undefined.
 * @param opened the task as it was when the person began to edit it
 */
export function edit(opened: Task, changes: TaskChanges): string | undefined {
  try {
    const change = tasks.value?.edit(opened.id, changes, opened);
    if (!change) return "It was deleted elsewhere meanwhile.";
    if (Object.keys(changes).length > 0) done(`Changed ${nameOf(change.task)}.`, change);
    return undefined;
  } catch (error) {
    return wordsOf(error);
  }
}

export function remove(task: ShownTask): void {
  done(`Moved ${nameOf(task)} to the trash.`, tasks.value?.remove(task.id));
}

export function restore(task: Task): void {
  done(`Restored ${nameOf(task)}.`, tasks.value?.restore(task));
}

function done(text: string, change: Change | undefined): void {
  if (change) say(text, () => change.undo());
}

/** Undefined if none of them can be undone any more. */
function undoAll(changes: readonly Change[]): unknown {
  return changes.toReversed().reduce<unknown>((done, change) => change.undo() ?? done, undefined);
}

const NAMES: Record<string, string> = {
  title: "The title",
  description: "The description",
  due: "The date",
  tags: "A tag",
};

function wordsOf(error: unknown): string {
  if (!(error instanceof InvalidTask)) throw error;
  return error.errors.map(({ path, message }) => `${NAMES[path] ?? path} ${message}.`).join(" ");
}
