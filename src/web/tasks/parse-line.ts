/** Reads a task from a line: `Pay rent tomorrow 9am !high #home`. What is read becomes a chip that can be taken off. */

import type { NewTask, Priority } from "../../client/index.ts";
import { MAX_TAGS } from "../../client/replica/index.ts";

/** A part of the line that means something. */
export type Chip = { kind: "due" | "priority" | "tag"; text: string; at: number; value: string };

/** What a line says of its task. */
export type LineTask = Required<Pick<NewTask, "title" | "due" | "priority" | "tags">>;

/** Finds dates in natural language. It is loaded when it is first needed. */
export type FindDate = (line: string) => { text: string; at: number; due: string } | undefined;

const PRIORITIES: Record<string, Priority> = {
  high: "high",
  medium: "medium",
  low: "low",
  "1": "high",
  "2": "medium",
  "3": "low",
};

/** @param refused the texts of chips that the person took off: they belong to the title */
export function chipsOf(line: string, findDate: FindDate | undefined, refused: readonly string[]): Chip[] {
  const chips: Chip[] = [];
  for (const { 0: text, 1: name = "", index } of line.matchAll(/(?<=^|\s)!(high|medium|low|[123])(?=\s|$)/gi)) {
    chips.push({ kind: "priority", text, at: index, value: PRIORITIES[name.toLowerCase()] ?? "none" });
  }
  const tags = new Set<string>();
  for (const { 0: text, 1: value = "", index } of line.matchAll(/(?<=^|\s)#([^\s#]{1,40})(?=\s|$)/gu)) {
    // Those beyond the limit stay in the title.
    if (tags.size < MAX_TAGS || tags.has(value.toLowerCase())) chips.push({ kind: "tag", text, at: index, value });
    tags.add(value.toLowerCase());
  }
  // Tags and priorities are hidden from it, so that #monday is no date.
  const plain = line.replaceAll(/(?<=^|\s)[#!]\S+/gu, (text) => " ".repeat(text.length));
  const date = findDate?.(plain);
  if (date) chips.push({ kind: "due", text: date.text, at: date.at, value: date.due });
  return chips.filter(({ text }) => !refused.includes(text)).sort((a, b) => a.at - b.at);
}

/** The task of a line with its chips: the last priority, each tag once. A line that is only chips is a title. */
export function taskOf(line: string, chips: readonly Chip[]): LineTask {
  let title = "";
  let end = 0;
  for (const { at, text } of chips) {
    title += line.slice(end, at);
    end = at + text.length;
  }
  title += line.slice(end);
  if (title.trim() === "" && chips.length > 0) return taskOf(line, []);
  const tags = new Map(chips.filter(({ kind }) => kind === "tag").map(({ value }) => [value.toLowerCase(), value]));
  const chosen = (kind: Chip["kind"]) => chips.findLast((chip) => chip.kind === kind)?.value;
  return {
    title: title.replaceAll(/\s+/g, " ").trim(),
    due: chosen("due") ?? null,
    priority: (chosen("priority") ?? "none") as Priority,
    tags: [...tags.values()],
  };
}

/** The lines of a pasted text, without list marks and empty lines. */
export function linesOf(text: string): string[] {
  return text
    .split(/\r\n|\r|\n/)
    .map((line) => line.replace(/^\s*(?:[-*•]\s+(?:\[[ x]\]\s+)?|\d{1,3}[.)]\s+)?/i, "").trim())
    .filter((line) => line !== "");
}
