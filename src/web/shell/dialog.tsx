/** A dialog of the platform: it holds the focus, closes on Escape, and gives the focus back. */
import { signal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useId, useLayoutEffect, useRef } from "preact/hooks";

export type DialogName = "help" | "commands" | "import" | "conflicts" | "sign-out";

/** The dialog that is open. Each opening is an object of its own, so that a former one that ends late ends only itself. */
export const dialog = signal<{ name: DialogName } | undefined>();

export function openDialog(name: DialogName): void {
  if (!(isDialogShown() && dialog.value?.name === name)) dialog.value = { name };
}

export function closeDialog(): void {
  dialog.value = undefined;
}

/** Whether a dialog is on the screen. The browser closes one on Escape, and tells a moment later. */
export function isDialogShown(): boolean {
  return document.querySelector("dialog[open]") !== null;
}

export function Dialog({
  title,
  children,
  onClose,
}: {
  title: string;
  children: ComponentChildren;
  onClose?: () => void;
}) {
  const element = useRef<HTMLDialogElement>(null);
  const { current: opening } = useRef(dialog.value);
  const id = useId();
  // Before the next key: what is typed at once goes into the dialog.
  useLayoutEffect(() => {
    const shown = element.current;
    shown?.showModal();
    // A click beside the dialog closes it, as Escape does.
    const closeBeside = (event: Event) => event.target === shown && shown?.close();
    shown?.addEventListener("click", closeBeside);
    return () => shown?.removeEventListener("click", closeBeside);
  }, []);
  return (
    <dialog
      ref={element}
      aria-labelledby={id}
      onClose={() => {
        // The next dialog may be open already.
        if (dialog.value === opening) closeDialog();
        onClose?.();
      }}
    >
      <div class="dialog-body">
        <header>
          <h2 id={id} tabIndex={-1}>
            {title}
          </h2>
          <button type="button" class="quiet" onClick={() => element.current?.close()}>
            Close
          </button>
        </header>
        {children}
      </div>
    </dialog>
  );
}
