/** Dates in natural language, with chrono. This file is loaded late: it is larger than the rest of the app. */
import { casual } from "chrono-node";
import { dayOf } from "./dates.ts";
import type { FindDate } from "./parse-line.ts";

/** Numbers, fractions and names that are words more often than dates. */
const WORDS = /^(?:\d+|[123]\/[2-4]|may|march|sun|sat|second)$/i;

/** The first date of a line: a day, or a moment if it names a time. Dates lie ahead. */
export const findDate: FindDate = (line) => {
  const [found] = casual.parse(line, new Date(), { forwardDate: true });
  if (!found || WORDS.test(found.text) || /^['’]\w/.test(line.slice(found.index + found.text.length))) return undefined;
  const date = found.start.date();
  if (Number.isNaN(date.getTime()) || date.getFullYear() > 9999) return undefined;
  // A year long past, or "last Friday", belongs to what the task is about.
  if (date.getFullYear() < new Date().getFullYear() - 1 || /\b(?:last|past|ago)\b/i.test(found.text)) return undefined;
  const due = found.start.isCertain("hour")
    ? new Date(Math.floor(date.getTime() / 60_000) * 60_000).toISOString()
    : dayOf(date);
  // "by Friday", "on Friday": the little word goes with the date.
  const lead = /(?:^|\s)((?:by|on|at|due)\s+)$/i.exec(line.slice(0, found.index))?.[1] ?? "";
  return { text: lead + found.text, at: found.index - lead.length, due };
};
