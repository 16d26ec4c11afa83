/**
 * The focus is never lost: where what had it has left the page, the task that is selected has it next, or else the heading
 * of what is shown now. A screen reader then says where one is.
 */

/** Watches over the focus in a part of the page. */
export function keepFocus(part: Element): void {
  let last: Element | undefined;
  document.addEventListener("focusin", ({ target }) => {
    last = target instanceof Element ? target : undefined;
  });
  new MutationObserver(() => {
    if (!last || last.isConnected || document.activeElement !== document.body) return;
    last = undefined;
    // Whatever is drawn meanwhile may take the focus itself.
    requestAnimationFrame(() => {
      if (document.activeElement !== document.body) return;
      const next = part.querySelector<HTMLElement>("dialog[open] h2, .row.is-selected .title") ?? headingOf(part);
      next?.focus({ preventScroll: true });
    });
  }).observe(part, { childList: true, subtree: true });
}

function headingOf(part: Element): HTMLElement | null {
  const heading = part.querySelector<HTMLElement>("main h1") ?? part.querySelector<HTMLElement>("main");
  if (heading) heading.tabIndex = -1;
  return heading;
}
