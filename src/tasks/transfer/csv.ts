/**
 * Tasks as CSV (RFC 4180), a column a field. What a spreadsheet would take for a formula has an apostrophe before it, also
 * within a cell where one that splits at other signs would begin a cell; as has an empty text, for an empty cell is null.
 * Reading takes them away again.
 * @see https://owasp.org/www-community/attacks/CSV_Injection
 */
import Papa from "papaparse";
import type { Task } from "../model.ts";
import { type Entry, MAX_ENTRIES, MAX_ENTRY_CHARACTERS, UnreadableFile, type Writer } from "./format.ts";

const COLUMNS = [
  "id",
  "title",
  "description",
  "completed",
  "completedAt",
  "priority",
  "due",
  "tags",
  "createdAt",
  "updatedAt",
] as const satisfies (keyof Task)[];

/** What begins a formula, in each width, and the minus sign of mathematics. */
const SIGNS = new Set("=+-@\uFF1D\uFF0B\uFF0D\uFF20\uFE66\uFE62\uFE63\uFE6B\u2212");
/** What may stand before it: also what shows nothing. */
const IS_SKIPPED = /[\s"'\p{Cc}\p{Cf}\p{Default_Ignorable_Code_Point}]/u;
/** What some spreadsheets split cells at. */
const SEPARATORS = new Set(";|\t\r\n");
/** Apostrophes alone, or before a blank: one more tells them from an empty cell, and from what a program may skip. */
const NEEDS_MARK = /^'*(?:$|[\t\r\n])/;

export const csvWriter: Writer = {
  contentType: "text/csv; charset=utf-8",
  opening: `${COLUMNS.join()}\r\n`,
  chunk: (tasks) => {
    if (tasks.length === 0) return "";
    const rows = tasks.map((task) => COLUMNS.map((column) => toCell(task[column])));
    return `${Papa.unparse(rows, { newline: "\r\n" })}\r\n`;
  },
  end: "",
};

export function* readCsv(pieces: Iterable<string>): Generator<Entry, void, undefined> {
  let header: string[] | undefined;
  for (const cells of rowsOf(pieces)) {
    if (!header) header = requireHeader(cells);
    else yield toEntry(header, cells);
  }
  if (!header) requireHeader([]);
}

function requireHeader(header: string[]): string[] {
  const unknown = header.find((name) => !COLUMNS.some((column) => column === name));
  if (unknown !== undefined) throw new UnreadableFile("must begin with a line that names columns of an export");
  if (new Set(header).size < header.length) throw new UnreadableFile("must name each column once");
  if (!header.includes("title")) throw new UnreadableFile("must have a title column");
  return header;
}

function toEntry(header: string[], cells: string[]): Entry {
  if (cells.length !== header.length) return { error: `must have ${header.length} cells, as the first line has` };
  return { fields: Object.fromEntries(header.flatMap((name, index) => toField(name, cells[index] ?? ""))) };
}

/** Parses row by row: a row is cut out of the text first, so that no more than one is held. */
function* rowsOf(pieces: Iterable<string>): Generator<string[], void, undefined> {
  let rows = 0;
  for (const row of rowTextsOf(pieces)) {
    if (row === "") continue;
    rows += 1;
    // The first names the columns. Rows that hold nothing count as well.
    if (rows > MAX_ENTRIES + 1) throw new UnreadableFile(`must hold at most ${MAX_ENTRIES} rows`);
    if (!isWellFormed(row))
      throw new UnreadableFile(
        `must be CSV; in row ${rows}, end each quoted cell with a quote and double those within it`,
      );
    const { data, errors } = Papa.parse<string[]>(row, { delimiter: ",", newline: "\n", skipEmptyLines: true });
    const [problem] = errors;
    if (problem) throw new UnreadableFile(`must be CSV: ${problem.message}`);
    yield* data;
  }
}

/**
 * Whether each cell that begins with a quote ends with one, blanks aside, and holds doubled ones alone. The library takes
 * quadratic time over others.
 */
function isWellFormed(row: string): boolean {
  const cell = /(?:"(?:[^"]|"")*" *|[^",][^,]*|)(?:,|$)/y;
  while (cell.lastIndex < row.length) if (!cell.test(row)) return false;
  return true;
}

/** The rows of a text. A line break in quotes is part of its cell; a quote counts where a cell begins. */
function* rowTextsOf(pieces: Iterable<string>): Generator<string, void, undefined> {
  let row = "";
  let isQuoted = false;
  /** Whether the sign before ended a quoted cell, began a cell, or was a return. */
  let hasClosed = false;
  let beginsCell = true;
  let isAfterReturn = false;
  for (const piece of pieces) {
    let start = 0;
    for (let at = 0; at < piece.length; at += 1) {
      const sign = piece[at];
      const isQuote = sign === '"';
      const endsRow: boolean = !isQuoted && (sign === "\n" || sign === "\r");
      if (endsRow) {
        if (!(sign === "\n" && isAfterReturn)) yield row + piece.slice(start, at);
        row = "";
        start = at + 1;
      }
      const wasQuoted: boolean = isQuoted;
      // A quote right behind a closing one is a quote within the cell.
      if (isQuote) isQuoted = !isQuoted && (beginsCell || hasClosed);
      hasClosed = isQuote && wasQuoted;
      beginsCell = !isQuoted && !isQuote && (sign === "," || endsRow);
      isAfterReturn = endsRow && sign === "\r";
    }
    row += piece.slice(start);
    if (row.length > MAX_ENTRY_CHARACTERS) {
      throw new UnreadableFile(`must hold no row of more than ${MAX_ENTRY_CHARACTERS} characters`);
    }
  }
  yield row;
}

function toCell(value: Task[keyof Task]): string {
  if (value === null) return "";
  return mark(Array.isArray(value) ? JSON.stringify(value) : String(value));
}

/** Puts an apostrophe before whatever could begin a formula: the text, or a part of it behind a separator. */
function mark(text: string): string {
  const begins = formulasIn(text);
  let marked = NEEDS_MARK.test(text) || begins[0] ? "'" : "";
  for (let at = 0; at < text.length; at += 1) {
    const sign = text.charAt(at);
    marked += SEPARATORS.has(sign) && begins[at + 1] ? `${sign}'` : sign;
  }
  return marked;
}

/** Takes away the apostrophes that `mark` puts there, and no others. */
function unmark(cell: string): string {
  if (!cell.includes("'")) return cell;
  const begins = formulasIn(cell);
  let text = "";
  for (let at = 0; at < cell.length; at += 1) {
    const isMark =
      cell[at] === "'" &&
      (at === 0 ? NEEDS_MARK.test(cell.slice(1)) || begins[1] : SEPARATORS.has(cell.charAt(at - 1)) && begins[at + 1]);
    if (!isMark) text += cell[at];
  }
  return text;
}

/** Whether a formula begins at each place of a text, perhaps behind blanks and quotes. From the end: one pass. */
function formulasIn(text: string): boolean[] {
  const begins: boolean[] = [];
  for (let at = text.length - 1; at >= 0; at -= 1) {
    const sign = text.charAt(at);
    begins[at] = SIGNS.has(sign) || (IS_SKIPPED.test(sign) && begins[at + 1] === true);
  }
  return begins;
}

function toField(name: string, cell: string): [string, unknown][] {
  if (cell === "") return [];
  const text = unmark(cell);
  if (name === "completed") return [[name, { true: true, false: false }[text] ?? text]];
  return [[name, name === "tags" ? parseTags(text) : text]];
}

function parseTags(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
