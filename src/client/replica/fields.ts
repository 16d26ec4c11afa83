/** The fields of a task as the server reads them: the same normal form, so that equal values are equal, and the same limits. */
import type { NewTask, Task } from "../types.ts";
import type { Field, Fields } from "./model.ts";
import { foldText } from "./text.ts";

export const MAX_TITLE_CHARACTERS = 255;
export const MAX_DESCRIPTION_CHARACTERS = 1000;
export const MAX_TAGS = 20;
export const MAX_TAG_CHARACTERS = 40;
export const FIELDS = ["title", "description", "completed", "priority", "due", "tags"] as const satisfies Field[];
/** From least to most urgent. */
export const PRIORITIES = ["none", "low", "medium", "high"] as const;

const DAY = /^\d{4}-\d\d-\d\d$/;
const MOMENT = /^(\d{4}-\d\d-\d\d)T((?:[01]\d|2[0-3]):\d\d:\d\d)(?:\.(\d{1,3})\d*)?(Z|[+-](?:[01]\d|2[0-3]):[0-5]\d)$/i;
/** Whether a text shows anything: more than spaces, zero-width characters, fillers and empty Braille cells. */
const HAS_VISIBLE = /[^\s\p{Default_Ignorable_Code_Point}\u2800]/u;

/** Values that the server would refuse, by field. */
export class InvalidTask extends Error {
  override readonly name = "InvalidTask";
  readonly errors: { path: Field; message: string }[];

  constructor(errors: { path: Field; message: string }[]) {
    super(errors.map(({ path, message }) => `${path} ${message}`).join("; "));
    this.errors = errors;
  }
}

/** All fields of a new task in normal form. @throws {InvalidTask} */
export function newFields({ title, ...rest }: NewTask): Fields {
  return { ...EMPTY, ...normalize({ ...rest, title }), title: title.trim() };
}

const EMPTY = { description: null, completed: false, priority: "none", due: null, tags: [] as string[] } as const;

/** Fields in normal form; those that are undefined are left out. @throws {InvalidTask} */
export function normalize(fields: Partial<NewTask>): Partial<Fields> {
  const { title, description, completed, priority, due, tags } = fields;
  const normal: Partial<Fields> = {
    ...(title !== undefined && { title: title.trim() }),
    ...(description !== undefined && { description }),
    ...(completed !== undefined && { completed }),
    ...(priority !== undefined && { priority }),
    ...(due !== undefined && { due: due === null ? null : normalDue(due) }),
    ...(tags !== undefined && { tags: tags.map((tag) => tag.trim()) }),
  };
  const errors = FIELDS.flatMap((path) => {
    const message = path in normal ? faultOf(path, normal) : undefined;
    return message ? [{ path, message }] : [];
  });
  if (errors.length > 0) throw new InvalidTask(errors);
  return normal;
}

/** Whether two values of a field are the same to the server. */
export function isSame(field: Field, one: unknown, other: unknown): boolean {
  if (one === other || field !== "tags") return one === other;
  return Array.isArray(one) && Array.isArray(other) && setOf(one) === setOf(other);
}

export function fieldsOf(task: Task): Fields {
  const { title, description, completed, priority, due, tags } = task;
  return { title, description, completed, priority, due, tags };
}

/** The task with these fields. */
export function withFields(task: Task, fields: Partial<Fields>, now = task.updatedAt): Task {
  const { completed = task.completed } = fields;
  const completedAt = completed ? (task.completedAt ?? now) : null;
  return { ...task, ...fields, completed, completedAt };
}

/** The names of the fields that are set. */
export function namesOf(fields: Partial<Fields>): Field[] {
  return FIELDS.filter((name) => fields[name] !== undefined);
}

/** Some of the fields. */
export function pick(fields: Partial<Fields>, names: readonly Field[]): Partial<Fields> {
  return Object.fromEntries(names.filter((name) => name in fields).map((name) => [name, fields[name]]));
}

/** The names of the fields that are set, and not in others. */
export function without(fields: Partial<Fields>, others: Partial<Fields>): Field[] {
  return namesOf(fields).filter((name) => !(name in others));
}

/** A change or a conflict, of some of its fields. */
export function part<Whole extends { fields: Partial<Fields>; base: Partial<Fields> }>(
  whole: Whole,
  names: readonly Field[],
): Whole {
  return { ...whole, fields: pick(whole.fields, names), base: pick(whole.base, names) };
}

function setOf(tags: readonly string[]): string {
  return JSON.stringify([...tags].sort());
}

function normalDue(text: string): string {
  const [, day, time, fraction = "", zone = ""] = MOMENT.exec(text) ?? [];
  if (day === undefined || !isDay(day)) return text;
  const date = new Date(`${day}T${time}.${fraction.padEnd(3, "0")}${zone.toUpperCase()}`);
  return Number.isNaN(date.getTime()) ? text : date.toISOString();
}

/** Whether there is such a day. */
function isDay(text: string): boolean {
  const date = new Date(text);
  return DAY.test(text) && !Number.isNaN(date.getTime()) && date.toISOString().startsWith(text);
}

function faultOf(
  field: Field,
  { title = "", description, priority, due, tags = [] }: Partial<Fields>,
): string | undefined {
  if (field === "title")
    return !HAS_VISIBLE.test(title) ? "must not be blank" : faultOfText(title, MAX_TITLE_CHARACTERS);
  if (field === "description") return faultOfText(description ?? "", MAX_DESCRIPTION_CHARACTERS);
  if (field === "priority")
    return priority && PRIORITIES.includes(priority) ? undefined : "must be none, low, medium or high";
  if (field === "due")
    return due === null || isDue(due ?? "") ? undefined : "must be a day such as 2026-03-01, or an instant";
  return field === "tags" ? faultOfTags(tags) : undefined;
}

function faultOfText(text: string, max: number): string | undefined {
  if (!isWellFormed(text)) return "must not contain NUL or lone surrogates";
  return [...text].length > max ? `must be at most ${max} characters long` : undefined;
}

function faultOfTags(tags: string[]): string | undefined {
  if (tags.length > MAX_TAGS) return `must be at most ${MAX_TAGS} tags`;
  if (tags.some((tag) => tag === "")) return "must not be empty";
  const fault = tags.map((tag) => faultOfText(tag, MAX_TAG_CHARACTERS)).find((text) => text !== undefined);
  if (fault) return `${fault} each`;
  return new Set(tags.map(foldText)).size < tags.length ? "must differ in more than their case" : undefined;
}

/** Whether a due date in normal form is one: a day, or an instant in UTC. */
function isDue(due: string): boolean {
  const date = new Date(due);
  return isDay(due) || (MOMENT.test(due) && !Number.isNaN(date.getTime()) && date.toISOString() === due);
}

function isWellFormed(text: string): boolean {
  return !/\0|[\uD800-\uDBFF](?![\uDC00-\uDFFF])|(?<![\uD800-\uDBFF])[\uDC00-\uDFFF]/.test(text);
}
