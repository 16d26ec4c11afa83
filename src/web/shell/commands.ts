/** Everything that can be done by key, stated once: for the keyboard, the command bar and the list of shortcuts. */

import type { ShownTask } from "../../client/replica/index.ts";
import { go, path } from "../router.ts";
import { complete, remove } from "../tasks/actions.ts";
import { exportTasks } from "../tasks/files.ts";
import { editing, move, selected } from "../tasks/selection.ts";
import { tasks } from "../tasks/store.ts";
import { addressOf, show, VIEWS, type ViewName } from "../tasks/views.ts";
import { openDialog } from "./dialog.tsx";
import { undoLast } from "./undo.ts";

export type Command = {
  name: string;
  /** Keys one after the other, such as `g t`; of several, any. */
  keys: readonly string[];
  /** Whether its keys work only while the focus is on a task, or on nothing. */
  isOfTask?: boolean;
  /** Returns false if there is nothing to do here. */
  run: () => unknown;
};

export const COMMANDS: readonly Command[] = [
  { name: "Add a task", keys: ["n"], run: () => onTasks(() => focus("#quick-add")) },
  { name: "Search", keys: ["/"], run: () => onTasks(() => focus("#search")) },
  { name: "Next task", keys: ["j", "ArrowDown"], isOfTask: true, run: () => path.value === "/" && move(1) },
  { name: "Previous task", keys: ["k", "ArrowUp"], isOfTask: true, run: () => path.value === "/" && move(-1) },
  { name: "Complete or reopen the task", keys: ["x"], isOfTask: true, run: () => withSelected(complete) },
  { name: "Edit the task", keys: ["e"], isOfTask: true, run: () => withSelected(({ id }) => openEditor(id)) },
  { name: "Delete the task", keys: ["Delete", "Backspace"], isOfTask: true, run: () => withSelected(remove) },
  { name: "Undo", keys: ["u", "Mod+z"], run: undoLast },
  ...Object.entries(VIEWS).map(([view, name]) => ({
    name: `Go to ${name}`,
    keys: [`g ${name.charAt(0).toLowerCase()}`],
    run: () => go(addressOf(view as ViewName)),
  })),
  { name: "Go to the trash", keys: ["g d"], run: () => go("/trash") },
  { name: "Go to your account", keys: ["g p"], run: () => go("/account") },
  { name: "Clear search and filters", keys: ["g x"], run: () => show({ q: "", tag: "", priority: "", sort: "" }) },
  { name: "Settle conflicts", keys: ["g k"], run: () => openDialog("conflicts") },
  { name: "Import a file", keys: ["g i"], run: () => openDialog("import") },
  { name: "Export as JSON", keys: ["g e"], run: () => void exportTasks("json") },
  { name: "Send and fetch now", keys: ["g s"], run: () => tasks.value?.sync() },
  { name: "Sign out", keys: ["g o"], run: () => openDialog("sign-out") },
  { name: "All commands", keys: ["Mod+k"], run: () => openDialog("commands") },
  { name: "Keyboard shortcuts", keys: ["?"], run: () => openDialog("help") },
];

function onTasks(work: () => void): void {
  if (path.value === "/") {
    work();
  } else {
    go("/");
    requestAnimationFrame(work);
  }
}

function focus(selector: string): void {
  document.querySelector<HTMLElement>(selector)?.focus();
}

function withSelected(work: (task: ShownTask) => void): boolean {
  const task = selected.value && path.value === "/" ? tasks.value?.get(selected.value) : undefined;
  if (task) work(task);
  return task !== undefined;
}

function openEditor(id: string): void {
  editing.value = id;
}
