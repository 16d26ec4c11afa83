/**
 * The headings of CSV files: ours, those of other programs, and people's own. docs/import.md shows the table and its
 * sources.
 */
import type { Priority } from "../fit.ts";

/** What a column says of a task. `part` names the task that it is a part of; `none` has no field, and is left out. */
export type Column =
  | "id"
  | "uid"
  | "title"
  | "description"
  | "completed"
  | "completedAt"
  | "priority"
  | "due"
  | "tags"
  | "createdAt"
  | "parent"
  | "none";

/** Headings in small letters, without signs: "Due Date", "due_date" and "DUE DATE" are the same. */
const SYNONYMS: Record<Column, string> = {
  id: "id",
  uid: "uid, task id, taskid, card id, uuid",
  title: "title, name, task, task name, subject, content, summary, card name, to do, todo, item, description of task",
  description: "description, notes, note, details, body, card description, comment, comments, text",
  completed:
    "completed, done, status, is completed, is done, complete, finished, checked, checkbox, due complete, state",
  completedAt:
    "completed at, completedat, completed time, completed on, date completed, completion date, completed date, done at, finished at",
  priority: "priority, importance, prio",
  due: "due, due date, duedate, deadline, date, due at, due on, due time, end date",
  tags: "tags, tag, labels, label, categories, category, list, list name, folder, folder name, project, projects, section column, section, board name, keywords, context, contexts, area",
  createdAt: "created at, createdat, created, created time, created on, date created, creation date, created date",
  parent: "parent, parent task, parentid, parent item",
  none: "updatedat, updated at, last modified, last edited time, type, indent, author, responsible, date lang, timezone, time zone, kind, is check list, is checklist, start date, start, reminder, repeat, order, is all day, is floating, column name, column order, view mode, duration, duration unit, meta, view style, is collapsed, assignee, assignee email, blocked by dependencies, blocking dependencies, card url, members, attachment count, attachment links, checklist item total count, checklist item completed count, vote count, comment count, last activity date, list id, board id, archived, due reminder, created by, last edited by, actual work, total work, billing information, companies, contacts, assigned to, owner, recurrence, delegated to, deadline lang, duration unit, date completed lang, mileage, private, role, schedule priority, sensitivity, show date, start time, reminder on off, reminder date, reminder time, request status, revision, deletedat",
};

const BY_HEADING = new Map(
  Object.entries(SYNONYMS).flatMap(([column, names]) =>
    names.split(", ").map((name): [string, Column] => [name, column as Column]),
  ),
);

/** The column of a heading; undefined for one that nobody knows. */
export function columnOf(heading: string): Column | undefined {
  // A separator too many at the end of a line.
  if (heading.trim() === "") return "none";
  return BY_HEADING.get(keyOf(heading)) ?? BY_HEADING.get(keyOf(heading).replaceAll(" ", ""));
}

/** A heading without case and signs. */
export function keyOf(heading: string): string {
  return heading
    .normalize("NFKC")
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}]+/gu, " ")
    .trim();
}

/** A program whose columns are known by these headings. */
export type CsvProgram = { name: string; marks: string[]; priorities: ReadonlyMap<string, Priority> };

const WORDS = new Map<string, Priority>(
  Object.entries({
    ...{ none: "none", normal: "none", low: "low", medium: "medium", high: "high" },
    ...{ urgent: "high", highest: "high", critical: "high", lowest: "low", moderate: "medium", "": "none" },
    ...{ h: "high", m: "medium", l: "low", p1: "high", p2: "medium", p3: "low", p4: "none" },
    ...{ "!": "low", "!!": "medium", "!!!": "high" },
  }),
);

/** Numbers mean something else in each program. */
const PROGRAMS: CsvProgram[] = [
  { name: "Todoist", marks: ["type", "content"], priorities: numbers("high", "medium", "low", "none") },
  {
    name: "TickTick",
    marks: ["list name", "title", "kind"],
    priorities: new Map([...WORDS, ["0", "none"], ["1", "low"], ["3", "medium"], ["5", "high"]]),
  },
  { name: "Asana", marks: ["task id", "name"], priorities: WORDS },
  { name: "Trello", marks: ["card id", "card name"], priorities: WORDS },
  { name: "Outlook", marks: ["subject", "due date"], priorities: WORDS },
  { name: "Notion", marks: ["name", "created time"], priorities: WORDS },
];

function numbers(...names: Priority[]): Map<string, Priority> {
  return new Map([...WORDS, ...names.map((name, index): [string, Priority] => [String(index + 1), name])]);
}

const ANY: ReadonlyMap<string, Priority> = numbers("high", "medium", "low", "none").set("0", "none");

/** The program that has these headings, if it is known. */
export function csvProgramOf(headings: readonly string[]): CsvProgram | undefined {
  const keys = new Set(headings.map(keyOf));
  return PROGRAMS.find(({ marks }) => marks.every((mark) => keys.has(mark)));
}

/** A cell as a priority; undefined for a word that nobody knows. */
export function priorityOf(cell: string, program: CsvProgram | undefined): Priority | undefined {
  return (program?.priorities ?? ANY).get(cell.trim().toLowerCase());
}

const IS_DONE = new Map<string, boolean>([
  ...words(
    "true, yes, y, x, 1, done, completed, complete, checked, finished, closed, archived, wahr, ja, vrai, oui, sí, si, ✓, ✔, ☑, ✅, [x], 2, 100, 100%",
    true,
  ),
  ...words(
    "false, no, n, 0, open, not started, in progress, to do, todo, not done, incomplete, needs action, pending, waiting, waiting on someone else, deferred, active, new, backlog, unchecked, falsch, nein, faux, non, ☐, [ ], normal, 0%",
    false,
  ),
]);

function words(list: string, isDone: boolean): [string, boolean][] {
  return list.split(", ").map((word) => [word, isDone]);
}

/** A cell as whether a task is completed; undefined for a word that nobody knows. */
export function isDone(cell: string): boolean | undefined {
  return cell.trim() === "" ? false : IS_DONE.get(cell.trim().toLowerCase());
}
