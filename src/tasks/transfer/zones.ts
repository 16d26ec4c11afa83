/**
 * Converts local times of named zones. The runtime knows a zone's offsets, by its IANA or Windows name. A zone that a file
 * defines is never expanded.
 * @see https://www.unicode.org/cldr/charts/latest/supplemental/zone_tzid.html
 */
import { findIana } from "windows-iana";
import { DAY_MS } from "../../time.ts";

const LOCAL = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)$/;
/** Each zone takes memory, so further zones of a file are unknown. */
const MAX_ZONES = 40;

export type Zones = ReturnType<typeof openZones>;

type Zone = { format: Intl.DateTimeFormat; offsets: Map<number, number> };

/** Caches the zones of one file. */
export function openZones() {
  const known = new Map<string, Zone | undefined>();

  return {
    /**
     * The instant of a local time, in UTC.
     * @param local `YYYY-MM-DDTHH:MM:SS`
     * @param name as in TZID, with or without a registry's prefix
     * @returns undefined for an unknown zone, null for an invalid time, such as 30 February
     */
    instantOf(local: string, name: string): string | null | undefined {
      const [, ...parts] = LOCAL.exec(local) ?? [];
      const wall = wallTime(parts.map(Number));
      if (parts.length === 0 || Number.isNaN(wall)) return null;
      if (!new Date(wall).toISOString().startsWith(local)) return null;
      const zone = find(name);
      if (!zone) return undefined;
      const { format } = zone;
      const [before, after] = [offsetOfDay(zone, wall - DAY_MS), offsetOfDay(zone, wall + 2 * DAY_MS)];
      if (before === after) return new Date(wall - before).toISOString();
      // A time that occurs twice is the first one; a skipped time has the offset before the gap (RFC 5545).
      const offset = [before, after].find((each) => offsetAt(format, wall - each) === each) ?? before;
      return new Date(wall - offset).toISOString();
    },
  };

  function find(name: string): Zone | undefined {
    if (!known.has(name)) {
      const format = known.size < MAX_ZONES ? formatOf(name) : undefined;
      known.set(name, format && { format, offsets: new Map() });
    }
    return known.get(name);
  }
}

/** The offset at the start of a UTC day. It is cached, since formatting takes long. */
function offsetOfDay({ format, offsets }: Zone, instant: number): number {
  const day = Math.floor(instant / DAY_MS);
  const offset = offsets.get(day) ?? offsetAt(format, day * DAY_MS);
  offsets.set(day, offset);
  return offset;
}

function formatOf(name: string): Intl.DateTimeFormat | undefined {
  // Some programs write a registry first: /freeassociation.sourceforge.net/Europe/Amsterdam.
  const path = name.replace(/^\/[^/]+\//, "").replace(/^Tzfile\//, "");
  const [ofWindows] = findIana(name);
  for (const timeZone of [path, ofWindows]) {
    try {
      if (timeZone && /^[A-Za-z]/.test(timeZone)) return new Intl.DateTimeFormat("en-US", { timeZone, ...FIELDS });
    } catch {
      // Not an IANA zone.
    }
  }
  return undefined;
}

const FIELDS = {
  hourCycle: "h23",
  era: "short",
  year: "numeric",
  month: "numeric",
  day: "numeric",
  hour: "numeric",
  minute: "numeric",
  second: "numeric",
} as const;

/** The milliseconds by which a zone is ahead of UTC at an instant. */
function offsetAt(format: Intl.DateTimeFormat, instant: number): number {
  const part = Object.fromEntries(format.formatToParts(instant).map(({ type, value }) => [type, value]));
  const { year, month, day, hour, minute, second } = part;
  const wall = wallTime([year, month, day, hour, minute, second].map(Number));
  return wall - Math.floor(instant / 1000) * 1000;
}

/** A local time as if it were UTC. Date.UTC would read the years 0 to 99 as 1900 to 1999. */
function wallTime([year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0]: number[]): number {
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  return date.setUTCHours(hour, minute, second);
}
