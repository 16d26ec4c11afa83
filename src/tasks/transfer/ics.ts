/**
 * Tasks as iCalendar to-dos (RFC 5545, section 3.6.2), for calendars and task programs. Where iCalendar cannot say
 * exactly what a task says (milliseconds, control characters, an empty text), X-EDGE-TASKS says it as JSON in base64.
 */
import ICAL from "ical.js";
import { base64url } from "jose";
import type { Task } from "../model.ts";
import { type Entry, UnreadableFile, type Writer } from "./format.ts";

/** 1 is the highest, 9 the lowest, 0 undefined (RFC 5545, section 3.8.1.9). */
const PRIORITY_NUMBERS = { none: 0, low: 9, medium: 5, high: 1 };
const EXACTLY = "x-edge-tasks";
const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
// biome-ignore lint/suspicious/noControlCharactersInRegex: it is what TEXT may not hold.
const CONTROL_CHARACTERS = /[\x00-\x08\x0B-\x1F\x7F]/g;

// RFC 5545 allows 75 octets; the library leaves out the space that each further line begins with.
ICAL.foldLength = 74;

export const icsWriter: Writer = {
  contentType: "text/calendar; charset=utf-8",
  opening: "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Edge Tasks//EN\r\n",
  chunk: (tasks) => tasks.map((task) => `${toTodo(task).toString()}\r\n`).join(""),
  end: "END:VCALENDAR\r\n",
};

export function readIcs(text: string): Entry[] {
  return todosIn(text).map((todo) => {
    try {
      const uid = textOf(todo, "uid");
      const isOurs = uid !== undefined && UUID.test(uid);
      return isOurs ? { fields: { id: uid, ...fromTodo(todo) } } : { fields: fromTodo(todo), uid };
    } catch {
      return { error: "must be a VTODO with readable properties" };
    }
  });
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

function fromTodo(todo: ICAL.Component): Record<string, unknown> {
  const status = textOf(todo, "status");
  const completedAt = timeOf(todo, "completed");
  return {
    title: textOf(todo, "summary") ?? "",
    description: textOf(todo, "description") ?? null,
    completed: status === undefined ? completedAt !== undefined : status.toUpperCase() === "COMPLETED",
    ...(completedAt !== undefined && { completedAt }),
    priority: priorityOf(Number(todo.getFirstPropertyValue("priority") ?? 0)),
    due: dueOf(todo),
    tags: tagsOf(todo),
    createdAt: timeOf(todo, "created"),
    ...exactOf(todo),
  };
}

function todosIn(text: string): ICAL.Component[] {
  try {
    const parsed: unknown = ICAL.parse(text);
    // One calendar, or several in a row.
    const calendars = Array.isArray(parsed) && Array.isArray(parsed[0]) ? parsed : [parsed];
    return calendars.flatMap((calendar) => new ICAL.Component(calendar).getAllSubcomponents("vtodo"));
  } catch {
    throw new UnreadableFile("must be iCalendar");
  }
}

/** Adds a day, or an instant to the second. */
function addTime(todo: ICAL.Component, name: string, text: string): void {
  const isDay = text.length === "YYYY-MM-DD".length;
  const value = isDay ? text : `${text.slice(0, "YYYY-MM-DDTHH:MM:SS".length)}Z`;
  todo.addProperty(new ICAL.Property([name, {}, isDay ? "date" : "date-time", value]));
}

/** TEXT holds line feeds and tabs, and no other control character. */
function toText(text: string): string {
  return text.replaceAll(/\r\n?/g, "\n").replaceAll(CONTROL_CHARACTERS, "\uFFFD");
}

function textOf(todo: ICAL.Component, name: string): string | undefined {
  const value = todo.getFirstPropertyValue(name);
  return value === null ? undefined : String(value);
}

function dueOf(todo: ICAL.Component): string | null {
  return timeOf(todo, "due") ?? null;
}

/** A day or an instant, as it is written: what is none is for the task's own checks to refuse. Floating time is UTC. */
function timeOf(todo: ICAL.Component, name: string): string | undefined {
  const property = todo.getFirstProperty(name);
  const value = property?.getFirstValue();
  if (!property || !(value instanceof ICAL.Time)) return undefined;
  const written = String(property.toJSON()[3]);
  if (property.type === "date" || written.endsWith("Z")) return written;
  if (property.getFirstParameter("tzid") === undefined) return `${written}Z`;
  const isKnown = value.zone !== null && value.zone.tzid !== "floating";
  return isKnown ? value.toJSDate().toISOString() : written;
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

/** What we wrote exactly, as far as nobody has changed it since. */
function exactOf(todo: ICAL.Component): Record<string, unknown> {
  const text = textOf(todo, EXACTLY);
  if (text === undefined) return {};
  const exact: Task = JSON.parse(new TextDecoder().decode(base64url.decode(text)));
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
