/** Converts between instants and the local times of a zone. The runtime knows a zone's offsets by its IANA name. */
import { DAY_MS } from "../time.ts";

export type LocalTime = ReturnType<typeof localTimeOf>;

const LOCAL = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)$/;
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

/**
 * The local times of a zone.
 * @param timeZone an IANA name such as `Europe/Amsterdam`, or an offset such as `+05:30`
 * @throws {RangeError} for a zone that the runtime does not know
 */
export function localTimeOf(timeZone: string) {
  const format = new Intl.DateTimeFormat("en-US", { timeZone, ...FIELDS });
  /** The offset at the start of a UTC day. It is kept, since formatting takes long. */
  const offsets = new Map<number, number>();

  return {
    /**
     * The instant of a local time, in UTC. A time that occurs twice is the first one; a skipped time has the offset before
     * the gap (RFC 5545, section 3.3.5).
     * @param local `YYYY-MM-DDTHH:MM:SS`
     * @returns undefined for an invalid time, such as 30 February
     */
    instantOf(local: string): string | undefined {
      const [, ...parts] = LOCAL.exec(local) ?? [];
      const wall = wallTime(parts.map(Number));
      if (parts.length === 0 || Number.isNaN(wall)) return undefined;
      if (!new Date(wall).toISOString().startsWith(local)) return undefined;
      const [before, after] = [offsetOfDay(wall - DAY_MS), offsetOfDay(wall + 2 * DAY_MS)];
      if (before === after) return new Date(wall - before).toISOString();
      const offset = [before, after].find((each) => offsetAt(wall - each) === each) ?? before;
      return new Date(wall - offset).toISOString();
    },

    /** The local day of an instant, as `YYYY-MM-DD`. */
    dayOf(instant: string): string {
      const at = Date.parse(instant);
      return new Date(at + offsetAt(at)).toISOString().slice(0, "YYYY-MM-DD".length);
    },
  };

  function offsetOfDay(instant: number): number {
    const day = Math.floor(instant / DAY_MS);
    const offset = offsets.get(day) ?? offsetAt(day * DAY_MS);
    offsets.set(day, offset);
    return offset;
  }

  /** The milliseconds by which the zone is ahead of UTC at an instant. */
  function offsetAt(instant: number): number {
    const part = Object.fromEntries(format.formatToParts(instant).map(({ type, value }) => [type, value]));
    const { year, month, day, hour, minute, second } = part;
    const wall = wallTime([year, month, day, hour, minute, second].map(Number));
    return wall - Math.floor(instant / 1000) * 1000;
  }
}

/** A local time as if it were UTC. Date.UTC would read the years 0 to 99 as 1900 to 1999. */
function wallTime([year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0]: number[]): number {
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  return date.setUTCHours(hour, minute, second);
}

/** Tells whether the runtime knows a zone. */
export function isTimeZone(name: string): boolean {
  try {
    return Boolean(new Intl.DateTimeFormat("en-US", { timeZone: name }));
  } catch {
    return false;
  }
}
