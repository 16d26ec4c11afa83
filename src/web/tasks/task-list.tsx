/** The list. Only what is in view is in the page, so that ten thousand tasks are as quick as ten. */
import { useSignal } from "@preact/signals";
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import { query } from "../router.ts";
import { editing, selected } from "./selection.ts";
import { tasks } from "./store.ts";
import { leaveDeleted, TaskEditor } from "./task-editor.tsx";
import { TaskRow } from "./task-row.tsx";
import { type Line, lines } from "./views.ts";

const ROW_PX = 56;
const HEADING_PX = 44;
const OVERSCAN_PX = 600;

export function TaskList() {
  const list = useRef<HTMLUListElement>(null);
  const range = useSignal({ from: 0, to: 40 });
  const editorPx = useSignal(420);
  const all = useLinesWithEdited();
  const tops = topsOf(all, editorPx.value);

  useLayoutEffect(() => {
    const measure = () => {
      const top = -(list.current?.getBoundingClientRect().top ?? 0) - OVERSCAN_PX;
      const next = { from: lineAt(tops, top), to: lineAt(tops, top + innerHeight + 2 * OVERSCAN_PX) + 1 };
      if (next.from !== range.value.from || next.to !== range.value.to) range.value = next;
    };
    measure();
    addEventListener("scroll", measure, { passive: true });
    addEventListener("resize", measure);
    return () => {
      removeEventListener("scroll", measure);
      removeEventListener("resize", measure);
    };
  });

  const place = useRef(0);
  useEffect(() => {
    const at = indexOf(all, selected.value);
    // The selected task has left the list: the one in its place is next.
    if (selected.value && at === -1) selected.value = nearest(all, place.current);
    else if (at !== -1) place.current = at;
  });
  useEffect(() => {
    if (selected.value) focusTask(selected.value, list.current, all, tops);
  }, [selected.value]);

  const { from, to } = range.value;
  // Headings have no number.
  const numbers = numbersOf(all);
  return (
    <ul class="list" ref={list} style={{ height: `${tops.at(-1)}px` }}>
      {all.slice(from, to).map((line, index) => {
        const style = { transform: `translateY(${tops[from + index]}px)` };
        if (line.kind === "heading") {
          return (
            <li key={`heading ${line.text}`} class="heading" style={style}>
              <h2>{line.text}</h2>
            </li>
          );
        }
        const { task } = line;
        return (
          <li
            key={task.id}
            class="line"
            style={style}
            aria-setsize={numbers.at(-1) ?? 0}
            aria-posinset={numbers[from + index] ?? 0}
            data-id={task.id}
          >
            {editing.value === task.id ? (
              <TaskEditor key={task.id} task={task} onHeight={(px) => (editorPx.value = px)} />
            ) : (
              <TaskRow task={task} />
            )}
          </li>
        );
      })}
    </ul>
  );
}

/** The lines. A task that is being edited stays until then, also where its list has lost it meanwhile. */
function useLinesWithEdited(): readonly Line[] {
  const opened = useRef({ id: "", list: "", at: 0 });
  const id = editing.value ?? "";
  const task = tasks.value?.get(id);
  useEffect(() => {
    if (id && tasks.value && !task) leaveDeleted(id);
  });
  const at = indexOf(lines.value, id);
  const list = query.value.toString();
  if (at !== -1) opened.current = { id, list, at };
  if (at !== -1 || !task || opened.current.id !== id || opened.current.list !== list) return lines.value;
  return lines.value.toSpliced(opened.current.at, 0, { kind: "task", task });
}

/** The number of each line among the tasks, and that of all tasks behind the last. */
function numbersOf(all: readonly Line[]): number[] {
  let count = 0;
  return all.map(({ kind }) => {
    if (kind === "task") count += 1;
    return count;
  });
}

function indexOf(all: readonly Line[], id: string | undefined): number {
  return all.findIndex((line) => line.kind === "task" && line.task.id === id);
}

function nearest(all: readonly Line[], place: number): string | undefined {
  const [next] = [...all.slice(place), ...all.slice(0, place).reverse()].flatMap((line) =>
    line.kind === "task" ? [line.task.id] : [],
  );
  return next;
}

/** The place of each line, and the end of the list. */
function topsOf(all: readonly Line[], editorPx: number): number[] {
  const tops = [0];
  for (const line of all) {
    const px = line.kind === "heading" ? HEADING_PX : line.task.id === editing.value ? editorPx : ROW_PX;
    tops.push((tops.at(-1) ?? 0) + px);
  }
  return tops;
}

function lineAt(tops: readonly number[], px: number): number {
  let [low, high] = [0, tops.length - 1];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((tops[middle + 1] ?? Infinity) <= px) low = middle + 1;
    else high = middle;
  }
  return low;
}

function focusTask(id: string, list: HTMLElement | null, all: readonly Line[], tops: readonly number[]): void {
  const at = indexOf(all, id);
  if (!list || at === -1) return;
  const top = list.getBoundingClientRect().top + (tops[at] ?? 0);
  const margin = 140;
  if (top < margin) scrollBy(0, top - margin);
  else if (top > innerHeight - margin) scrollBy(0, top - innerHeight + margin);
  requestAnimationFrame(() => {
    const { activeElement } = document;
    // The keyboard has moved on.
    if (selected.value !== id) return;
    // Whoever types elsewhere keeps the focus.
    if (activeElement?.matches("input, textarea, select") && !list.contains(activeElement)) return;
    list.querySelector<HTMLElement>(`[data-id="${id}"] .title`)?.focus({ preventScroll: true });
  });
}
