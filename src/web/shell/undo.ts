/** What was just done, and how to take it back: for ten seconds by a button, and later by Ctrl+Z. */
import { signal } from "@preact/signals";

export type Notice = { id: number; text: string; undo?: (() => void) | undefined; isBad?: boolean };

const SECONDS = 10;
const MAX_STEPS = 100;

export const notices = signal<Notice[]>([]);
const steps: (() => void)[] = [];
let last = 0;

/** Says what was done. */
export function say(text: string, undo?: () => unknown, { isBad = false } = {}): void {
  last += 1;
  const id = last;
  const step = undo && (() => void undo());
  if (step) steps.push(step);
  if (steps.length > MAX_STEPS) steps.shift();
  const run = step && (() => takeBack(step));
  notices.value = [...notices.value.slice(-2), { id, text, undo: run, isBad }];
  setTimeout(() => dismiss(id), SECONDS * 1000);
}

export function dismiss(id: number): void {
  notices.value = notices.value.filter((notice) => notice.id !== id);
}

/** Takes the last step back. */
export function undoLast(): void {
  const step = steps.at(-1);
  if (step) takeBack(step);
}

/** Nothing of one person may be undone by the next. */
export function forgetSteps(): void {
  steps.length = 0;
  notices.value = [];
}

function takeBack(step: () => void): void {
  const at = steps.lastIndexOf(step);
  if (at === -1) return;
  steps.splice(at, 1);
  notices.value = [];
  step();
  say("Undone.");
}
