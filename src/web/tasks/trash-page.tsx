/** Deleted tasks, as the server lists them; each can be restored for 30 days. */
import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { Task } from "../../client/index.ts";
import { isTasksError } from "../../client/index.ts";
import { client } from "../account/session.ts";
import { Layout } from "../shell/layout.tsx";
import { restore } from "./actions.ts";
import { momentWords } from "./dates.ts";
import { callsOf, isOnline, moves, status, tasks } from "./store.ts";

const PAGE = 100;

export function TrashPage() {
  const found = useSignal<Task[] | undefined>(undefined);
  const cursor = useSignal<string | null>(null);
  const error = useSignal("");

  async function load(more: boolean): Promise<void> {
    try {
      const after = more && cursor.value ? { cursor: cursor.value } : {};
      const page = await callsOf(client).tasks.list({ status: "deleted", limit: PAGE, ...after });
      found.value = [...(more ? (found.value ?? []) : []), ...page.data];
      cursor.value = page.nextCursor;
      error.value = "";
    } catch (failure) {
      const isOffline = isTasksError(failure) && failure.status === 0;
      error.value = isOffline
        ? "You are offline. The trash is on the server."
        : "The trash could not be fetched. Try again.";
    }
  }

  const isSent = (status.value?.waiting ?? 0) === 0;
  useEffect(() => {
    document.title = "Trash · Edge Tasks";
    // Once more of it is shown, it stays: what was restored is hidden below.
    if (!found.value || (isOnline.value && found.value.length <= PAGE)) void load(false);
  }, [isSent, isOnline.value]);

  moves.value;
  const shown = (found.value ?? []).filter(({ id }) => !tasks.value?.get(id));
  return (
    <Layout title="Trash">
      <h1>Trash</h1>
      <p class="hint">Deleted tasks can be restored for 30 days.</p>
      {error.value && (
        <p class="error" role="alert">
          {error.value}{" "}
          <button type="button" onClick={() => void load(false)}>
            Try again
          </button>
        </p>
      )}
      {!found.value && !error.value && <p role="status">Fetching the trash ...</p>}
      {found.value && shown.length === 0 && <p class="empty">The trash is empty.</p>}
      <ul class="plain">
        {shown.map((task) => (
          <li key={task.id} class="trash-line">
            <span class="text" dir="auto">
              {task.title}
            </span>
            <span class="hint">{task.deletedAt && momentWords(task.deletedAt)}</span>
            <button type="button" aria-label={`Restore: ${task.title}`} onClick={() => restore(task)}>
              Restore
            </button>
          </li>
        ))}
      </ul>
      {cursor.value && shown.length > 0 && (
        <button type="button" onClick={() => void load(true)}>
          Show more
        </button>
      )}
    </Layout>
  );
}
