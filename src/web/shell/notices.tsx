/** What was just done, with a button that takes it back. */
import { dismiss, notices } from "./undo.ts";

export function Notices() {
  return (
    <section class="notices" aria-label="What was done" aria-live="polite">
      {notices.value.map(({ id, text, undo, action, isBad }) => (
        <div key={id} class={isBad ? "toast is-bad" : "toast"}>
          <span>{text}</span>
          {undo && (
            <button type="button" onClick={undo}>
              {action}
            </button>
          )}
          <button type="button" class="quiet" aria-label="Hide this notice" onClick={() => dismiss(id)}>
            ×
          </button>
        </div>
      ))}
    </section>
  );
}
