/** What was just done, and how to take it back: for ten seconds by a button, and later by Ctrl+Z. */
import { signal } from "@preact/signals";

/** `undo` takes it back; `action` is what its button says. */
export type Notice = {
  id: number;
  text: string;
  undo?: (() => void) | undefined;
  action: string;
  isBad: boolean;
};

/** How something is taken back. Undefined if there is nothing left to take back. */
type Step = () => unknown;

const SECONDS = 10;
const MAX_STEPS = 100;

export const notices = signal<Notice[]>([]);
const steps: Step[] = [];
let last = 0;

/** Says what was done. Returns what its button does. */
export function say(text: string, undo?: Step, { isBad = false, action = "Undo" } = {}): (() => void) | undefined {
  last += 1;
  const id = last;
  const step = undo && (() => undo());
  if (step) steps.push(step);
  if (steps.length > MAX_STEPS) steps.shift();
  const run = step && (() => takeBack(step));
  notices.value = [...notices.value.slice(-2), { id, text, undo: run, action, isBad }];
  setTimeout(() => dismiss(id), SECONDS * 1000);
  return run;
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

function takeBack(step: Step): void {
  const at = steps.lastIndexOf(step);
  if (at === -1) return;
  steps.splice(at, 1);
  notices.value = [];
  if (step() === undefined) say("This has changed meanwhile, and stays.", undefined, { isBad: true });
  else if (notices.value.length === 0) say("Undone.");
}
