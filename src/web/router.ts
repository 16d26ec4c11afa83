/** The page that is shown. Pages have addresses of their own; moving between them loads nothing. */
import { signal } from "@preact/signals";

export const path = signal(location.pathname);
/** The query of the address: what the list of tasks is asked for. */
export const query = signal(new URLSearchParams(location.search));

/** Goes to a page of the app. */
export function go(address: string, { replaces = false } = {}): void {
  if (replaces) history.replaceState(null, "", address);
  else history.pushState(null, "", address);
  read();
  if (!replaces) scrollTo(0, 0);
}

/** Follows links within the app. Those with a modifier, a target or a download are the browser's. */
export function watchLinks(pages: readonly string[]): void {
  addEventListener("popstate", read);
  document.addEventListener("click", (event) => {
    const link = event.target instanceof Element ? event.target.closest("a") : null;
    const isPlain = event.button === 0 && !(event.metaKey || event.ctrlKey || event.shiftKey || event.altKey);
    if (!link || !isPlain || link.target || link.hasAttribute("download") || link.origin !== location.origin) return;
    if (!pages.includes(link.pathname) || link.hash) return;
    event.preventDefault();
    go(link.pathname + link.search);
  });
}

function read(): void {
  path.value = location.pathname;
  query.value = new URLSearchParams(location.search);
}
