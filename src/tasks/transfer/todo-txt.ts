/**
 * Tasks as todo.txt: one a line, such as `x 2026-03-01 (A) Call Ada +garden @phone due:2026-03-02`.
 * @see https://github.com/todotxt/todo.txt
 */
import { parseInstant } from "../fields.ts";
import { fitFields, type Priority } from "./fit.ts";
import { linesOf, MAX_ENTRY_CHARACTERS, type Note, type Reader } from "./format.ts";

const DATE = /^(\d{4}-\d\d-\d\d) /;
/** A, B and C; later letters are low too. */
const PRIORITIES = new Map<string, Priority>([
  ["A", "high"],
  ["B", "medium"],
]);

export const readTodoTxt: Reader = function* (text) {
  let line = 0;
  for (const written of linesOf(text(), MAX_ENTRY_CHARACTERS)) {
    line += 1;
    if (written.trim() === "") continue;
    const notes: Note[] = [];
    const fields = fitFields(parse(written.trim()), (path, message) => notes.push({ line, path, message }));
    yield { line, notes, fields };
  }
};

function parse(written: string) {
  let rest = written;
  const take = (form: RegExp): string | undefined => {
    const [whole, value] = form.exec(rest) ?? [];
    if (whole !== undefined) rest = rest.slice(whole.length);
    return value;
  };
  const day = (): string | undefined => {
    const date = take(DATE);
    return date && parseInstant(`${date}T00:00:00Z`)?.moment;
  };
  const completed = take(/^(x) +/) !== undefined;
  let letter = take(/^\(([A-Z])\) +/);
  const [first, second] = [day(), day()];
  letter ??= take(/^\(([A-Z])\) +/);
  const words = rest.split(/\s+/);
  const due = words.map((word) => /^due:(\d{4}-\d\d-\d\d)$/.exec(word)?.[1]).find((date) => date && isDay(date));
  // A completed task keeps its priority as a word.
  letter ??= words.map((word) => /^pri:([A-Z])$/.exec(word)?.[1]).find(Boolean);
  const isTag = (word: string) => /^[+@][^\s+@]/.test(word);
  const isRead = (word: string) => isTag(word) || word === `due:${due}` || word === `pri:${letter}`;
  return {
    title: words.filter((word) => !isRead(word)).join(" "),
    completed,
    completedAt: completed ? first : undefined,
    createdAt: completed ? second : first,
    priority: letter === undefined ? ("none" as const) : (PRIORITIES.get(letter) ?? ("low" as const)),
    due,
    tags: words.filter(isTag).map((word) => word.slice(1)),
  };
}

function isDay(text: string): boolean {
  return parseInstant(`${text}T00:00:00Z`) !== undefined;
}
