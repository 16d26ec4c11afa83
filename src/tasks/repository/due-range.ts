/**
 * Which due dates lie between two bounds. A day is due at its start where its person is, and an instant at that instant. As
 * text, a day stands before all instants of that day in UTC. Elsewhere a day's instants begin later or earlier than that, so
 * the wanted dates are up to three ranges: at both ends a day alone, or instants beside a day that is not wanted.
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

/** Ranges of texts, each from its first text to before its last. Empty ones have "" for both. */
export type DueRange = {
  firstFrom: string;
  firstTo: string;
  dueFrom: string;
  dueTo: string;
  /** The end of the middle, but never behind the last due date. */
  datedTo: string;
  tailFrom: string;
  tailTo: string;
};

type Range = readonly [from: string, to: string];
const NOTHING: Range = ["", ""];

/** The due dates that a query wants, as ranges of texts that follow each other. */
export function dueRangeOf({
  dueAfter,
  dueBefore,
  timeZone,
}: Pick<ListQuery, "dueAfter" | "dueBefore" | "timeZone">): DueRange {
  const zone = timeZone === undefined ? undefined : localTimeOf(timeZone);
  const isDated = dueAfter !== undefined || dueBefore !== undefined;
  const end = isDated ? NO_DUE : LAST;
  const from = dueAfter ? keysOf(dueAfter, zone) : { day: FIRST, moment: FIRST };
  const to = dueBefore ? keysOf(dueBefore, zone) : { day: end, moment: end };
  const [first, start] = beginning(from, to);
  const [tail, stop] = ending(from, to);
  const [dueFrom, dueTo] = [start, later(start, stop)];
  return {
    ...{ firstFrom: first[0], firstTo: first[1], dueFrom, dueTo, datedTo: dueTo === LAST ? NO_DUE : dueTo },
    ...{ tailFrom: tail[0], tailTo: tail[1] },
  };
}

type Keys = { day: string; moment: string };

/** What comes before the middle, and where that begins. */
function beginning(from: Keys, to: Keys): [Range, string] {
  // The instants of the first day begin later than its text.
  if (from.day < from.moment) return [from.day < to.day ? dayAlone(from.day) : NOTHING, from.moment];
  const unwanted = dayBehind(from.moment);
  if (unwanted >= from.day) return [NOTHING, from.moment];
  return [range(from.moment, earlier(unwanted, to.moment)), `${unwanted}T`];
}

/** What comes behind the middle, and where that ends. */
function ending(from: Keys, to: Keys): [Range, string] {
  // Behind the text of the first day that is not wanted, instants still are.
  if (to.day < to.moment) return [range(later(`${to.day}T`, from.moment), to.moment), to.day];
  const wanted = dayBehind(to.moment);
  if (wanted >= to.day) return [NOTHING, to.moment];
  return [wanted >= from.day ? dayAlone(wanted) : NOTHING, to.moment];
}

/** The first day whose text does not stand before an instant. */
function dayBehind(moment: string): string {
  const isDay = moment.length === DAY_CHARACTERS;
  return isDay || moment.length < DAY_CHARACTERS ? moment : nextDay(moment.slice(0, DAY_CHARACTERS));
}

function dayAlone(day: string): Range {
  return [day, `${day}T`];
}

function range(from: string, to: string): Range {
  return from < to ? [from, to] : NOTHING;
}

function earlier(one: string, other: string): string {
  return one < other ? one : other;
}

function later(one: string, other: string): string {
  return one < other ? other : one;
}

/** The first day that begins at a bound or later, and the first instant. */
function keysOf(bound: Bound, zone: LocalTime | undefined): Keys {
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
