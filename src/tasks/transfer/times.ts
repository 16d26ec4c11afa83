/** Times as programs write them. */
import { parseInstant } from "../fields.ts";
import type { FindZone } from "./zones.ts";

const COMPACT = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/;
const LOCAL = /^(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d)(:\d\d)?(?:\.\d+)?$/;
const OFFSET = /([+-]\d\d)(\d\d)$/;

/**
 * A day or an instant as programs write them: ISO 8601 with or without separators, or milliseconds since 1970.
 * @param timeZone of a local time; UTC if left out. One that `findZone` does not know leaves the time unread
 * @returns undefined for what is none
 */
export function timeOf(value: unknown, timeZone = "UTC", findZone?: FindZone): string | undefined {
  if (typeof value === "number") return instantOf(value);
  const text = (typeof value === "string" ? value : "")
    .trim()
    .replace(COMPACT, "$1-$2-$3T$4:$5:$6Z")
    .replace(OFFSET, "$1:$2");
  if (/^\d{4}-\d\d-\d\d$/.test(text)) return parseInstant(`${text}T00:00:00Z`) && text;
  const [, day, minutes, seconds = ":00"] = LOCAL.exec(text) ?? [];
  if (day === undefined) return parseInstant(text.replace(" ", "T"))?.moment;
  const local = `${day}T${minutes}${seconds}`;
  return timeZone === "UTC" ? parseInstant(`${local}Z`)?.moment : findZone?.(timeZone)?.instantOf(local);
}

/** A day is its first instant in UTC. */
export function toMoment(time: string | undefined): string | undefined {
  return time === undefined || time.includes("T") ? time : `${time}T00:00:00.000Z`;
}

function instantOf(milliseconds: number): string | undefined {
  const date = new Date(milliseconds);
  return Number.isNaN(date.getTime()) ? undefined : parseInstant(date.toISOString())?.moment;
}
