/** The tasks: quick add, filters, and the list. */
import { useEffect } from "preact/hooks";
import type { Sort } from "../../client/index.ts";
import { openDialog } from "../shell/dialog.tsx";
import { Layout } from "../shell/layout.tsx";
import { QuickAdd } from "./quick-add.tsx";
import { status } from "./store.ts";
import { TaskList } from "./task-list.tsx";
import { lines, priorityFilter, SORT_NAMES, search, show, sort, tagFilter, tags, VIEWS, view } from "./views.ts";

export function TasksPage() {
  const title = VIEWS[view.value];
  useEffect(() => {
    document.title = `${title} · Edge Tasks`;
  }, [title]);
  return (
    <Layout title={title}>
      <div class="page-head">
        <h1>{title}</h1>
        <button type="button" class="quiet" onClick={() => openDialog("import")}>
          Import
        </button>
      </div>
      <QuickAdd />
      <Filters />
      <TaskList />
      {lines.value.length === 0 && <Empty />}
    </Layout>
  );
}

function Filters() {
  return (
    <search class="filters">
      <label>
        <span class="visually-hidden">Search</span>
        <input
          id="search"
          type="search"
          placeholder="Search"
          value={search.value}
          onInput={({ currentTarget }) => show({ q: currentTarget.value }, { replaces: true })}
          onKeyDown={(event) => {
            if (event.key === "Escape") event.currentTarget.blur();
          }}
        />
      </label>
      <label>
        <span class="visually-hidden">Priority</span>
        <select
          value={priorityFilter.value}
          onChange={({ currentTarget }) => show({ priority: currentTarget.value }, { replaces: true })}
        >
          <option value="">Any priority</option>
          <option value="high">High</option>
          <option value="medium">Medium</option>
          <option value="low">Low</option>
        </select>
      </label>
      {tags.value.length > 0 && (
        <label>
          <span class="visually-hidden">Tag</span>
          <select
            value={tagFilter.value}
            onChange={({ currentTarget }) => show({ tag: currentTarget.value }, { replaces: true })}
          >
            <option value="">Any tag</option>
            {tags.value.map((tag) => (
              <option key={tag} value={tag}>
                {tag}
              </option>
            ))}
          </select>
        </label>
      )}
      <label>
        <span class="visually-hidden">Order</span>
        <select
          value={sort.value}
          onChange={({ currentTarget }) => show({ sort: currentTarget.value }, { replaces: true })}
        >
          {(Object.entries(SORT_NAMES) as [Sort, string][]).map(([name, text]) => (
            <option key={name} value={name}>
              {text}
            </option>
          ))}
        </select>
      </label>
    </search>
  );
}

const NOTHING: Record<keyof typeof VIEWS, string> = {
  today: "Nothing is due today.",
  upcoming: "Nothing is due later.",
  all: "No tasks yet. Write the first one above.",
  completed: "Nothing is completed yet.",
};

function Empty() {
  const isFiltered = search.value || tagFilter.value || priorityFilter.value;
  if (!status.value?.isComplete && status.value?.state !== "offline")
    return <p class="empty">Fetching your tasks ...</p>;
  return (
    <div class="empty">
      <p>{isFiltered ? "No task matches." : NOTHING[view.value]}</p>
      {isFiltered && (
        <button type="button" onClick={() => show({ q: "", tag: "", priority: "" })}>
          Show all
        </button>
      )}
    </div>
  );
}
