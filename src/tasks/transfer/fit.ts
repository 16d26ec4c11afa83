/** Makes what another program says of a task fit our fields. What is cut or left out is noted. */
import {
  HAS_VISIBLE,
  MAX_DESCRIPTION_CHARACTERS,
  MAX_TAG_CHARACTERS,
  MAX_TAGS,
  MAX_TITLE_CHARACTERS,
  type PRIORITIES,
} from "../fields.ts";
import { foldText } from "../text.ts";

export type Priority = (typeof PRIORITIES)[number];

/** A task as a program writes it. Times are days or instants in UTC, as the task's schema reads them. */
export type Found = {
  title?: string | undefined;
  description?: string | null | undefined;
  completed?: boolean | undefined;
  completedAt?: string | undefined;
  priority?: Priority | undefined;
  due?: string | null | undefined;
  tags?: string[] | undefined;
  createdAt?: string | undefined;
};

/** Notes what was changed: the field's name in the file or of ours, and what was done. */
export type NoteField = (path: string, message: string) => void;

/** Folding takes time. Nobody writes more tags, and a task has fewer. */
const MAX_LOOKED_AT = 200;
const UNTITLED = "Untitled";

/** The fields of a task, each within its limits. */
export function fitFields(found: Found, note: NoteField) {
  const { completed = false, completedAt, priority = "none", due = null, createdAt } = found;
  const written = storable(found.description ?? "", "description", note);
  const whole = storable(found.title ?? "", "title", note).trim();
  const title = fitTitle(whole, written, note);
  // Nothing of a long title is lost, as far as the description has room.
  const text = [...whole].length > MAX_TITLE_CHARACTERS ? [whole, written].filter(Boolean).join("\n\n") : written;
  const description = cut(text, MAX_DESCRIPTION_CHARACTERS);
  if (description !== text) note("description", `was cut to ${MAX_DESCRIPTION_CHARACTERS} characters`);
  return {
    title,
    description: found.description == null && description === "" ? null : description,
    completed,
    ...(completed && completedAt !== undefined && { completedAt }),
    priority,
    due,
    tags: fitTags(found.tags ?? [], note),
    ...(createdAt !== undefined && { createdAt }),
  };
}

function fitTitle(title: string, description: string, note: NoteField): string {
  if (HAS_VISIBLE.test(title)) {
    const kept = cut(title, MAX_TITLE_CHARACTERS);
    if (kept !== title) note("title", `was cut to ${MAX_TITLE_CHARACTERS} characters; the description has all of it`);
    return kept.trim();
  }
  const line = description.split("\n").find((each) => HAS_VISIBLE.test(each));
  const title_ = line === undefined ? UNTITLED : cut(line.trim(), MAX_TITLE_CHARACTERS).trim();
  note("title", line === undefined ? `was missing; it is "${UNTITLED}" now` : "was missing; it is the description's");
  return title_;
}

function fitTags(tags: string[], note: NoteField): string[] {
  const fitting = new Map<string, string>();
  if (tags.length > MAX_LOOKED_AT) note("tags", `${tags.length - MAX_LOOKED_AT} were left out: there are too many`);
  for (const written of tags.slice(0, MAX_LOOKED_AT)) {
    const whole = storable(written, "tags", note).trim();
    const tag = cut(whole, MAX_TAG_CHARACTERS).trim();
    if (tag === "") continue;
    if (tag !== whole) note("tags", `${quoted(tag)} was cut to ${MAX_TAG_CHARACTERS} characters`);
    const key = foldText(tag);
    if (fitting.has(key)) continue;
    if (fitting.size < MAX_TAGS) fitting.set(key, tag);
    else note("tags", `${quoted(tag)} was left out: a task has at most ${MAX_TAGS} tags`);
  }
  return [...fitting.values()];
}

/** Text that JSON and SQLite both store. */
function storable(text: string, path: string, note: NoteField): string {
  const stored = text.toWellFormed().replaceAll("\0", "\uFFFD");
  if (stored !== text) note(path, "had characters that cannot be stored; each is \uFFFD now");
  return stored;
}

function cut(text: string, max: number): string {
  return text.length <= max ? text : [...text].slice(0, max).join("");
}

/** A text of a file within a message. */
export function quoted(text: string): string {
  return JSON.stringify(cut(text, 60));
}
