/**
 * Writes tasks as to-dos. iCalendar has no milliseconds, control characters or empty texts, so X-EDGE-TASKS holds the exact
 * values as JSON in base64. Lines that were kept from another program come out again, as long as they say what the task says.
 */
import ICAL from "ical.js";
import { base64url } from "jose";
import { isTaskId, MAX_TAGS } from "../../fields.ts";
import type { ExportedTask } from "../../model.ts";
import { type Found, fitFields, type Priority } from "../fit.ts";
import { isObject, type Writer } from "../format.ts";
import { type FindZone, openZones } from "../zones.ts";
import { fold, type Property, parseProperty } from "./lines.ts";
import { EXACTLY, type Group, PROPERTIES_OF, readTodo } from "./todo.ts";

/** 1 is the highest, 9 the lowest, 0 undefined (RFC 5545, section 3.8.1.9). */
const PRIORITY_NUMBERS: Record<Priority, number> = { none: 0, low: 9, medium: 5, high: 1 };
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are the characters that TEXT must not hold.
const CONTROL_CHARACTERS = /[\x00-\x08\x0B-\x1F\x7F]/g;
const BEGIN = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Edge Tasks//EN\r\n";
/** A calendar must have a component (RFC 5545, section 3.6). Without a task, this one says nothing. */
const NOTHING = [
  "BEGIN:VTIMEZONE",
  "TZID:UTC",
  "BEGIN:STANDARD",
  "DTSTART:19700101T000000",
  "TZOFFSETFROM:+0000",
  "TZOFFSETTO:+0000",
  "END:STANDARD",
  "END:VTIMEZONE",
  "",
].join("\r\n");

export const icsWriter: Writer = {
  contentType: "text/calendar; charset=utf-8",
  opening: BEGIN,
  chunk: (tasks) => {
    const findZone = openZones();
    return tasks.map((task) => todoOf(task, findZone)).join("");
  },
  end: (isEmpty) => `${isEmpty ? NOTHING : ""}END:VCALENDAR\r\n`,
};

/** What the exact values are of. */
type Exact = Pick<ExportedTask, "title" | "description" | "due" | "tags" | "createdAt" | "completedAt"> &
  Partial<Pick<ExportedTask, "id" | "uid">>;

function todoOf(task: ExportedTask, findZone: FindZone): string {
  const { title, description, due, tags, createdAt, completedAt } = task;
  // Several tasks may have the same UID: then their ids tell them apart.
  const identity = task.uid === undefined ? {} : { id: task.id, uid: task.uid };
  const exact: Exact = { title, description, due, tags, createdAt, completedAt, ...identity };
  const { properties: kept, components } = keptOf(task.iCalendar ?? []);
  const groups = Object.keys(PROPERTIES_OF) as Group[];
  const lines = [
    // As it is written in the other program.
    `UID:${task.uid ?? task.id}`,
    timeLine("dtstamp", task.updatedAt),
    timeLine("last-modified", task.updatedAt),
    ...groups.flatMap((group) => linesOfGroup(group, task, kept, findZone)),
    ...kept.filter(({ name }) => groupOf(name) === undefined).map(({ line }) => line.text),
    `${EXACTLY}:${base64url.encode(JSON.stringify(exact))}`,
    ...components,
  ];
  return ["BEGIN:VTODO", ...lines, "END:VTODO"].map(fold).join("");
}

/** Our lines of a group, or those that were kept, if they say the same. */
function linesOfGroup(group: Group, task: ExportedTask, kept: readonly Property[], findZone: FindZone): string[] {
  const ours = canonicalLines(task)[group];
  const theirs = kept.filter(({ name }) => groupOf(name) === group);
  if (theirs.length === 0) return ours;
  const names = new Set(theirs.map(({ name }) => name));
  // DUE and DURATION exclude each other (RFC 5545, section 3.6.2).
  if (names.has("DURATION")) names.add("DUE");
  const joined = [...theirs.map(({ line }) => line.text), ...ours.filter((line) => !names.has(nameOf(line)))];
  const start = kept.filter(({ name }) => name === "DTSTART").map(({ line }) => line.text);
  const said = read([...joined, ...start], findZone);
  return isSame(group, said, read(ours, findZone)) ? joined : ours;
}

/** The lines that stand for the fields of a task, by group. */
export function canonicalLines(task: Exact & { completed: boolean; priority: Priority }): Record<Group, string[]> {
  const { title, description, completed, completedAt, priority, due, tags, createdAt } = task;
  return {
    title: [textLine("summary", title)],
    description: description === null ? [] : [textLine("description", description)],
    completion: [
      `STATUS:${completed ? "COMPLETED" : "NEEDS-ACTION"}`,
      ...(completedAt === null ? [] : [timeLine("completed", completedAt)]),
    ],
    priority: [`PRIORITY:${PRIORITY_NUMBERS[priority]}`],
    due: due === null ? [] : [timeLine("due", due)],
    tags: tags.map((tag) => textLine("categories", tag)),
    createdAt: [timeLine("created", createdAt)],
  };
}

/** Whether two tasks say the same by a group's properties. */
function isSame(group: Group, one: Found, other: Found): boolean {
  return JSON.stringify(sayingOf(group, one)) === JSON.stringify(sayingOf(group, other));
}

function sayingOf(group: Group, found: Found): unknown {
  const fitted = fitFields(found, () => {});
  if (group === "completion") return [fitted.completed, fitted.completedAt];
  if (group === "tags") return fitted.tags.toSorted();
  return fitted[group];
}

/** What lines say, each field within its limits. */
function read(lines: readonly string[], findZone: FindZone): Found {
  return readTodo(propertiesOf(lines), findZone, () => {});
}

function propertiesOf(lines: readonly string[]): Property[] {
  return lines.flatMap((text) => parseProperty({ text, number: 0 })?.property ?? []);
}

/** Kept lines: properties, and behind them whole components. */
function keptOf(lines: readonly string[]): { properties: Property[]; components: string[] } {
  const begin = lines.findIndex((line) => /^BEGIN:/i.test(line));
  const end = begin === -1 ? lines.length : begin;
  return { properties: propertiesOf(lines.slice(0, end)), components: lines.slice(end) };
}

/** The exact values of X-EDGE-TASKS, for each field whose properties say the same as when they were written. */
export function exactOf(properties: readonly Property[], found: Found): Partial<Found> {
  const text = properties.find(({ name }) => name === EXACTLY)?.values[0];
  const exact = text === undefined ? undefined : decode(text);
  if (!exact) return {};
  const completed = exact.completedAt !== null;
  const groups = canonicalLines({ ...exact, completed, priority: "none" });
  const written = read(Object.values(groups).flat(), () => undefined);
  const { title, description, due, tags, createdAt, completedAt } = exact;
  return {
    ...(isSame("title", found, written) && { title }),
    ...(isSame("description", found, written) && { description }),
    ...(isSame("due", found, written) && { due }),
    ...(isSame("tags", found, written) && { tags }),
    ...(isSame("createdAt", found, written) && { createdAt }),
    ...(completedAt !== null && isSame("completion", found, written) && { completedAt }),
  };
}

/** The id that a task with this UID had here. */
export function exactIdOf(properties: readonly Property[], uid: string): string | undefined {
  const text = properties.find(({ name }) => name === EXACTLY)?.values[0];
  const exact = text === undefined ? undefined : decode(text);
  return exact?.uid === uid && exact.id !== undefined && isTaskId(exact.id) ? exact.id : undefined;
}

/** Undefined for the value of another program. */
function decode(text: string): Exact | undefined {
  try {
    const exact: unknown = JSON.parse(new TextDecoder().decode(base64url.decode(text)));
    if (!isObject(exact)) return undefined;
    const { title, description, due, tags, createdAt, completedAt, id, uid } = exact;
    const isText = (value: unknown) => typeof value === "string";
    const isTextOrNull = (value: unknown) => value === null || isText(value);
    const areTags = Array.isArray(tags) && tags.length <= MAX_TAGS && tags.every(isText);
    const isExact = [title, createdAt].every(isText) && [description, due, completedAt].every(isTextOrNull) && areTags;
    const identity = isText(id) && isText(uid) ? { id, uid } : {};
    return isExact ? ({ title, description, due, tags, createdAt, completedAt, ...identity } as Exact) : undefined;
  } catch {
    return undefined;
  }
}

export function groupOf(name: string): Group | undefined {
  return GROUPS.get(name);
}

const GROUPS = new Map(
  Object.entries(PROPERTIES_OF).flatMap(([group, names]) => names.map((name) => [name as string, group as Group])),
);

function nameOf(line: string): string {
  return /^[\w-]+/.exec(line)?.[0].toUpperCase() ?? "";
}

/** TEXT may hold line feeds and tabs, but no other control character. */
function textLine(name: string, text: string): string {
  const storable = text.replaceAll(/\r\n?/g, "\n").replaceAll(CONTROL_CHARACTERS, "\uFFFD");
  return new ICAL.Property([name, {}, "text", storable]).toICALString();
}

/** A day, or an instant to the second. */
function timeLine(name: string, text: string): string {
  const isDay = text.length === "YYYY-MM-DD".length;
  const value = isDay ? text : `${text.slice(0, "YYYY-MM-DDTHH:MM:SS".length)}Z`;
  return new ICAL.Property([name, {}, isDay ? "date" : "date-time", value]).toICALString();
}
