/** Reads tasks as CSV: our exports, also after a spreadsheet has saved them, other programs' files, and people's own. */
import { isTaskId } from "../../fields.ts";
import { fitFields, quoted } from "../fit.ts";
import { type Entry, type Note, type Reader, type ReadOptions, type TakeNote, UnreadableFile } from "../format.ts";
import { toMoment } from "../times.ts";
import { type FindZone, openZones } from "../zones.ts";
import { type Column, type CsvProgram, columnOf, csvProgramOf, isDone, keyOf, priorityOf } from "./columns.ts";
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
  /** Where columns stand that say how others are meant. */
  special: { type: number; isAllDay: number; timeZone: number };
};

/** What is known of a file by its first lines. */
export type CsvFile = { separator: Separator; program: string | undefined };

/**
 * Looks at the beginning of a text.
 * @param isCertain whether the caller says that it is CSV: then one heading is enough
 * @returns undefined if none of its first lines names the columns
 */
export function csvFileOf(beginning: string, isCertain: boolean): CsvFile | undefined {
  const lines = beginning.split(/\r\n|\n|\r/, MAX_LINES_BEFORE + 1);
  for (const [index, line] of lines.entries()) {
    for (const separator of SEPARATORS) {
      const headings = cellsOf(line, separator);
      // A line of prose may be the word "Task": further down, and in other text, it takes two headings.
      const isEnough = headings.length > 1 || (isCertain && index === 0);
      if (isEnough && isHeader(headings)) {
        return { separator, program: isOurs(headings) ? undefined : csvProgramOf(headings)?.name };
      }
    }
  }
  return undefined;
}

/** The separator that the first line has most of. */
export function separatorIn(beginning: string): Separator {
  const [line = ""] = beginning.split(/[\r\n]/, 1);
  const counts = SEPARATORS.map((separator) => [line.split(separator).length, separator] as const);
  return counts.toSorted(([one], [other]) => other - one)[0]?.[1] ?? ",";
}

/** Whether a line names a column for titles, and most of its headings are known. */
function isHeader(headings: string[]): boolean {
  const known = headings.filter((heading) => columnOf(heading) !== undefined);
  return headings.some((heading) => columnOf(heading) === "title") && known.length * 2 >= headings.length;
}

/** Reads CSV with these separators between its cells. */
export function csvReader(separator: Separator): Reader {
  return function* (text, note, options) {
    let header: Header | undefined;
    let before = 0;
    const findZone = openZones();
    for (const row of rowsOf(text(), separator)) {
      if (header) {
        const type = row.cells[header.special.type] ?? "task";
        if (header.program?.name === "Todoist" && type !== "task") {
          note({ line: row.line, path: type, message: "is no task; it was left out" });
        } else yield toEntry(header, row, findZone, options);
      } else if (isHeader(row.cells) || before === MAX_LINES_BEFORE || !hasHeader(text, separator)) {
        header = requireHeader(row, beginningOf(text), note, options);
      } else {
        before += 1;
        const [first = ""] = row.cells;
        note({ line: row.line, path: first.slice(0, 60), message: "stands before the headings; it was left out" });
      }
    }
    if (!header) requireHeader({ cells: [], line: 1 }, "", note, options);
  };
}

/** Whether one of the first lines names the columns. */
function hasHeader(text: () => Iterable<string>, separator: Separator): boolean {
  return csvFileOf(beginningOf(text), true)?.separator === separator;
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
  // Several columns of tags are tags.
  const names = cells.filter((_, index) => columns[index] !== "tags" && columns[index] !== "none");
  if (new Set(names).size < names.length) throw new UnreadableFile("must not name a column twice");
  if (!keepUnknown && !isOurs(cells)) {
    for (const [index, heading] of cells.entries()) {
      if (columns[index] !== "none" || heading.trim() === "") continue;
      note({ line, path: heading, message: "has no field here; the column was left out. ?keepUnknown=true keeps it" });
    }
  }
  const at = (key: string) => cells.findIndex((cell) => keyOf(cell) === key);
  const special = { type: at("type"), isAllDay: at("is all day"), timeZone: at("timezone") };
  return { headings: cells, columns, program: csvProgramOf(cells), order: orderIn(beginning), special };
}

function toEntry(header: Header, { cells, line }: Row, findZone: FindZone, { keepUnknown }: ReadOptions): Entry {
  const { headings, columns, program, order, special } = header;
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

  const completed = completionIn(named("completed"));
  const times = { due: dueIn(), completedAt: momentIn("completedAt"), createdAt: momentIn("createdAt") };
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
  const name = named("id")[0]?.text ?? named("uid")[0]?.text;
  return { line, notes, ...identify(name, fields, program) };

  /** One column that says "done" is enough. */
  function completionIn(given: typeof said): boolean | undefined {
    const read = given.map(({ heading, text }) => {
      const done = isDone(text);
      if (done === undefined) keep(heading, text, "is neither done nor open");
      return done;
    });
    return read.includes(true) || (read.includes(false) ? false : undefined);
  }

  /** Keeps what no field can hold in the description. */
  function keep(heading: string, text: string, why: string): void {
    lines.push(`${heading}: ${text}`);
    note(heading, `${quoted(text)} ${why}; it was kept in the description`);
  }

  function dueIn(): string | undefined {
    const due = timeIn("due");
    const zone = findZone(cells[special.timeZone] ?? "");
    const isAllDay = isDone(cells[special.isAllDay] ?? "") === true;
    return isAllDay && zone && due?.includes("T") ? zone.dayOf(due) : due;
  }

  /** The first column that can be read counts. */
  function timeIn(column: Column): string | undefined {
    let time: string | undefined;
    for (const { heading, text } of named(column)) {
      const date = time === undefined ? parseDate(text, order) : undefined;
      if (!date) keep(heading, text, time === undefined ? "is no date that can be read" : "is a second date");
      else {
        if (date.isUnclear) note(heading, `${quoted(text)} was read with the month first`);
        time = date.time;
      }
    }
    return time;
  }

  function momentIn(column: Column): string | undefined {
    return toMoment(timeIn(column));
  }

  function priorityIn() {
    let priority: ReturnType<typeof priorityOf>;
    for (const { heading, text } of named("priority")) {
      const read = priority === undefined ? priorityOf(text, program) : undefined;
      if (read === undefined) keep(heading, text, priority === undefined ? "is no priority" : "is a second priority");
      else priority = read;
    }
    return priority;
  }
}

/** Numbers of rows are ids too: only with its title does one name the same task again. */
function identify(id: string | undefined, fields: Record<string, unknown>, program: CsvProgram | undefined) {
  if (id === undefined) return { fields };
  const name = id.trim();
  if (isTaskId(name)) return { fields: { id: name.toLowerCase(), ...fields } };
  return { fields, uid: JSON.stringify([program?.name ?? "CSV", name, fields["title"]]) };
}

/** Tags as we write them, a JSON list; or as people do, with commas between. The name of a list is one tag. */
function tagsIn(text: string, heading: string): string[] {
  if (text.startsWith("[")) {
    try {
      const list: unknown = JSON.parse(text);
      if (Array.isArray(list)) return list.filter((tag) => typeof tag === "string");
    } catch {
      // Not a list of ours.
    }
  }
  if (/list|folder|project|section|board|area/i.test(heading)) return [text];
  return text.split(/[,;\n]/).map((tag) => tag.replace(/^\s*[#@]/, ""));
}
