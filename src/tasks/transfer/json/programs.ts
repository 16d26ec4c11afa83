/**
 * The JSON of other programs: by which names it is known, where its tasks stand, and what each says. docs/import.md has the
 * tables and their sources.
 */
import type { Found, Priority } from "../fit.ts";
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
  /** Reads a time, and notes one that cannot be read under this name. */
  time: (name: string, value: unknown, timeZone?: string) => string | undefined;
  /** The same, but an instant in any case. */
  moment: (name: string, value: unknown, timeZone?: string) => string | undefined;
  /** Notes what cannot be read. */
  note: (name: string, message: string) => void;
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
  read(task, { file, path, titleOf, time, moment }) {
    if (task["deleted"] === true) return "was deleted there";
    const list = path.length === 4 ? textOf(get(file, "items", path[1] ?? 0, "title")) : undefined;
    return {
      title: textOf(task["title"]),
      description: textOf(task["notes"]),
      completed: task["status"] === "completed",
      completedAt: moment("completed", task["completed"]),
      // The time of day is not stored there.
      due: time("due", task["due"])?.slice(0, "YYYY-MM-DD".length),
      tags: list === undefined ? [] : [list],
      createdAt: moment("created", task["created"] ?? task["updated"]),
      parent: titleOf(task["parent"]),
    };
  },
};

const TODOIST_PRIORITIES = new Map<unknown, Priority>([
  [1, "none"],
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
  read(item, context) {
    const { file, titleOf, time, moment } = context;
    if (item["is_deleted"] === true || item["is_deleted"] === 1) return "was deleted there";
    const repeats = get(item, "due", "is_recurring") === true ? textOf(get(item, "due", "string")) : undefined;
    return {
      title: textOf(item["content"]),
      description: joined([textOf(item["description"]), repeats && `Repeats: ${repeats}`]),
      completed: [true, 1].includes(item["checked"] as number) || item["completed_at"] != null,
      completedAt: moment("completed_at", item["completed_at"]),
      priority: priorityOf(TODOIST_PRIORITIES, Number(textOf(item["priority"]) ?? 1), context),
      due: time(
        "due",
        get(item, "due", "datetime") ?? get(item, "due", "date") ?? item["due"],
        textOf(get(item, "due", "timezone")),
      ),
      tags: [
        ...labelsOf("labels", item["labels"], context),
        ...namesOf(get(file, "projects"), item["project_id"], "name"),
        ...namesOf(get(file, "sections"), item["section_id"], "name"),
      ],
      createdAt: moment("added_at", item["added_at"] ?? item["date_added"] ?? item["created_at"]),
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
  read(task, context) {
    const { file, path, time, moment } = context;
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
      completedAt: moment(
        "completedDateTime",
        get(task, "completedDateTime", "dateTime"),
        zoneOf(task, "completedDateTime"),
      ),
      priority: priorityOf(THREE_LEVELS, task["importance"], context),
      due: time("dueDateTime", dayOrTime(task), zoneOf(task, "dueDateTime")),
      tags: [...labelsOf("categories", task["categories"], context), ...(list === undefined ? [] : [list])],
      createdAt: moment("createdDateTime", task["createdDateTime"]),
    };
  },
};

/** A due date there is a day: midnight in the zone of its person. */
function dayOrTime(task: Values): unknown {
  const written = get(task, "dueDateTime", "dateTime") ?? task["dueDateTime"];
  return /^(\d{4}-\d\d-\d\d)T00:00:00(?:\.0+)?$/.exec(textOf(written) ?? "")?.[1] ?? written;
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
  read(task, context) {
    const { file, path, moment } = context;
    const time = (name: string) => (NO_TIME.test(textOf(task[name]) ?? "") ? undefined : moment(name, task[name]));
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
  read(task, context) {
    const { titleOf, moment } = context;
    if (task["status"] === "deleted") return "was deleted there";
    if (task["status"] === "recurring") return "is the template of a series; its occurrences are imported";
    const annotations = listOf(task["annotations"]).map((each) => textOf(get(each, "description")));
    return {
      title: textOf(task["description"]),
      description: joined(annotations),
      completed: task["status"] === "completed",
      completedAt: task["status"] === "completed" ? moment("end", task["end"]) : undefined,
      priority: priorityOf(THREE_LEVELS, task["priority"], context),
      due: moment("due", task["due"]),
      tags: [...labelsOf("tags", task["tags"], context), ...[textOf(task["project"]) ?? ""]],
      createdAt: moment("entry", task["entry"]),
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
  read(task, context) {
    const { file, titleOf, time, moment } = context;
    const root = get(file, "data") ?? file;
    const nameOf = (store: string, id: unknown) => textOf(get(root, store, "entities", textOf(id) ?? "", "title"));
    const tags = labelsOf("tagIds", task["tagIds"], context).filter((id) => id !== "TODAY");
    return {
      title: textOf(task["title"]),
      description: textOf(task["notes"]),
      completed: task["isDone"] === true,
      completedAt: moment("doneOn", task["doneOn"]),
      due: time("dueDay", task["dueWithTime"] ?? task["dueDay"] ?? task["plannedAt"]),
      tags: [...tags.map((id) => nameOf("tag", id)), nameOf("project", task["projectId"])].flatMap((tag) => tag ?? []),
      createdAt: moment("created", task["created"]),
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

/** A priority that is none of the known ones is noted. */
function priorityOf(known: ReadonlyMap<unknown, Priority>, value: unknown, { note }: Context): Priority | undefined {
  const priority = known.get(value);
  if (priority === undefined && value != null && value !== "")
    note("priority", "is none that is known; it was left out");
  return priority;
}

function labelsOf(name: string, value: unknown, { note }: Context): string[] {
  if (typeof value === "string" && value !== "") return [value];
  const labels = textsOf(value);
  if (value != null && (!Array.isArray(value) || labels.length < value.length)) {
    note(name, "holds what is no text; that was left out");
  }
  return labels;
}

function joined(parts: (string | undefined)[]): string | null {
  return parts.filter(Boolean).join("\n\n") || null;
}
