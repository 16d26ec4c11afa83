/** What is being typed, kept for as long as the tab: through a lost session and a new version, but not for the next person. */

const PREFIX = "edge-tasks draft ";

/** A draft of this name, if there is one. */
export function draftOf<Draft>(name: string): Draft | undefined {
  const text = sessionStorage.getItem(PREFIX + name);
  return text === null ? undefined : JSON.parse(text);
}

/** Keeps a draft; undefined forgets it. */
export function keepDraft(name: string, draft: unknown): void {
  if (draft === undefined) sessionStorage.removeItem(PREFIX + name);
  else sessionStorage.setItem(PREFIX + name, JSON.stringify(draft));
}

/** Whether something is being typed. */
export function hasDrafts(): boolean {
  return Object.keys(sessionStorage).some((key) => key.startsWith(PREFIX));
}
