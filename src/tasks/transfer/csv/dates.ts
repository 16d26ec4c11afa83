/** Dates of cells: ISO 8601, and as people and spreadsheets write them in English or with numbers. */
import { parseInstant } from "../../fields.ts";
import { timeOf } from "../times.ts";

/** How the numbers of a date such as 3/4/2026 are meant. */
export type Order = "day first" | "month first";

const MONTHS = "jan feb mar apr may jun jul aug sep oct nov dec".split(" ");
const NUMBERS = /^(\d{1,2})([./-])(\d{1,2})\2(\d{4}|\d{2})(?:,? +(.+))?$/;
const YEAR_FIRST = /^(\d{4})[./-](\d{1,2})[./-](\d{1,2})(?:,? +(.+))?$/;
const MONTH_NAME =
  /^(?:[a-z]{3,9},? +)?([a-z]{3})[a-z]*\.? +(\d{1,2})(?:st|nd|rd|th)?,? +(\d{4})(?:,?(?: at)? +(.+))?$/i;
const DAY_NAME =
  /^(?:[a-z]{3,9},? +)?(\d{1,2})(?:st|nd|rd|th)?\.? +([a-z]{3})[a-z]*\.?,? +(\d{4})(?:,?(?: at)? +(.+))?$/i;
const CLOCK = /^(\d{1,2}):(\d\d)(?::(\d\d)(?:\.\d+)?)? *([ap])?\.?(?:m\.?)?(?: *\(?(?:utc|gmt)\)?)?$/i;

/** No date is written in more characters. */
const MAX_DATE_CHARACTERS = 80;

/** The order that unmistakable dates of a text have: one with a number above 12. */
export function orderIn(text: string): Order | undefined {
  for (const [, one, other] of text.matchAll(/\b(\d{1,2})[/-](\d{1,2})[/-](?:\d{4}|\d\d)\b/g)) {
    if (Number(one) > 12) return "day first";
    if (Number(other) > 12) return "month first";
  }
  return undefined;
}

/**
 * Reads a date. A time without a zone is UTC.
 * @param order of numbers with slashes or dashes; with dots the day is first
 * @returns a day or an instant, and whether its numbers could be meant otherwise; undefined for anything else
 */
export function parseDate(cell: string, order: Order | undefined): { time: string; isUnclear: boolean } | undefined {
  if (cell.length > MAX_DATE_CHARACTERS) return undefined;
  // A range stands for its end.
  const text = (cell.split(/ → | – | to /).at(-1) ?? "").trim();
  const iso = timeOf(text);
  if (iso !== undefined) return { time: iso, isUnclear: false };
  const parts = partsOf(text, order);
  if (!parts) return undefined;
  const { year, month, day, clock, isUnclear } = parts;
  const date = `${year}-${String(month).padStart(2, "0")}-${String(day).padStart(2, "0")}`;
  const time = clock === undefined ? "T00:00:00Z" : clockOf(clock);
  const instant = time === undefined ? undefined : parseInstant(date + time)?.moment;
  return instant === undefined ? undefined : { time: clock === undefined ? date : instant, isUnclear };
}

function partsOf(text: string, order: Order | undefined) {
  const [, year, month, day, clock] = YEAR_FIRST.exec(text) ?? [];
  if (year !== undefined) return { year, month: Number(month), day: Number(day), clock, isUnclear: false };
  const numbers = NUMBERS.exec(text);
  if (numbers) {
    const [, first, sign, second, written = "", later] = numbers;
    const [one, other] = [Number(first), Number(second)];
    const isDayFirst = sign === "." || one > 12 || (other <= 12 && order === "day first");
    const isUnclear = sign !== "." && order === undefined && one <= 12 && other <= 12 && one !== other;
    const [d, m] = isDayFirst ? [one, other] : [other, one];
    return { year: written.length === 2 ? `20${written}` : written, month: m, day: d, clock: later, isUnclear };
  }
  const named = MONTH_NAME.exec(text);
  if (named) return namedParts(named[3], named[1], named[2], named[4]);
  const reversed = DAY_NAME.exec(text);
  return reversed ? namedParts(reversed[3], reversed[2], reversed[1], reversed[4]) : undefined;
}

function namedParts(year = "", month = "", day = "", clock?: string) {
  const number = MONTHS.indexOf(month.toLowerCase()) + 1;
  return number === 0 ? undefined : { year, month: number, day: Number(day), clock, isUnclear: false };
}

function clockOf(text: string): string | undefined {
  const [, hours, minutes, seconds = "00", half] = CLOCK.exec(text.trim()) ?? [];
  if (hours === undefined) return undefined;
  const hour = half === undefined ? Number(hours) : (Number(hours) % 12) + (half.toLowerCase() === "p" ? 12 : 0);
  return `T${String(hour).padStart(2, "0")}:${minutes}:${seconds}Z`;
}
