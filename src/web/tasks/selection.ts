/** Which task the keyboard is at, and which one is being edited. */
import { signal } from "@preact/signals";
import { lines } from "./views.ts";

/** The task that the keyboard is at. */
export const selected = signal<string | undefined>();
/** The task whose editor is open. */
export const editing = signal<string | undefined>();

/** Moves the selection by some tasks. Returns false if there is none. */
export function move(by: number): boolean {
  const ids = lines.value.flatMap((line) => (line.kind === "task" ? [line.task.id] : []));
  const at = ids.indexOf(selected.value ?? "");
  const next = ids[at === -1 ? (by > 0 ? 0 : ids.length - 1) : Math.max(0, Math.min(ids.length - 1, at + by))];
  if (next) selected.value = next;
  return next !== undefined;
}
