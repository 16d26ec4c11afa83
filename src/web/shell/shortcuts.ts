/** Runs commands by key. Keys that are typed into a field stay the field's, but for those with Ctrl or Cmd. */
import { COMMANDS } from "./commands.ts";
import { isDialogShown } from "./dialog.tsx";

const CHORD_MS = 1500;

let first = "";
let firstAt = 0;

export function watchKeys(isActive: () => boolean): void {
  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.isComposing || event.altKey || !isActive()) return;
    const key = keyOf(event);
    const isTyping = isField(event.target);
    if ((isTyping && !key.startsWith("Mod+")) || (isTyping && key === "Mod+z")) return;
    // A button uses its own arrows, and a dialog its own keys.
    if (isDialogShown() && key !== "Mod+k") return;
    const chord = performance.now() - firstAt < CHORD_MS && first ? `${first} ${key}` : "";
    const command =
      COMMANDS.find(({ keys }) => keys.includes(chord)) ?? COMMANDS.find(({ keys }) => keys.includes(key));
    [first, firstAt] = key === "g" ? [key, performance.now()] : ["", 0];
    if (!command || (command.isOfTask && !isOnTask(document.activeElement))) return;
    // A key that does nothing here is the browser's, such as an arrow that scrolls.
    if (command.run() !== false) event.preventDefault();
  });
}

function keyOf({ key, ctrlKey, metaKey, shiftKey }: KeyboardEvent): string {
  if (ctrlKey || metaKey) return `Mod+${shiftKey ? "Shift+" : ""}${key.toLowerCase()}`;
  return key.length === 1 ? key.toLowerCase() : key;
}

/** Whether the focus is on a task of the list, or on nothing in particular. */
function isOnTask(element: Element | null): boolean {
  return !element || element.matches("body, main, h1") || element.closest(".row") !== null;
}

function isField(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && target.matches("input:not([type=checkbox]), textarea, select");
}
