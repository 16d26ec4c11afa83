/** All commands by name, and all keys in one list. */
import { useSignal } from "@preact/signals";
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import { COMMANDS, type Command } from "./commands.ts";
import { closeDialog, Dialog } from "./dialog.tsx";

export function CommandBar() {
  const text = useSignal("");
  const at = useSignal(0);
  const field = useRef<HTMLInputElement>(null);
  useLayoutEffect(() => field.current?.focus(), []);
  const found = COMMANDS.filter(({ name }) => name.toLowerCase().includes(text.value.trim().toLowerCase()));
  const current = Math.min(at.value, found.length - 1);
  useEffect(() => document.querySelector(`#command-${current}`)?.scrollIntoView({ block: "nearest" }), [current]);

  function run(command: Command | undefined): void {
    if (!command) return;
    closeDialog();
    requestAnimationFrame(command.run);
  }

  return (
    <Dialog title="Commands">
      <input
        ref={field}
        role="combobox"
        aria-label="Find a command"
        aria-expanded="true"
        aria-controls="commands"
        aria-activedescendant={found.length > 0 ? `command-${current}` : undefined}
        placeholder="Find a command"
        value={text.value}
        onInput={({ currentTarget }) => {
          text.value = currentTarget.value;
          at.value = 0;
        }}
        onKeyDown={(event) => {
          const step = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
          if (step !== 0) {
            event.preventDefault();
            at.value = (current + step + found.length) % found.length;
          }
          if (event.key === "Enter") run(found[current]);
        }}
      />
      <div role="listbox" id="commands" aria-label="Commands" class="commands">
        {found.map((command, index) => (
          <div
            key={command.name}
            id={`command-${index}`}
            role="option"
            tabIndex={-1}
            aria-selected={index === current}
            onClick={() => run(command)}
            onKeyDown={() => {}}
          >
            <span>{command.name}</span>
            <Keys keys={command.keys.slice(0, 1)} />
          </div>
        ))}
      </div>
      {found.length === 0 && <p class="hint">No command has this name.</p>}
    </Dialog>
  );
}

export function ShortcutHelp() {
  return (
    <Dialog title="Keyboard shortcuts">
      <dl class="shortcuts">
        {COMMANDS.map(({ name, keys }) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>
              <Keys keys={keys} />
            </dd>
          </div>
        ))}
      </dl>
      <p class="hint">In an editor, Ctrl+Enter saves and Escape closes without saving.</p>
    </Dialog>
  );
}

const NAMES: Record<string, string> = { ArrowDown: "↓", ArrowUp: "↑" };
const MOD = /Mac|iP(?:hone|ad)/.test(navigator.userAgent) ? "Cmd+" : "Ctrl+";

function Keys({ keys }: { keys: readonly string[] }) {
  return (
    <span class="keys">
      {keys.map((chord) => (
        <span key={chord}>
          {chord.split(" ").map((key) => (
            <kbd key={key}>{NAMES[key] ?? key.replace("Mod+", MOD)}</kbd>
          ))}
        </span>
      ))}
    </span>
  );
}
