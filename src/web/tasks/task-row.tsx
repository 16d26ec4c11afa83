/** One task: complete it, or open it. */
import type { ShownTask } from "../../client/replica/index.ts";
import { complete } from "./actions.ts";
import { dueDay, dueWords, today } from "./dates.ts";
import { editing, selected } from "./selection.ts";
import { hasUnsaved } from "./task-editor.tsx";

const PRIORITY_MARKS = { high: "!!!", medium: "!!", low: "!", none: "" };

export function TaskRow({ task }: { task: ShownTask }) {
  const { id, title, completed, due, priority, tags, description, isWaiting } = task;
  const isOverdue = due !== null && !completed && dueDay(due) < today.value;
  return (
    <div class={`row ${completed ? "is-completed" : ""} ${selected.value === id ? "is-selected" : ""}`}>
      <button
        type="button"
        class={`tick priority-${priority}`}
        aria-pressed={completed}
        aria-label={`Complete: ${title}`}
        onClick={() => {
          selected.value = id;
          complete(task);
        }}
      >
        <svg viewBox="0 0 20 20" aria-hidden="true">
          <path d="M5 10.5l3.5 3.5L15 6.5" />
        </svg>
      </button>
      <button
        type="button"
        class="title"
        onFocus={() => {
          selected.value = id;
        }}
        onClick={() => {
          editing.value = id;
        }}
      >
        <span class="text" dir="auto">
          {title}
        </span>
        <span class="facts">
          {priority !== "none" && (
            <span class={`priority priority-${priority}`}>
              <span aria-hidden="true">{PRIORITY_MARKS[priority]}</span> {priority}
            </span>
          )}
          {due && <span class={isOverdue ? "due is-overdue" : "due"}>{dueWords(due)}</span>}
          {tags.map((tag) => (
            <span key={tag} class="tag" dir="auto">
              {tag}
            </span>
          ))}
          {description && <span class="has-notes">notes</span>}
          {hasUnsaved(id) && <span class="unsaved">not saved yet</span>}
          {isWaiting && <span class="waiting">not sent yet</span>}
        </span>
      </button>
    </div>
  );
}
