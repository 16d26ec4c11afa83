/**
 * Tasks as CSV (RFC 4180), one column for each field. An apostrophe stands before whatever a spreadsheet would take for a
 * formula, also inside a cell, where a program may split it; and before an empty text, since an empty cell is null.
 * Reading removes the apostrophes.
 * @see https://owasp.org/www-community/attacks/CSV_Injection
 */
import Papa from "papaparse";
import type { Task } from "../../model.ts";
import type { Writer } from "../format.ts";

export const COLUMNS = [
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
  end: () => "",
};

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
export function unmark(cell: string): string {
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
