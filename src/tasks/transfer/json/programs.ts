/**
 * The JSON of other programs: by which names it is known, where its tasks stand, and what each says. docs/import.md has the
 * tables and their sources.
 */
import type { Found, Priority } from "../fit.ts";
import { momentOf, timeOf } from "../times.ts";
import { get, listOf, textOf, textOfHtml, textsOf, type Values } from "./values.ts";
import type { Path } from "./walk.ts";

/** A task of another program: its name there, and the title of the task that it is a part of. */
export type Foreign = Found & { uid?: string | undefined; parent?: string | undefined };

/** What is known of a file beside its tasks. */
export type Context = {
  /** The file, with null in place of each task. */
  file: unknown;
  path: Path;
  /** The title of the task with an id. */
  titleOf: (id: unknown) => string | undefined;
};

export type Program = {
  name: string;
  /** Paths of names. The file is this program's if it has all of one row. A star stands for any name or position. */
  marks: string[][];
  /** Where the tasks stand. */
  tasks: string[];
  id: string;
  title: string;
  /** Members that have no field. They are noted where they hold something. */
  unkept: string[];
  /** Returns why a task is left out, or what it says. */
  read: (task: Values, context: Context) => Foreign | string;
};

const THREE_LEVELS = new Map<unknown, Priority>(
  Object.entries({ low: "low", medium: "medium", normal: "none", high: "high", L: "low", M: "medium", H: "high" }),
);

const googleTasks: Program = {
  name: "Google Tasks",
  marks: [
    ["kind", "items.*.items.*.title"],
    ["items.*.items.*.title"],
    ["kind", "items.*.status"],
    ["kind", "items.*.items"],
  ],
  tasks: ["items.*.items.*", "items.*"],
  id: "id",
  title: "title",
  unkept: ["links", "assignmentInfo"],
  read(task, { file, path, titleOf }) {
    if (task["deleted"] === true) return "was deleted there";
    const list = path.length === 4 ? textOf(get(file, "items", path[1] ?? 0, "title")) : undefined;
    return {
      title: textOf(task["title"]),
      description: textOf(task["notes"]),
      completed: task["status"] === "completed",
      completedAt: momentOf(task["completed"]),
      // The time of day is not stored there.
      due: timeOf(task["due"])?.slice(0, "YYYY-MM-DD".length),
      tags: list === undefined ? [] : [list],
      createdAt: momentOf(task["created"] ?? task["updated"]),
      parent: titleOf(task["parent"]),
    };
  },
};

const TODOIST_PRIORITIES = new Map<unknown, Priority>([
  [4, "high"],
  [3, "medium"],
  [2, "low"],
]);

const todoist: Program = {
  name: "Todoist",
  marks: [["items.*.content"]],
  tasks: ["items.*"],
  id: "id",
  title: "content",
  unkept: ["duration", "deadline", "note_count", "responsible_uid"],
  read(item, { file, titleOf }) {
    if (item["is_deleted"] === true || item["is_deleted"] === 1) return "was deleted there";
    const repeats = get(item, "due", "is_recurring") === true ? textOf(get(item, "due", "string")) : undefined;
    return {
      title: textOf(item["content"]),
      description: joined([textOf(item["description"]), repeats && `Repeats: ${repeats}`]),
      completed: [true, 1].includes(item["checked"] as number) || item["completed_at"] != null,
      completedAt: momentOf(item["completed_at"]),
      priority: TODOIST_PRIORITIES.get(item["priority"]),
      due: timeOf(get(item, "due", "datetime") ?? get(item, "due", "date"), textOf(get(item, "due", "timezone"))),
      tags: [
        ...textsOf(item["labels"]),
        ...namesOf(get(file, "projects"), item["project_id"], "name"),
        ...namesOf(get(file, "sections"), item["section_id"], "name"),
      ],
      createdAt: momentOf(item["added_at"] ?? item["date_added"] ?? item["created_at"]),
      parent: titleOf(item["parent_id"]),
    };
  },
};

const microsoftToDo: Program = {
  name: "Microsoft To Do",
  marks: [
    ["value.*.title", "value.*.importance"],
    ["value.*.title", "value.*.dueDateTime"],
    ["value.*.title", "value.*.status"],
    ["value.*.tasks.*.title"],
  ],
  tasks: ["value.*.tasks.*", "value.*"],
  id: "id",
  title: "title",
  unkept: ["recurrence", "reminderDateTime", "linkedResources", "attachments"],
  read(task, { file, path }) {
    const content = textOf(get(task, "body", "content"));
    const body = content && get(task, "body", "contentType") === "html" ? textOfHtml(content) : content;
    const steps = listOf(task["checklistItems"]).map(
      (step) => `- [${get(step, "isChecked") === true ? "x" : " "}] ${textOf(get(step, "displayName")) ?? ""}`,
    );
    const list = path.length === 4 ? textOf(get(file, "value", path[1] ?? 0, "displayName")) : undefined;
    return {
      title: textOf(task["title"]),
      description: joined([body, steps.join("\n")]),
      completed: task["status"] === "completed",
      completedAt: momentOf(get(task, "completedDateTime", "dateTime"), zoneOf(task, "completedDateTime")),
      priority: THREE_LEVELS.get(task["importance"]),
      due: dayOrTime(task),
      tags: [...textsOf(task["categories"]), ...(list === undefined ? [] : [list])],
      createdAt: momentOf(task["createdDateTime"]),
    };
  },
};

/** A due date there is a day: midnight in the zone of its person. */
function dayOrTime(task: Values): string | undefined {
  const written = textOf(get(task, "dueDateTime", "dateTime")) ?? "";
  const [, day] = /^(\d{4}-\d\d-\d\d)T00:00:00(?:\.0+)?$/.exec(written) ?? [];
  return timeOf(day ?? written, zoneOf(task, "dueDateTime"));
}

function zoneOf(task: Values, name: string): string | undefined {
  return textOf(get(task, name, "timeZone"));
}

/** Zero is unset; above 3 come "urgent" and "do now". */
const VIKUNJA_PRIORITIES: Priority[] = ["none", "low", "medium", "high", "high", "high"];
/** How a program written in Go says that there is no time. */
const NO_TIME = /^0001-01-01T/;

const vikunja: Program = {
  name: "Vikunja",
  marks: [
    ["*.tasks.*.done"],
    ["*.lists.*.tasks.*.done"],
    ["*.title", "*.done"],
    ["*.title", "*.tasks", "*.identifier"],
  ],
  tasks: ["*.tasks.*", "*.lists.*.tasks.*", "*"],
  id: "id",
  title: "title",
  unkept: ["repeat_after", "reminders", "attachments", "comments", "assignees", "percent_done"],
  read(task, { file, path }) {
    const time = (name: string) => (NO_TIME.test(textOf(task[name]) ?? "") ? undefined : momentOf(task[name]));
    const lists = [path.slice(0, -2), path.length === 5 ? path.slice(0, 1) : []].filter(({ length }) => length > 0);
    return {
      title: textOf(task["title"]),
      description: textOfHtml(textOf(task["description"]) ?? "") || null,
      completed: task["done"] === true,
      completedAt: time("done_at"),
      priority: VIKUNJA_PRIORITIES[Number(textOf(task["priority"]) ?? 0)] ?? "none",
      due: time("due_date"),
      tags: [
        ...listOf(task["labels"]).flatMap((label) => textOf(get(label, "title")) ?? []),
        ...lists.flatMap((list) => textOf(get(get(file, ...list), "title")) ?? []),
      ],
      createdAt: time("created"),
      parent: textOf(get(task, "related_tasks", "parenttask", 0, "title")),
    };
  },
};

const taskwarrior: Program = {
  name: "Taskwarrior",
  marks: [
    ["*.description", "*.uuid"],
    ["*.description", "*.entry", "*.status"],
  ],
  tasks: ["*"],
  id: "uuid",
  title: "description",
  unkept: ["recur", "depends", "wait", "scheduled", "until", "start"],
  read(task, { titleOf }) {
    if (task["status"] === "deleted") return "was deleted there";
    if (task["status"] === "recurring") return "is the template of a series; its occurrences are imported";
    const annotations = listOf(task["annotations"]).map((each) => textOf(get(each, "description")));
    return {
      title: textOf(task["description"]),
      description: joined(annotations),
      completed: task["status"] === "completed",
      completedAt: task["status"] === "completed" ? momentOf(task["end"]) : undefined,
      priority: THREE_LEVELS.get(task["priority"]),
      due: momentOf(task["due"]),
      tags: [...textsOf(task["tags"]), ...[textOf(task["project"]) ?? ""]],
      createdAt: momentOf(task["entry"]),
      parent: titleOf(task["partof"]),
    };
  },
};

/** Stores of tasks, in an export and in a backup of later versions. */
const STORES = ["task", "taskArchive", "archiveYoung.task", "archiveOld.task"].flatMap((store) => [
  store,
  `data.${store}`,
]);

const superProductivity: Program = {
  name: "Super Productivity",
  marks: STORES.map((store) => [`${store}.entities`]),
  tasks: STORES.map((store) => `${store}.entities.*`),
  id: "id",
  title: "title",
  unkept: ["attachments", "repeatCfgId", "reminderId", "timeEstimate"],
  read(task, { file, titleOf }) {
    const root = get(file, "data") ?? file;
    const nameOf = (store: string, id: unknown) => textOf(get(root, store, "entities", textOf(id) ?? "", "title"));
    const tags = textsOf(task["tagIds"]).filter((id) => id !== "TODAY");
    return {
      title: textOf(task["title"]),
      description: textOf(task["notes"]),
      completed: task["isDone"] === true,
      completedAt: momentOf(task["doneOn"]),
      due: timeOf(task["dueWithTime"] ?? task["dueDay"] ?? task["plannedAt"]),
      tags: [...tags.map((id) => nameOf("tag", id)), nameOf("project", task["projectId"])].flatMap((tag) => tag ?? []),
      createdAt: momentOf(task["created"]),
      parent: titleOf(task["parentId"]),
    };
  },
};

/** Tried in this order. */
export const PROGRAMS: Program[] = [superProductivity, todoist, microsoftToDo, googleTasks, taskwarrior, vikunja];

const NAMES = new WeakMap<object, Map<string, string>>();

/** The name of what has this id in a list of a file. Each list is read once. */
function namesOf(list: unknown, id: unknown, name: string): string[] {
  const key = textOf(id);
  if (!Array.isArray(list) || key === undefined) return [];
  const names =
    NAMES.get(list) ?? new Map(list.map((each) => [textOf(get(each, "id")) ?? "", textOf(get(each, name)) ?? ""]));
  NAMES.set(list, names);
  return [names.get(key) ?? ""].filter(Boolean);
}

function joined(parts: (string | undefined)[]): string | null {
  return parts.filter(Boolean).join("\n\n") || null;
}
