/** Which tasks are shown: the view, the filters and the order, which all stand in the address. */
import { computed } from "@preact/signals";
import type { Priority, Sort } from "../../client/index.ts";
import type { ShownTask, ViewQuery } from "../../client/replica/index.ts";
import { go, query } from "../router.ts";
import { addDays, dayWords, dueDay, today } from "./dates.ts";
import { moves, tasks } from "./store.ts";

export const VIEWS = {
  today: "Today",
  upcoming: "Upcoming",
  all: "All tasks",
  completed: "Completed",
} as const;
export type ViewName = keyof typeof VIEWS;

export const SORT_NAMES: Partial<Record<Sort, string>> = {
  "-createdAt": "Newest first",
  createdAt: "Oldest first",
  due: "Due date",
  "-priority": "Priority",
  title: "Title",
  "-updatedAt": "Last changed",
};

export const view = computed<ViewName>(() => {
  const name = query.value.get("view") ?? "today";
  return Object.hasOwn(VIEWS, name) ? (name as ViewName) : "today";
});
export const search = computed(() => query.value.get("q") ?? "");
export const tagFilter = computed(() => query.value.get("tag") ?? "");
export const priorityFilter = computed(() => (query.value.get("priority") ?? "") as Priority | "");
export const sort = computed<Sort>(() => {
  const name = query.value.get("sort") as Sort | null;
  if (name && Object.hasOwn(SORT_NAMES, name)) return name;
  return view.value === "all" ? "-createdAt" : view.value === "completed" ? "-updatedAt" : "due";
});

/** Changes the address. A value that is empty leaves it. */
export function show(changes: Record<string, string>, { replaces = false } = {}): void {
  const next = new URLSearchParams(query.value);
  for (const [name, value] of Object.entries(changes)) {
    if (value === "") next.delete(name);
    else next.set(name, value);
  }
  const text = next.toString();
  go(text ? `/?${text}` : "/", { replaces });
}

/** The address of a view without filters. */
export function addressOf(name: ViewName): string {
  return name === "today" ? "/" : `/?view=${name}`;
}

/** A line of the list: a heading, or a task. */
export type Line = { kind: "heading"; text: string } | { kind: "task"; task: ShownTask };

/** What the list shows. */
export const lines = computed<Line[]>(() => {
  moves.value;
  const replica = tasks.value;
  if (!replica) return [];
  const isByDay = view.value === "today" || view.value === "upcoming";
  const status: NonNullable<ViewQuery["status"]> = view.value === "completed" ? "completed" : "open";
  const found = replica.list({
    ...{ status, sort: sort.value },
    ...(search.value && { q: search.value }),
    ...(tagFilter.value && { tag: tagFilter.value }),
    ...(priorityFilter.value && { priority: priorityFilter.value }),
  });
  if (!isByDay) return found.map((task) => ({ kind: "task", task }));
  const now = today.value;
  const isShown = ({ due }: ShownTask) =>
    due !== null && (view.value === "today" ? dueDay(due) <= now : dueDay(due) > now);
  return withHeadings(found.filter(isShown));
});

/** How many tasks a view has, without filters. */
export const counts = computed<Record<ViewName, number>>(() => {
  moves.value;
  const replica = tasks.value;
  const now = today.value;
  const due = replica?.list({ status: "open", dueAfter: "0000", sort: "createdAt" }) ?? [];
  const dueNow = due.filter((task) => task.due !== null && dueDay(task.due) <= now).length;
  const { live = 0, open = 0 } = replica?.counts() ?? {};
  return { today: dueNow, upcoming: due.length - dueNow, all: open, completed: live - open };
});

export const tags = computed<string[]>(() => {
  moves.value;
  return tasks.value?.tags() ?? [];
});

function withHeadings(found: readonly ShownTask[]): Line[] {
  const now = today.value;
  const isSorted = sort.value === "due";
  const lines: Line[] = [];
  let heading = "";
  for (const task of found) {
    const day = dueDay(task.due ?? now);
    const text = day < now ? "Overdue" : day > addDays(now, 30) ? "Later" : dayWords(day);
    if (isSorted && text !== heading) lines.push({ kind: "heading", text });
    heading = text;
    lines.push({ kind: "task", task });
  }
  return lines;
}
