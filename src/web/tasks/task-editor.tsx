/** Edits a task in its place. What is typed survives a lost session and a new version of the app. */

import { useSignal } from "@preact/signals";
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import type { Priority, TaskChanges } from "../../client/index.ts";
import {
  MAX_DESCRIPTION_CHARACTERS,
  MAX_TAG_CHARACTERS,
  MAX_TITLE_CHARACTERS,
  type ShownTask,
} from "../../client/replica/index.ts";
import { say } from "../shell/undo.ts";
import { complete, edit, remove } from "./actions.ts";
import { dueFrom, formValues, momentWords } from "./dates.ts";
import { draftOf, keepDraft } from "./drafts.ts";
import { editing, selected } from "./selection.ts";
import { tasks } from "./store.ts";

/** What stands in the form. */
type Draft = { title: string; description: string; day: string; time: string; priority: Priority; tags: string };

/** What is typed, and the task as it was when the person began: what has changed since is not overwritten. */
type Kept = { opened: ShownTask; draft: Draft };

type EditorProps = { task: ShownTask; onHeight: (px: number) => void };

export function TaskEditor({ task, onHeight }: EditorProps) {
  const kept = useSignal<Kept>(draftOf<Kept>(nameOf(task.id)) ?? { opened: task, draft: draftFrom(task) });
  const error = useSignal("");
  const form = useRef<HTMLFormElement>(null);
  // Before the next key: what is typed at once goes into the editor.
  useLayoutEffect(() => {
    form.current?.querySelector<HTMLElement>("input")?.focus({ preventScroll: true });
    // Once the list has made room for it.
    requestAnimationFrame(() => form.current?.scrollIntoView({ block: "nearest" }));
  }, []);
  useEffect(() => {
    // Nothing is typed yet: what arrives is shown.
    if (!hasUnsaved(task.id)) kept.value = { opened: task, draft: draftFrom(task) };
  }, [task]);
  useLayoutEffect(() => onHeight((form.current?.offsetHeight ?? 0) + 16));

  function set(changes: Partial<Draft>): void {
    kept.value = { ...kept.value, draft: { ...kept.value.draft, ...changes } };
    keepDraft(nameOf(task.id), kept.value);
  }

  function close(): void {
    keepDraft(nameOf(task.id), undefined);
    editing.value = undefined;
    selected.value = undefined;
    requestAnimationFrame(() => {
      selected.value = task.id;
    });
  }

  /** Tells whether it could be saved. */
  function save(): boolean {
    error.value = edit(kept.value.opened, changesOf(kept.value)) ?? "";
    if (!error.value) close();
    return !error.value;
  }

  function drop(): void {
    const dropped = kept.value;
    close();
    if (Object.keys(changesOf(dropped)).length === 0) return;
    const goOn = () => {
      keepDraft(nameOf(task.id), dropped);
      editing.value = task.id;
      return true;
    };
    say("What you typed was not saved.", goOn, { action: "Go on editing" });
  }

  const { title, description, day, time, priority, tags } = kept.value.draft;
  return (
    <form
      ref={form}
      class="editor"
      aria-label={`Edit ${task.title}`}
      onSubmit={(event) => {
        event.preventDefault();
        save();
      }}
      onKeyDown={(event) => {
        if (event.isComposing) return;
        if (event.key === "Escape") drop();
        if (event.key === "Enter" && (event.metaKey || event.ctrlKey)) form.current?.requestSubmit();
      }}
    >
      <label>
        Title
        <input
          dir="auto"
          required
          maxLength={2 * MAX_TITLE_CHARACTERS}
          value={title}
          onInput={({ currentTarget }) => set({ title: currentTarget.value })}
        />
      </label>
      <label>
        Notes
        <textarea
          dir="auto"
          rows={3}
          maxLength={2 * MAX_DESCRIPTION_CHARACTERS}
          value={description}
          onInput={({ currentTarget }) => set({ description: currentTarget.value })}
        />
      </label>
      <div class="pair">
        <label>
          Due
          <input
            type="date"
            max="9999-12-31"
            value={day}
            onInput={({ currentTarget }) => set({ day: currentTarget.value })}
          />
        </label>
        <label>
          Time
          <input
            type="time"
            value={time}
            disabled={day === ""}
            onInput={({ currentTarget }) => set({ time: currentTarget.value })}
          />
        </label>
        <label>
          Priority
          <select value={priority} onChange={({ currentTarget }) => set({ priority: currentTarget.value as Priority })}>
            <option value="none">None</option>
            <option value="low">Low</option>
            <option value="medium">Medium</option>
            <option value="high">High</option>
          </select>
        </label>
      </div>
      <label>
        Tags, with commas between them
        <input
          value={tags}
          onInput={({ currentTarget }) => set({ tags: currentTarget.value })}
          placeholder={`each at most ${MAX_TAG_CHARACTERS} characters`}
        />
      </label>
      <p class="error" role="alert">
        {error.value}
      </p>
      <div class="buttons">
        <button type="submit" class="primary">
          Save
        </button>
        <button type="button" onClick={drop}>
          Cancel
        </button>
        <span class="gap" />
        <button type="button" onClick={() => save() && complete(task)}>
          {task.completed ? "Reopen" : "Complete"}
        </button>
        <button
          type="button"
          onClick={() => {
            close();
            remove(task);
          }}
        >
          Delete
        </button>
      </div>
      <p class="hint">
        Created {momentWords(task.createdAt)}
        {task.completedAt && `, completed ${momentWords(task.completedAt)}`}
      </p>
    </form>
  );
}

/** The task of an open editor was deleted elsewhere: what was typed can still be kept. */
export function leaveDeleted(id: string): void {
  const kept = draftOf<Kept>(nameOf(id));
  editing.value = undefined;
  keepDraft(nameOf(id), undefined);
  if (!kept) return;
  const keepIt = () => {
    const restored = tasks.value?.restore(kept.opened);
    edit(kept.opened, changesOf(kept));
    return restored;
  };
  say(`“${kept.opened.title}” was deleted elsewhere.`, keepIt, { isBad: true, action: "Restore it with my changes" });
}

/** Whether something was typed into a task's editor, and is not saved. */
export function hasUnsaved(id: string): boolean {
  return draftOf(nameOf(id)) !== undefined;
}

function nameOf(id: string): string {
  return `task ${id}`;
}

function draftFrom({ title, description, due, priority, tags }: ShownTask): Draft {
  return { title, description: description ?? "", ...formValues(due), priority, tags: tags.join(", ") };
}

/** Only what the person has changed: the rest may change elsewhere meanwhile. */
function changesOf({ opened, draft: after }: Kept): TaskChanges {
  const before = draftFrom(opened);
  const isMoved = before.day !== after.day || before.time !== after.time;
  return {
    ...(after.title !== before.title && { title: after.title }),
    ...(after.description !== before.description && { description: after.description || null }),
    ...(after.priority !== before.priority && { priority: after.priority }),
    ...(isMoved && { due: dueFrom(after.day, after.time) }),
    ...(after.tags !== before.tags && { tags: tagsFrom(after.tags) }),
  };
}

function tagsFrom(text: string): string[] {
  return text
    .split(",")
    .map((tag) => tag.trim())
    .filter((tag) => tag !== "");
}
