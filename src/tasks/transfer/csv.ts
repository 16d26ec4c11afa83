/**
 * Tasks as CSV (RFC 4180), a column a field. What a spreadsheet would take for a formula has an apostrophe before it,
 * as has an empty text, for an empty cell is null; reading takes it away again.
 * @see https://owasp.org/www-community/attacks/CSV_Injection
 */
import Papa from "papaparse";
import type { Task } from "../model.ts";
import { type Entry, UnreadableFile, type Writer } from "./format.ts";

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

const NEEDS_APOSTROPHE = /^(?:$|['=+\-@\t\r\n])/;

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

export function readCsv(text: string): Entry[] {
  const { data, errors } = Papa.parse<string[]>(text.replace(/^\uFEFF/, ""), { delimiter: ",", skipEmptyLines: true });
  const [problem] = errors;
  if (problem) throw new UnreadableFile(`must be CSV: ${problem.message}`);
  const [header = [], ...rows] = data;
  const unknown = header.find((name) => !COLUMNS.some((column) => column === name));
  if (unknown !== undefined) throw new UnreadableFile("must begin with a line that names columns of an export");
  if (new Set(header).size < header.length) throw new UnreadableFile("must name each column once");
  if (!header.includes("title")) throw new UnreadableFile("must have a title column");
  return rows.map((cells) => {
    if (cells.length !== header.length) return { error: `must have ${header.length} cells, as the first line has` };
    return { fields: Object.fromEntries(header.flatMap((name, index) => toField(name, cells[index] ?? ""))) };
  });
}

function toCell(value: Task[keyof Task]): string {
  if (value === null) return "";
  if (Array.isArray(value)) return JSON.stringify(value);
  const text = String(value);
  return NEEDS_APOSTROPHE.test(text) ? `'${text}` : text;
}

function toField(name: string, cell: string): [string, unknown][] {
  if (cell === "") return [];
  const isOurs = cell.startsWith("'") && NEEDS_APOSTROPHE.test(cell.slice(1));
  const text = isOurs ? cell.slice(1) : cell;
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
