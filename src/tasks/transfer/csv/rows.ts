/** The rows of CSV (RFC 4180), with commas, semicolons or tabs between cells. */
import Papa from "papaparse";
import { MAX_ENTRIES, MAX_ENTRY_CHARACTERS, UnreadableFile } from "../format.ts";

export type Separator = "," | ";" | "\t";

/** The cells of a row, and the line of the file at which it begins. */
export type Row = { cells: string[]; line: number };

/** Parses row by row. Each row is cut out of the text first, so that only one is held. Rows without a text are skipped. */
export function* rowsOf(pieces: Iterable<string>, separator: Separator): Generator<Row, void, undefined> {
  let rows = 0;
  const isWellFormed = wellFormedWith(separator);
  for (const { text, line } of rowTextsOf(pieces, separator)) {
    rows += 1;
    // The first row names the columns. Empty rows count too.
    if (rows > MAX_ENTRIES + 1) throw new UnreadableFile(`must have at most ${MAX_ENTRIES} rows`);
    if (text === "") continue;
    if (!isWellFormed(text)) {
      throw new UnreadableFile(`must be CSV: in line ${line}, close each quoted cell and double the quotes inside it`);
    }
    const { data, errors } = Papa.parse<string[]>(text, { delimiter: separator, newline: "\n", skipEmptyLines: true });
    const [problem] = errors;
    if (problem) throw new UnreadableFile(`must be CSV: line ${line}: ${problem.message}`);
    for (const cells of data) if (cells.some((cell) => cell.trim() !== "")) yield { cells, line };
  }
}

/**
 * Tells whether each cell that begins with a quote also ends with one, and doubles the quotes inside. The library takes
 * quadratic time for other cells.
 */
function wellFormedWith(separator: Separator): (row: string) => boolean {
  const cell = new RegExp(`(?:"(?:[^"]|"")*" *|[^"${separator}][^${separator}]*|)(?:${separator}|$)`, "y");
  return (row) => {
    cell.lastIndex = 0;
    while (cell.lastIndex < row.length) if (!cell.test(row)) return false;
    return true;
  };
}

/** The rows of a text. A line break inside quotes belongs to its cell. A quote opens a cell only at its beginning. */
function* rowTextsOf(pieces: Iterable<string>, separator: Separator): Generator<{ text: string; line: number }> {
  let row = "";
  let line = 1;
  let rowLine = 1;
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
      const isBreak = sign === "\n" || sign === "\r";
      const isSecondOfTwo = sign === "\n" && isAfterReturn;
      if (isBreak && !isSecondOfTwo) line += 1;
      const endsRow: boolean = !isQuoted && isBreak;
      if (endsRow) {
        if (!isSecondOfTwo) yield { text: row + piece.slice(start, at), line: rowLine };
        row = "";
        rowLine = line;
        start = at + 1;
      }
      const wasQuoted: boolean = isQuoted;
      // A quote right behind a closing one is a quote within the cell.
      if (isQuote) isQuoted = !isQuoted && (beginsCell || hasClosed);
      hasClosed = isQuote && wasQuoted;
      beginsCell = !isQuoted && !isQuote && (sign === separator || endsRow);
      isAfterReturn = sign === "\r";
    }
    row += piece.slice(start);
    if (row.length > MAX_ENTRY_CHARACTERS) {
      throw new UnreadableFile(
        `must not have a row of more than ${MAX_ENTRY_CHARACTERS} characters; the one at line ${rowLine} has`,
      );
    }
  }
  yield { text: row, line: rowLine };
}
