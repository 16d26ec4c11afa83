/** Times of properties: days, instants, local times and durations. */
import ICAL from "ical.js";
import { DAY_MS } from "../../../time.ts";
import { parseInstant } from "../../fields.ts";
import { quoted } from "../fit.ts";
import type { FindZone } from "../zones.ts";
import type { Property } from "./lines.ts";

/** A day or an instant in UTC, or why there is none. */
export type Time = { time: string } | { fault: string };

const DAY = /^(\d{4})-?(\d\d)-?(\d\d)$/;
const MOMENT = /^(\d{4})-?(\d\d)-?(\d\d)[T ](\d\d):?(\d\d)(?::?(\d\d))?(?:[.,]\d+)?(Z|[+-]\d\d:?\d\d)?$/i;

/**
 * Reads a time. One without a zone is UTC.
 * @returns undefined for an empty value, which is as if the property were not there
 */
export function timeOf(property: Property | undefined, findZone: FindZone, plus?: ICAL.Duration): Time | undefined {
  const text = property?.values[0]?.trim() ?? "";
  if (!property || text === "") return undefined;
  const fault = { fault: `${quoted(text)} is no time that can be read; it was left out` };
  const isDay = property.parameters.get("value")?.toUpperCase() === "DATE";
  const [, year, month, date] = DAY.exec(isDay ? text.replace(/T.*$/i, "") : text) ?? [];
  if (year !== undefined) {
    const day = addDays(`${year}-${month}-${date}`, plus ? daysOf(plus) : 0);
    return day === undefined ? fault : { time: day };
  }
  const [, ...parts] = MOMENT.exec(text) ?? [];
  if (parts.length === 0) return fault;
  const [, , , hour, minute, second = "00", offset] = parts;
  const day = addDays(parts.slice(0, 3).join("-"), plus ? daysOf(plus) : 0);
  const zoneName = property.parameters.get("tzid");
  const zone = zoneName === undefined || offset !== undefined ? undefined : findZone(zoneName);
  if (zoneName !== undefined && offset === undefined && !zone)
    return { fault: `the time zone ${quoted(zoneName)} is unknown; the time was left out` };
  const local = `${day}T${hour}:${minute}:${second}`;
  const instant = zone
    ? zone.instantOf(local)
    : parseInstant(local + (offset ?? "Z").replace(/^(...)(\d\d)$/, "$1:$2"))?.moment;
  const time = instant === undefined ? undefined : addSeconds(instant, plus ? secondsOf(plus) : 0);
  return day === undefined || time === undefined ? fault : { time };
}

const DURATION = /^[+-]?P(?:\d{1,9}W|(?=.)(?:\d{1,9}D)?(?:T(?:\d{1,9}H)?(?:\d{1,9}M)?(?:\d{1,9}S)?)?)$/;

/** Reads a duration (RFC 5545, section 3.3.6). */
export function durationOf(property: Property | undefined): ICAL.Duration | undefined {
  const text = property?.values[0]?.trim() ?? "";
  try {
    return DURATION.test(text) ? ICAL.Duration.fromString(text) : undefined;
  } catch {
    return undefined;
  }
}

/** Days are nominal: in a zone, the same time of another day. */
function daysOf({ weeks, days, isNegative }: ICAL.Duration): number {
  return (isNegative ? -1 : 1) * (weeks * 7 + days);
}

function secondsOf({ hours, minutes, seconds, isNegative }: ICAL.Duration): number {
  return (isNegative ? -1 : 1) * (hours * 3600 + minutes * 60 + seconds);
}

/** @returns undefined where there is no such day, or the sum is none of four digits */
function addDays(day: string, days: number): string | undefined {
  const start = parseInstant(`${day}T00:00:00Z`);
  return start && atMost9999(Date.parse(start.moment) + days * DAY_MS)?.slice(0, "YYYY-MM-DD".length);
}

function addSeconds(instant: string, seconds: number): string | undefined {
  return seconds === 0 ? instant : atMost9999(Date.parse(instant) + seconds * 1000);
}

function atMost9999(milliseconds: number): string | undefined {
  const date = new Date(milliseconds);
  return Number.isNaN(date.getTime()) || date.getTime() < YEAR_0 || date.getTime() >= YEAR_10000
    ? undefined
    : date.toISOString();
}

const YEAR_0 = Date.parse("0000-01-01T00:00:00Z");
const YEAR_10000 = Date.parse("9999-12-31T23:59:59.999Z") + 1;
