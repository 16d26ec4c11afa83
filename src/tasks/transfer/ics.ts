/**
 * Tasks as iCalendar to-dos (RFC 5545, section 3.6.2). iCalendar has no milliseconds, control characters or empty texts, so
 * X-EDGE-TASKS holds the exact values as JSON in base64.
 */
import ICAL from "ical.js";
import { base64url } from "jose";
import type { FieldError } from "../../http/problem-details.ts";
import { isTaskId, MAX_TAGS } from "../fields.ts";
import type { Task } from "../model.ts";
import { type Entry, MAX_ENTRY_CHARACTERS, UnreadableFile, type Writer } from "./format.ts";
import { openZones, type Zones } from "./zones.ts";

/** 1 is the highest, 9 the lowest, 0 undefined (RFC 5545, section 3.8.1.9). */
const PRIORITY_NUMBERS = { none: 0, low: 9, medium: 5, high: 1 };
const EXACTLY = "x-edge-tasks";
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are the characters that TEXT must not hold.
const CONTROL_CHARACTERS = /[\x00-\x08\x0B-\x1F\x7F]/g;

// RFC 5545 allows 75 octets. The library does not count the space at the beginning of a continued line.
ICAL.foldLength = 74;

export const icsWriter: Writer = {
  contentType: "text/calendar; charset=utf-8",
  opening: "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Edge Tasks//EN\r\n",
  chunk: (tasks) => tasks.map((task) => `${toTodo(task).toString()}\r\n`).join(""),
  end: "END:VCALENDAR\r\n",
};

/** Our own to-dos take 25 KB at most. The library takes quadratic time for much longer lines. */
const MAX_LINE_CHARACTERS = 32 * 1024;
const MAX_PROPERTIES = 500;
const MAX_PARAMETERS = 50;
const MAX_NESTING = 10;

/** Reads the to-dos of a file one by one. Everything else, such as zones, is skipped. */
export function* readIcs(pieces: Iterable<string>): Generator<Entry, void, undefined> {
  const zones = openZones();
  /** The components around the line, outermost first. */
  const open: string[] = [];
  let hasBegun = false;
  let properties: string[] = [];
  for (const { text, number } of unfold(pieces)) {
    const [, edge, named = ""] = /^(BEGIN|END):([\w-]{1,40})\s*$/i.exec(text) ?? [];
    const name = named.toUpperCase();
    if (edge === undefined) {
      // A component inside a to-do, such as an alarm, holds nothing for a task.
      const isOfTodo = open.length > 0 && open.indexOf("VTODO") === open.length - 1;
      if (isOfTodo && properties.length <= MAX_PROPERTIES) properties.push(text);
    } else if (edge.toUpperCase() === "BEGIN") {
      hasBegun ||= name === "VCALENDAR" || name === "VTODO";
      if (name === "VTODO" && !open.includes(name)) properties = [];
      open.push(name);
      if (open.length > MAX_NESTING) throw new UnreadableFile(`must not be nested deeper than ${MAX_NESTING}`);
    } else {
      if (open.pop() !== name)
        throw new UnreadableFile(`must be iCalendar: line ${number} ends a component that did not begin`);
      if (name === "VTODO" && !open.includes(name)) yield toEntry(properties, zones);
    }
  }
  if (!hasBegun) throw new UnreadableFile("must be iCalendar: it has neither BEGIN:VCALENDAR nor BEGIN:VTODO");
  if (open.length > 0) throw new UnreadableFile(`must be iCalendar: it ends inside of ${open.at(-1)}`);
}

function toEntry(lines: string[], zones: Zones): Entry {
  if (lines.length > MAX_PROPERTIES) return { error: `must have at most ${MAX_PROPERTIES} properties` };
  if (lines.reduce((sum, { length }) => sum + length, 0) > MAX_ENTRY_CHARACTERS) {
    return { error: `must be at most ${MAX_ENTRY_CHARACTERS} characters long` };
  }
  if (lines.some((line) => parametersIn(line) > MAX_PARAMETERS)) {
    return { error: `must have at most ${MAX_PARAMETERS} parameters in each property` };
  }
  try {
    const todo = new ICAL.Component(ICAL.parse(["BEGIN:VTODO", ...lines, "END:VTODO"].join("\r\n")));
    const uid = textOf(todo, "uid");
    const isOurs = uid !== undefined && isTaskId(uid);
    const notes: FieldError[] = [];
    const fields = fromTodo(todo, zones, notes);
    return isOurs ? { fields: { id: uid, ...fields }, notes } : { fields, uid, notes };
  } catch {
    return { error: "must be a VTODO with readable properties" };
  }
}

/** The number of parameters before a property's value. A semicolon inside quotes counts too, which does no harm. */
function parametersIn(line: string): number {
  const [parameters = ""] = /^(?:[=,]"[^"]*"?|[^:])*/.exec(line) ?? [];
  return parameters.split(";").length - 1;
}

/** The lines of a file, with their continuations joined (RFC 5545, section 3.1). */
function* unfold(pieces: Iterable<string>): Generator<{ text: string; number: number }, void, undefined> {
  let parts: string[] = [];
  let length = 0;
  let number = 0;
  let first = 0;
  for (const line of linesOfFile(pieces)) {
    number += 1;
    if (line === "") continue;
    const continues = /^[ \t]/.test(line) && parts.length > 0;
    if (!continues && parts.length > 0) {
      yield { text: parts.join(""), number: first };
      parts = [];
      length = 0;
    }
    if (!continues) first = number;
    const part = continues ? line.slice(1) : line;
    length += part.length;
    if (length > MAX_LINE_CHARACTERS) {
      throw new UnreadableFile(
        `must not have a line of more than ${MAX_LINE_CHARACTERS} characters; line ${number} has`,
      );
    }
    if (part !== "") parts.push(part);
  }
  if (parts.length > 0) yield { text: parts.join(""), number: first };
}

/** The lines of a text that comes in pieces. */
function* linesOfFile(pieces: Iterable<string>): Generator<string, void, undefined> {
  let rest = "";
  for (const piece of pieces) {
    const lines = (rest + piece).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) yield line.endsWith("\r") ? line.slice(0, -1) : line;
    if (rest.length > MAX_LINE_CHARACTERS) yield rest;
  }
  yield rest;
}

function toTodo(task: Task): ICAL.Component {
  const todo = new ICAL.Component("vtodo");
  todo.addPropertyWithValue("uid", task.id);
  addTime(todo, "dtstamp", task.updatedAt);
  addTime(todo, "created", task.createdAt);
  addTime(todo, "last-modified", task.updatedAt);
  todo.addPropertyWithValue("summary", toText(task.title));
  if (task.description !== null) todo.addPropertyWithValue("description", toText(task.description));
  todo.addPropertyWithValue("status", task.completed ? "COMPLETED" : "NEEDS-ACTION");
  if (task.completedAt !== null) addTime(todo, "completed", task.completedAt);
  todo.addPropertyWithValue("priority", PRIORITY_NUMBERS[task.priority]);
  if (task.due !== null) addTime(todo, "due", task.due);
  for (const tag of task.tags) todo.addPropertyWithValue("categories", toText(tag));
  const { title, description, due, tags, createdAt, completedAt } = task;
  const exact = { title, description, due, tags, createdAt, completedAt };
  todo.addPropertyWithValue(EXACTLY, base64url.encode(JSON.stringify(exact)));
  return todo;
}

function fromTodo(todo: ICAL.Component, zones: Zones, notes: FieldError[]): Record<string, unknown> {
  const status = textOf(todo, "status");
  const time = (name: string, path: string) => timeOf(todo, name, zones, (message) => notes.push({ path, message }));
  const completedAt = time("completed", "completedAt");
  return {
    title: textOf(todo, "summary") ?? "",
    description: textOf(todo, "description") ?? null,
    completed: status === undefined ? completedAt !== undefined : status.toUpperCase() === "COMPLETED",
    ...(completedAt !== undefined && { completedAt }),
    priority: priorityOf(Number(todo.getFirstPropertyValue("priority") ?? 0)),
    due: time("due", "due") ?? null,
    tags: tagsOf(todo),
    createdAt: time("created", "createdAt"),
    ...exactOf(todo),
  };
}

/** Adds a day, or an instant to the second. */
function addTime(todo: ICAL.Component, name: string, text: string): void {
  const isDay = text.length === "YYYY-MM-DD".length;
  const value = isDay ? text : `${text.slice(0, "YYYY-MM-DDTHH:MM:SS".length)}Z`;
  todo.addProperty(new ICAL.Property([name, {}, isDay ? "date" : "date-time", value]));
}

/** TEXT may hold line feeds and tabs, but no other control character. */
function toText(text: string): string {
  return text.replaceAll(/\r\n?/g, "\n").replaceAll(CONTROL_CHARACTERS, "\uFFFD");
}

function textOf(todo: ICAL.Component, name: string): string | undefined {
  const value = todo.getFirstPropertyValue(name);
  return value === null ? undefined : String(value);
}

/** A day or an instant as it is written; the task's own schema refuses anything else. A time without a zone is UTC. */
function timeOf(todo: ICAL.Component, name: string, zones: Zones, note: (message: string) => void): string | undefined {
  const property = todo.getFirstProperty(name);
  const value = property?.getFirstValue();
  if (!property || !(value instanceof ICAL.Time)) return undefined;
  const written = String(property.toJSON()[3]);
  if (property.type === "date" || written.endsWith("Z")) return written;
  const zone = property.getFirstParameter("tzid");
  if (!zone) return `${written}Z`;
  const instant = zones.instantOf(written, zone);
  if (instant === null) return written;
  if (instant === undefined)
    note(`the time zone ${JSON.stringify(zone.slice(0, 60))} is unknown; the time was read as UTC`);
  return instant ?? `${written}Z`;
}

function priorityOf(number: number): Task["priority"] {
  if (number === 0) return "none";
  if (number < 5) return "high";
  return number === 5 ? "medium" : "low";
}

function tagsOf(todo: ICAL.Component): string[] {
  const tags = todo.getAllProperties("categories").flatMap((property) => property.getValues().map(String));
  return [...new Set(tags)];
}

/** The exact values of X-EDGE-TASKS, for each property that nobody changed since the export. */
function exactOf(todo: ICAL.Component): Record<string, unknown> {
  const text = textOf(todo, EXACTLY);
  if (text === undefined) return {};
  const exact: Task = JSON.parse(new TextDecoder().decode(base64url.decode(text)));
  // A value of another program.
  if (!Array.isArray(exact.tags) || exact.tags.length > MAX_TAGS) return {};
  const written = toTodo({ ...BLANK, ...exact });
  const isAsWritten = (name: string) => linesOf(written, name) === linesOf(todo, name);
  return {
    ...(isAsWritten("summary") && { title: exact.title }),
    ...(isAsWritten("description") && { description: exact.description }),
    ...(isAsWritten("due") && { due: exact.due }),
    ...(isAsWritten("categories") && { tags: exact.tags }),
    ...(isAsWritten("created") && { createdAt: exact.createdAt }),
    ...(isAsWritten("completed") && { completedAt: exact.completedAt }),
  };
}

function linesOf(todo: ICAL.Component, name: string): string {
  const lines = todo.getAllProperties(name).map((property) => property.toICALString());
  return lines.join("\n");
}

const BLANK: Task = {
  id: "",
  title: "",
  description: null,
  completed: false,
  completedAt: null,
  priority: "none",
  due: null,
  tags: [],
  createdAt: new Date(0).toISOString(),
  updatedAt: new Date(0).toISOString(),
  deletedAt: null,
  revision: 1,
};
