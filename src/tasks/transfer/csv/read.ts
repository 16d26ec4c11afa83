/** Reads tasks as CSV: our exports, also after a spreadsheet has saved them, other programs' files, and people's own. */
import { isTaskId } from "../../fields.ts";
import { fitFields, quoted } from "../fit.ts";
import { type Entry, type Note, type Reader, type ReadOptions, type TakeNote, UnreadableFile } from "../format.ts";
import { type Column, type CsvProgram, columnOf, csvProgramOf, isDone, priorityOf } from "./columns.ts";
import { type Order, orderIn, parseDate } from "./dates.ts";
import { type Row, rowsOf, type Separator } from "./rows.ts";
import { COLUMNS, unmark } from "./write.ts";

const SEPARATORS = [",", ";", "\t"] as const satisfies Separator[];
/** Some programs write a few lines about the file before the headings. */
const MAX_LINES_BEFORE = 10;

type Header = {
  headings: string[];
  /** Undefined for a column that is unknown. */
  columns: (Column | undefined)[];
  program: CsvProgram | undefined;
  order: Order | undefined;
};

/** What is known of a file by its first lines. */
export type CsvFile = { separator: Separator; program: string | undefined };

/**
 * Looks at the beginning of a text.
 * @returns undefined if no line of it names a column for titles
 */
export function csvFileOf(beginning: string): CsvFile | undefined {
  const lines = beginning.split(/\r\n|\n|\r/, MAX_LINES_BEFORE);
  for (const line of lines) {
    for (const separator of SEPARATORS) {
      const headings = cellsOf(line, separator);
      if (headings.some((heading) => columnOf(heading) === "title") && isHeader(headings)) {
        return { separator, program: isOurs(headings) ? undefined : csvProgramOf(headings)?.name };
      }
    }
  }
  return undefined;
}

/** A single heading says little: any line may be the word "Task". */
function isHeader(headings: string[]): boolean {
  const known = headings.filter((heading) => columnOf(heading) !== undefined);
  return known.length * 2 >= headings.length;
}

/** Reads CSV with these separators between its cells. */
export function csvReader(separator: Separator): Reader {
  return function* (text, note, options) {
    let header: Header | undefined;
    let before = 0;
    for (const row of rowsOf(text(), separator)) {
      if (header) yield toEntry(header, row, options);
      else if (isHeaderRow(row) || before === MAX_LINES_BEFORE || !hasHeader(text, separator)) {
        header = requireHeader(row, beginningOf(text), note, options);
      } else before += 1;
    }
    if (!header) requireHeader({ cells: [], line: 1 }, "", note, options);
  };
}

function isHeaderRow({ cells }: Row): boolean {
  return cells.some((cell) => columnOf(cell) === "title") && isHeader(cells);
}

/** Whether one of the first lines names the columns. */
function hasHeader(text: () => Iterable<string>, separator: Separator): boolean {
  return csvFileOf(beginningOf(text))?.separator === separator;
}

export function beginningOf(text: () => Iterable<string>): string {
  for (const piece of text()) return piece;
  return "";
}

function cellsOf(line: string, separator: Separator): string[] {
  return line.split(separator).map((cell) => cell.trim().replace(/^"(.*)"$/, "$1"));
}

function isOurs(headings: string[]): boolean {
  return headings.every((heading) => COLUMNS.some((column) => column === heading));
}

function requireHeader({ cells, line }: Row, beginning: string, note: TakeNote, { keepUnknown }: ReadOptions): Header {
  const columns = cells.map(columnOf);
  const unknown = cells.findIndex((_, index) => columns[index] === undefined);
  const unknownName = cells[unknown] ?? "";
  if (!columns.includes("title")) {
    const first = unknown >= 0 ? `; ${quoted(unknownName)} is unknown` : "";
    throw new UnreadableFile(
      `must begin with a line of column names, of which one is title${first}. Known are ${COLUMNS.join(", ")}, and the headings of docs/import.md`,
    );
  }
  if (unknown >= 0 && !keepUnknown) {
    throw new UnreadableFile(
      `has the unknown column ${quoted(unknownName)} in line ${line}. Known are ${COLUMNS.join(", ")}, and the headings of docs/import.md. Rename or remove it, or import with ?keepUnknown=true to keep it in the description`,
    );
  }
  if (new Set(cells).size < cells.length) throw new UnreadableFile("must not name a column twice");
  if (!keepUnknown && !isOurs(cells)) {
    for (const [index, heading] of cells.entries()) {
      if (columns[index] !== "none") continue;
      note({ line, path: heading, message: "has no field here; the column was left out. ?keepUnknown=true keeps it" });
    }
  }
  return { headings: cells, columns, program: csvProgramOf(cells), order: orderIn(beginning) };
}

function toEntry(header: Header, { cells, line }: Row, { keepUnknown }: ReadOptions): Entry {
  const { headings, columns, program, order } = header;
  if (cells.length > headings.length && cells.slice(headings.length).some((cell) => cell.trim() !== "")) {
    return { line, error: `must have ${headings.length} cells like the line of names, but has ${cells.length}` };
  }
  const notes: Note[] = [];
  const note = (path: string, message: string) => notes.push({ line, path, message });
  const said = headings.flatMap((heading, index) => {
    const cell = cells[index] ?? "";
    return cell === "" ? [] : [{ heading, column: columns[index], text: unmark(cell) }];
  });
  const named = (column: Column) => said.filter((each) => each.column === column);
  /** What no field can hold, as lines of the description. */
  const lines: string[] = [];

  const { completed, otherStatus } = completionOf(named("completed"));
  if (otherStatus) lines.push(otherStatus);
  const times = { due: timeIn("due"), completedAt: momentIn("completedAt"), createdAt: momentIn("createdAt") };
  const priority = priorityIn();
  for (const { text } of named("parent")) lines.unshift(`Part of: ${text}`);
  if (keepUnknown) {
    for (const { heading, column, text } of said) {
      if (column === undefined || column === "none") lines.push(`${heading}: ${text}`);
    }
  }
  const [title, ...otherTitles] = named("title").map(({ text }) => text);
  const [description, ...otherTexts] = named("description").map(({ text }) => text);
  const texts = [description ?? "", ...otherTitles, ...otherTexts, lines.join("\n")].filter(Boolean).join("\n\n");
  const fields = fitFields(
    {
      title,
      description: texts === "" && description === undefined ? null : texts,
      completed: completed ?? times.completedAt !== undefined,
      priority,
      ...times,
      tags: named("tags").flatMap(({ heading, text }) => tagsIn(text, heading)),
    },
    note,
  );
  return { line, notes, ...identify(named("id")[0]?.text ?? named("uid")[0]?.text, fields) };

  function completionOf(given: typeof said) {
    for (const { heading, text } of given) {
      const done = isDone(text);
      if (done !== undefined) return { completed: done };
      note(heading, `${quoted(text)} is neither done nor open; it was read as open, and kept in the description`);
      return { completed: undefined, otherStatus: `${heading}: ${text}` };
    }
    return { completed: undefined };
  }

  function timeIn(column: Column): string | undefined {
    const [first] = named(column);
    if (!first) return undefined;
    const date = parseDate(first.text, order);
    if (!date) {
      if (column === "due") lines.push(`${first.heading}: ${first.text}`);
      const where = column === "due" ? "it was kept in the description" : "it was left out";
      note(first.heading, `${quoted(first.text)} is no date that can be read; ${where}`);
    } else if (date.isUnclear) note(first.heading, `${quoted(first.text)} was read with the month first`);
    return date?.time;
  }

  function momentIn(column: Column): string | undefined {
    const time = timeIn(column);
    return time === undefined || time.includes("T") ? time : `${time}T00:00:00.000Z`;
  }

  function priorityIn() {
    const [first] = named("priority");
    if (!first) return undefined;
    const read = priorityOf(first.text, program);
    if (read === undefined) {
      note(first.heading, `${quoted(first.text)} is no priority; it was kept in the description`);
      lines.push(`${first.heading}: ${first.text}`);
    }
    return read;
  }
}

function identify(id: string | undefined, fields: Record<string, unknown>) {
  if (id === undefined) return { fields };
  const name = id.trim();
  return isTaskId(name) ? { fields: { id: name.toLowerCase(), ...fields } } : { fields, uid: name };
}

/** Tags as we write them, a JSON list; or as people do, with commas between. The name of a list is one tag. */
function tagsIn(text: string, heading: string): string[] {
  if (text.startsWith("[")) {
    try {
      const list: unknown = JSON.parse(text);
      if (Array.isArray(list)) return list.map(String);
    } catch {
      // Not a list of ours.
    }
  }
  if (/list|folder|project|section|board|area/i.test(heading)) return [text];
  return text.split(/[,;\n]/).map((tag) => tag.replace(/^\s*[#@]/, ""));
}
