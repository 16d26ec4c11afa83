/**
 * Tasks as JSON: `{ "tasks": [...] }`. The list is cut into tasks by counting brackets, and each task is parsed on its own.
 * The text around the list is parsed at the end.
 */
import { type Entry, MAX_ENTRY_CHARACTERS, UnreadableFile, type Writer } from "./format.ts";

/** A task nests two levels. */
const MAX_NESTING = 20;
const TASK_TOO_LONG = `must not have a task of more than ${MAX_ENTRY_CHARACTERS} characters`;
const TOO_MUCH_AROUND = `must be an object with a list \`tasks\`, and at most ${MAX_ENTRY_CHARACTERS} characters around it`;

export const jsonWriter: Writer = {
  contentType: "application/json",
  opening: '{"tasks":[',
  chunk: (tasks, isFirst) => {
    const texts = tasks.map((task) => JSON.stringify(task));
    return (isFirst || texts.length === 0 ? "" : ",\n") + texts.join(",\n");
  },
  end: "]}\n",
};

export function* readJson(pieces: Iterable<string>): Generator<Entry, void, undefined> {
  let number = 0;
  let around = "";
  let hasList = false;
  for (const part of partsOf(pieces)) {
    if (part.isTask) {
      number += 1;
      if (part.isTooDeep) {
        yield { error: `must not be nested deeper than ${MAX_NESTING}` };
        continue;
      }
      const fields = parse(part.text, `must be JSON: task ${number} cannot be parsed`);
      yield isObject(fields) ? { fields } : { error: "must be an object" };
    } else {
      around += part.text;
      if (around.length > MAX_ENTRY_CHARACTERS) throw new UnreadableFile(TOO_MUCH_AROUND);
      if (part.opensList && hasList) throw new UnreadableFile("must have only one list `tasks`");
      hasList ||= part.opensList;
    }
  }
  const file = parse(around, "must be JSON: the text around the list cannot be parsed; the file may be incomplete");
  if (!isObject(file) || !Array.isArray(file["tasks"])) {
    throw new UnreadableFile("must be an object with a list `tasks`");
  }
}

type Part = { isTask: true; text: string; isTooDeep: boolean } | { isTask: false; text: string; opensList: boolean };

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;

/** Cuts the text into the tasks of the list and the text around it. */
function* partsOf(pieces: Iterable<string>): Generator<Part, void, undefined> {
  let depth = 0;
  let isInString = false;
  let isEscaped = false;
  let isInList = false;
  let isFirst = true;
  let isTooDeep = false;
  /** Whether the current member's value has begun. A second value would not be JSON. */
  let hasValue = false;
  /** The text of the current part, and the key that may come before the list. */
  let text = "";
  let key = "";

  for (const piece of pieces) {
    let start = 0;
    for (let at = 0; at < piece.length; at += 1) {
      const code = piece.charCodeAt(at);
      if (isInString) {
        if (isEscaped) isEscaped = false;
        else if (code === BACKSLASH) isEscaped = true;
        else if (code === QUOTE) isInString = false;
        continue;
      }
      if (code === QUOTE) {
        isInString = true;
        continue;
      }
      const opens = code === 0x5b || code === 0x7b;
      const closes = code === 0x5d || code === 0x7d;
      if (!opens && !closes && code !== COMMA) continue;
      if (isInList && depth === 2 && !opens) {
        const task = text + piece.slice(start, at);
        if (!closes || !isFirst || task.trim() !== "") yield { isTask: true, text: task, isTooDeep };
        isTooDeep = false;
        isFirst = false;
        text = "";
        start = closes ? at : at + 1;
        if (closes) isInList = false;
      } else if (opens && depth === 1 && !hasValue) {
        hasValue = true;
        key = text + piece.slice(start, at);
        isInList = code === 0x5b && isTasksKey(key);
        isFirst = true;
        if (isInList) {
          yield { isTask: false, text: `${key}[`, opensList: true };
          text = "";
          start = at + 1;
        }
      } else if (code === COMMA && depth === 1) {
        yield { isTask: false, text: text + piece.slice(start, at), opensList: false };
        text = "";
        start = at;
        hasValue = false;
      }
      if (opens) depth += 1;
      if (closes) depth -= 1;
      if (depth > MAX_NESTING + 2) {
        if (!isInList) throw new UnreadableFile(`must not be nested deeper than ${MAX_NESTING}`);
        isTooDeep = true;
      }
    }
    text += piece.slice(start);
    if (text.length > MAX_ENTRY_CHARACTERS) {
      throw new UnreadableFile(isInList ? TASK_TOO_LONG : TOO_MUCH_AROUND);
    }
  }
  yield { isTask: false, text, opensList: false };
}

/** Tells whether the text before a value is the key of the list: `, "tasks": `. */
function isTasksKey(member: string): boolean {
  const [, name] = /^\s*[{,]\s*("(?:[^"\\]|\\.)*")\s*:\s*$/.exec(member) ?? [];
  return name !== undefined && parse(name, "must be JSON") === "tasks";
}

function parse(text: string, otherwise: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new UnreadableFile(otherwise);
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
