/**
 * Tasks as CSV (RFC 4180), one column for each field. An apostrophe stands before whatever a spreadsheet would take for a
 * formula, also inside a cell, where a program may split it; and before an empty text, since an empty cell is null.
 * Reading removes the apostrophes.
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

const BOOLEANS = new Map(Object.entries({ true: true, false: false }));

/** Signs that begin a formula, in each width, and the mathematical minus. */
const SIGNS = new Set("=+-@\uFF1D\uFF0B\uFF0D\uFF20\uFE66\uFE62\uFE63\uFE6B\u2212");
/** Characters that may stand before such a sign, also invisible ones. */
const IS_SKIPPED = /[\s"'\p{Cc}\p{Cf}\p{Default_Ignorable_Code_Point}]/u;
/** Signs at which some spreadsheets split cells. */
const SEPARATORS = new Set(";|\t\r\n");
/** Apostrophes alone or before a blank. One more tells them from an empty cell. */
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
  if (unknown !== undefined)
    throw new UnreadableFile(`must begin with a line of column names; known are ${COLUMNS.join(", ")}`);
  if (new Set(header).size < header.length) throw new UnreadableFile("must not name a column twice in its first line");
  if (!header.includes("title")) throw new UnreadableFile("must have a column named title");
  return header;
}

function toEntry(header: string[], cells: string[]): Entry {
  if (cells.length !== header.length)
    return { error: `must have ${header.length} cells like the first line, but has ${cells.length}` };
  return { fields: Object.fromEntries(header.flatMap((name, index) => toField(name, cells[index] ?? ""))) };
}

/** Parses row by row. Each row is cut out of the text first, so that only one is held. */
function* rowsOf(pieces: Iterable<string>): Generator<string[], void, undefined> {
  let rows = 0;
  for (const row of rowTextsOf(pieces)) {
    if (row === "") continue;
    rows += 1;
    // The first row names the columns. Empty rows count too.
    if (rows > MAX_ENTRIES + 1) throw new UnreadableFile(`must have at most ${MAX_ENTRIES} rows`);
    if (!isWellFormed(row))
      throw new UnreadableFile(`must be CSV: in row ${rows}, close each quoted cell and double the quotes inside it`);
    const { data, errors } = Papa.parse<string[]>(row, { delimiter: ",", newline: "\n", skipEmptyLines: true });
    const [problem] = errors;
    if (problem) throw new UnreadableFile(`must be CSV: ${problem.message}`);
    yield* data;
  }
}

/**
 * Tells whether each cell that begins with a quote also ends with one, and doubles the quotes inside. The library takes
 * quadratic time for other cells.
 */
function isWellFormed(row: string): boolean {
  const cell = /(?:"(?:[^"]|"")*" *|[^",][^,]*|)(?:,|$)/y;
  while (cell.lastIndex < row.length) if (!cell.test(row)) return false;
  return true;
}

/** The rows of a text. A line break inside quotes belongs to its cell. A quote opens a cell only at its beginning. */
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
      throw new UnreadableFile(`must not have a row of more than ${MAX_ENTRY_CHARACTERS} characters`);
    }
  }
  yield row;
}

function toCell(value: Task[keyof Task]): string {
  if (value === null) return "";
  return mark(Array.isArray(value) ? JSON.stringify(value) : String(value));
}

/** Puts an apostrophe before each formula: at the beginning, and after each separator. */
function mark(text: string): string {
  const begins = formulasIn(text);
  let marked = NEEDS_MARK.test(text) || begins[0] ? "'" : "";
  for (let at = 0; at < text.length; at += 1) {
    const sign = text.charAt(at);
    marked += SEPARATORS.has(sign) && begins[at + 1] ? `${sign}'` : sign;
  }
  return marked;
}

/** Removes the apostrophes that `mark` added, and no others. */
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

/** Tells for each position of a text whether a formula begins there, perhaps after blanks and quotes. */
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
  if (name === "completed") return [[name, BOOLEANS.get(text) ?? text]];
  return [[name, name === "tags" ? parseTags(text) : text]];
}

function parseTags(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
