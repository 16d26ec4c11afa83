/** Takes pages of the change feed. */
import type { Change } from "../types.ts";
import type { Draft } from "./draft.ts";
import { needsTask, rebase, take } from "./rebase.ts";

/** A page of the change feed: `token` continues behind it. */
export type Page = { changes: Change[]; token: string };

/**
 * Applies a page, if it continues where this copy stands.
 * @param since the token that the page was asked for with
 */
export function applyPage(draft: Draft, { changes, token }: Page, since: string | undefined): boolean {
  if (draft.meta.token !== since || draft.meta.startsOver) return false;
  for (const { id, revision, task } of changes) take(draft, id, task ?? "deleted", revision);
  if (token !== since) draft.setMeta({ token });
  return true;
}

/** Replaces the whole copy by what the feed says from its beginning. What waits stays, and is judged anew. */
export function applyAll(draft: Draft, pages: readonly Page[]): boolean {
  if (!draft.meta.startsOver) return false;
  const changes = new Map(pages.flatMap((page) => page.changes).map((change) => [change.id, change]));
  for (const { id } of [...draft.tasks.values()]) {
    if (changes.has(id)) continue;
    draft.tasks.set(id, undefined);
    rebase(draft, id, "deleted");
  }
  for (const { id, task } of changes.values()) {
    draft.tasks.set(id, task ?? undefined);
    rebase(draft, id, task ?? "deleted");
  }
  // What was changed on a task that is neither here nor there any more.
  for (const { id } of draft.entries()) {
    const [first] = draft.entriesOf(id);
    if (first && needsTask(first) && !draft.tasks.get(id)) rebase(draft, id, "deleted");
  }
  draft.setMeta({ startsOver: undefined, isComplete: true, token: pages.at(-1)?.token });
  return true;
}

/** Forgets the token: the next pull reads the feed from its beginning. */
export function startOver(draft: Draft): void {
  draft.setMeta({ token: undefined, startsOver: true });
}
