/** Reads of a replica: lists, search and counts, from memory. */
import type { ListQuery, Sort, Task } from "../types.ts";
import { PRIORITIES } from "./fields.ts";
import { foldText, sortKey } from "./text.ts";

/** A task as the person sees it. */
export type ShownTask = Task & {
  /** Whether it has changes that the server does not have yet. */
  isWaiting: boolean;
};

/** As in the API, but for pages: all tasks are here. `due` bounds are days or instants; instants compare by time. */
export type ViewQuery = Omit<ListQuery, "limit" | "cursor" | "status"> & { status?: "open" | "completed" | "all" };

export type Counts = { live: number; open: number };

/** `turn` orders the changes that wait as they will be sent; 0 for a task without. */
type Indexed = { task: ShownTask; turn: number; title: string; titleOrder: string; text: string };

export type View = ReturnType<typeof createView>;

/** Keeps the tasks that are shown, ready to be searched. */
export function createView() {
  const shown = new Map<string, Indexed>();
  let open = 0;

  return {
    ids: () => shown.keys(),

    get: (id: string): ShownTask | undefined => shown.get(id)?.task,

    /**
     * Shows a task as it is now; undefined hides it.
     * @param turn the number of its newest change that waits, or 0
     */
    set(id: string, task: Task | undefined, turn: number): void {
      const former = shown.get(id)?.task;
      open += Number(task?.completed === false) - Number(former?.completed === false);
      if (!task) shown.delete(id);
      else {
        const isWaiting = turn > 0;
        shown.set(id, {
          ...{ task: { ...task, isWaiting }, turn },
          ...titleKeys(task.title),
          text: foldText(task.description ?? ""),
        });
      }
    },

    /** The tasks that match, in order. */
    list({ sort = "-createdAt", ...query }: ViewQuery = {}): ShownTask[] {
      const matches = matcherOf(query);
      return [...shown.values()]
        .filter(matches)
        .sort(ORDERS[sort])
        .map(({ task }) => task);
    },

    counts: (): Counts => ({ live: shown.size, open }),

    /** All tags that are in use, each as it is written most recently. */
    tags(): string[] {
      const names = new Map<string, string>();
      for (const { task } of shown.values()) for (const tag of task.tags) names.set(foldText(tag), tag);
      return [...names.entries()].sort(([one], [other]) => compare(one, other)).map(([, tag]) => tag);
    },
  };
}

/** As the server sorts: without case and accents, and then by these, as far as they go. */
function titleKeys(written: string) {
  const title = foldText(written);
  return { title, titleOrder: `${sortKey(written) || title}\u0001${[...title].slice(0, 100).join("")}` };
}

function matcherOf({ status = "all", q, tag, priority, dueAfter, dueBefore }: Omit<ViewQuery, "sort">) {
  const [text, name] = [foldText(q ?? ""), tag === undefined ? undefined : foldText(tag)];
  return ({ task, ...folded }: Indexed): boolean =>
    (status === "all" || task.completed === (status === "completed")) &&
    (priority === undefined || task.priority === priority) &&
    (name === undefined || task.tags.some((each) => foldText(each) === name)) &&
    (dueAfter === undefined || (task.due !== null && task.due >= dueAfter)) &&
    (dueBefore === undefined || (task.due !== null && task.due < dueBefore)) &&
    (text === "" || folded.title.includes(text) || folded.text.includes(text));
}

type Order = (one: Indexed, other: Indexed) => number;

// What waits stands where the server will put it, so that nothing moves once it is sent; the device's clock may be wrong.
const byCreation: Order = ({ task: a }, { task: b }) =>
  Number(a.revision === 0) - Number(b.revision === 0) || compare(a.createdAt, b.createdAt) || compare(a.id, b.id);
const byChange: Order = (a, b) => a.turn - b.turn || a.task.revision - b.task.revision;
const byPriority: Order = ({ task: a }, { task: b }) =>
  PRIORITIES.indexOf(a.priority) - PRIORITIES.indexOf(b.priority) || compare(a.id, b.id);
const byTitle: Order = (a, b) => compare(a.titleOrder, b.titleOrder) || compare(a.task.id, b.task.id);

const ORDERS: Record<Sort, Order> = {
  createdAt: byCreation,
  "-createdAt": reversed(byCreation),
  updatedAt: byChange,
  "-updatedAt": reversed(byChange),
  priority: byPriority,
  "-priority": reversed(byPriority),
  title: byTitle,
  due: byDue(1),
  "-due": byDue(-1),
};

/** Tasks without a due date come last in either direction. */
function byDue(direction: 1 | -1): Order {
  return ({ task: a }, { task: b }) => {
    if (a.due === null || b.due === null) {
      return Number(a.due === null) - Number(b.due === null) || direction * compare(a.id, b.id);
    }
    return direction * (compare(a.due, b.due) || compare(a.id, b.id));
  };
}

function reversed(order: Order): Order {
  return (one, other) => order(other, one);
}

/** By code units, as the server compares. */
function compare(one: string, other: string): number {
  return one < other ? -1 : Number(one > other);
}
