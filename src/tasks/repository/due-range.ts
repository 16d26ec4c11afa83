/**
 * Which due dates lie between two bounds. A day is due at its start where its person is, and an instant at that instant. As
 * text, a day stands before all instants of that day in UTC. West of Greenwich a day's instants begin later than that, so
 * the wanted dates are up to three ranges: the first day itself, the middle, and instants behind the last day.
 */

import { DAY_MS } from "../../time.ts";
import { type LocalTime, localTimeOf } from "../local-time.ts";
import type { Bound, ListQuery } from "../model.ts";
import { NO_DUE } from "./table.ts";

/** Sorts after every due date and after NO_DUE; as an id, after every id. */
export const LAST = "\u007f";
/** Sorts before every due date. */
const FIRST = "";
const DAY_CHARACTERS = "YYYY-MM-DD".length;

export type DueRange = {
  /** A day that comes before the middle; "" for none. */
  firstDay: string;
  dueFrom: string;
  dueTo: string;
  /** The same, but never behind the last due date. */
  datedTo: string;
  /** Instants behind the middle: later than this day, and earlier than `tailTo`; "" for none. */
  lastDay: string;
  tailTo: string;
};

/** The due dates that a query wants, as ranges of texts. */
export function dueRangeOf({ dueAfter, dueBefore, timeZone }: ListQuery): DueRange {
  const zone = timeZone === undefined ? undefined : localTimeOf(timeZone);
  const isDated = dueAfter !== undefined || dueBefore !== undefined;
  const end = isDated ? NO_DUE : LAST;
  const from = dueAfter ? keysOf(dueAfter, zone) : { day: FIRST, moment: FIRST };
  const to = dueBefore ? keysOf(dueBefore, zone) : { day: end, moment: end };
  const hasFirstDay = from.day < from.moment && from.day < to.day;
  const hasTail = to.day < to.moment && from.moment < to.day;
  const dueTo = hasTail ? to.day : to.moment;
  return {
    firstDay: hasFirstDay ? from.day : "",
    dueFrom: from.moment,
    dueTo,
    datedTo: dueTo === LAST ? NO_DUE : dueTo,
    lastDay: hasTail ? to.day : "",
    tailTo: hasTail ? to.moment : "",
  };
}

/** The first day that begins at a bound or later, and the first instant. */
function keysOf(bound: Bound, zone: LocalTime | undefined): { day: string; moment: string } {
  if ("day" in bound) {
    const { day } = bound;
    return { day, moment: zone?.instantOf(`${day}T00:00:00`) ?? day };
  }
  const { moment, offsetMs } = bound;
  const day = zone
    ? zone.dayOf(moment)
    : new Date(Date.parse(moment) + offsetMs).toISOString().slice(0, DAY_CHARACTERS);
  const start = zone ? zone.instantOf(`${day}T00:00:00`) : toInstant(Date.parse(day) - offsetMs);
  // A day and its first instant are the same bound.
  const key = moment.replace("T00:00:00.000Z", "");
  return { day: start !== undefined && start >= moment ? day : nextDay(day), moment: key };
}

function nextDay(day: string): string {
  const next = Date.parse(day) + DAY_MS;
  return toInstant(next)?.slice(0, DAY_CHARACTERS) ?? LAST;
}

/** Years beyond 9999 cannot be compared as text; no task is due then. */
function toInstant(milliseconds: number): string | undefined {
  const text = new Date(milliseconds).toISOString();
  return /^\d/.test(text) ? text : undefined;
}
