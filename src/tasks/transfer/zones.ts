/**
 * The zones that a file names. A zone that a file defines is never expanded.
 * @see https://www.unicode.org/cldr/charts/latest/supplemental/zone_tzid.html
 */
import { findIana } from "windows-iana";
import { type LocalTime, localTimeOf } from "../local-time.ts";

/** Each zone takes memory, so further zones of a file are unknown. */
const MAX_ZONES = 40;
const MAX_SEGMENTS = 6;

/** Finds a zone by its name as in TZID: an IANA or Windows name, with or without a registry's prefix. */
export type FindZone = (name: string) => LocalTime | undefined;

/** Keeps the zones of one file. */
export function openZones(): FindZone {
  const known = new Map<string, LocalTime | undefined>();
  return (name) => {
    if (!known.has(name) && known.size < MAX_ZONES) known.set(name, find(name));
    return known.get(name);
  };
}

function find(name: string): LocalTime | undefined {
  // Some programs write a registry first: /mozilla.org/20050126_1/Europe/Amsterdam.
  const parts = name.split("/").slice(0, MAX_SEGMENTS);
  const paths = parts.map((_, index) => parts.slice(index).join("/"));
  const [ofWindows] = findIana(name);
  for (const timeZone of [...paths, ofWindows]) {
    try {
      if (timeZone && /^[A-Za-z]/.test(timeZone)) return localTimeOf(timeZone);
    } catch {
      // Not an IANA zone.
    }
  }
  return undefined;
}
