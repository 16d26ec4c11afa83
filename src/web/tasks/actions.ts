/** What a person does with tasks. Each action is shown at once, and says how to take it back. */

import type { NewTask, Task, TaskChanges } from "../../client/index.ts";
import { type Change, InvalidTask, type ShownTask } from "../../client/replica/index.ts";
import { say } from "../shell/undo.ts";
import { tasks } from "./store.ts";

/** Adds tasks. Returns what is wrong with them, or undefined. */
export function add(all: readonly NewTask[]): string | undefined {
  const replica = tasks.value;
  if (!replica) return "The tasks are still being opened. Try again.";
  const changes: Change[] = [];
  try {
    for (const task of all) changes.push(replica.create(task));
  } catch (error) {
    for (const change of changes) void change.undo();
    return wordsOf(error);
  }
  say(all.length === 1 ? "Added." : `Added ${all.length} tasks.`, () => undoAll(changes));
  return undefined;
}

export function complete(task: ShownTask): void {
  const completed = !task.completed;
  done(completed ? "Completed." : "Open again.", tasks.value?.edit(task.id, { completed }));
}

/** Changes fields. Returns what is wrong with them, or undefined. */
export function edit(id: string, changes: TaskChanges): string | undefined {
  try {
    done("Changed.", tasks.value?.edit(id, changes));
    return undefined;
  } catch (error) {
    return wordsOf(error);
  }
}

export function remove(task: ShownTask): void {
  done("Moved to the trash.", tasks.value?.remove(task.id));
}

export function restore(task: Task): void {
  done("Restored.", tasks.value?.restore(task));
}

function done(text: string, change: Change | undefined): void {
  if (change) say(text, () => change.undo());
}

function undoAll(changes: readonly Change[]): void {
  for (const change of changes.toReversed()) void change.undo();
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
