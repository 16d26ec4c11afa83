/** The content lines of iCalendar (RFC 5545, section 3.1), and those of its predecessor vCalendar 1.0. */
import ICAL from "ical.js";
import { linesOf, UnreadableFile } from "../format.ts";

/** Our own to-dos take 25 KB at most. The library takes quadratic time for much longer lines. */
const MAX_LINE_CHARACTERS = 32 * 1024;
const MAX_PARAMETERS = 50;

// RFC 5545 allows 75 octets. The library does not count the space at the beginning of a continued line.
ICAL.foldLength = 74;

export type Line = { text: string; number: number };

/** A property of a to-do: its name in capitals, its parameters by small names, and its values. */
export type Property = {
  name: string;
  parameters: ReadonlyMap<string, string>;
  values: string[];
  line: Line;
};

/** The lines of a file, with their continuations joined. Blank lines are skipped. */
export function* unfold(pieces: Iterable<string>): Generator<Line, void, undefined> {
  let parts: string[] = [];
  let length = 0;
  let number = 0;
  let first = 0;
  /** Whether the line is quoted-printable, and breaks off in the middle. */
  let isQuotedPrintable = false;
  let isBroken = false;
  for (const line of linesOf(pieces, MAX_LINE_CHARACTERS)) {
    number += 1;
    if (line === "" && !isBroken) continue;
    const isFolded = /^[ \t]/.test(line);
    const continues: boolean = parts.length > 0 && (isFolded || isBroken);
    if (!continues && parts.length > 0) {
      yield { text: parts.join(""), number: first };
      parts = [];
      length = 0;
    }
    if (!continues) first = number;
    let part: string = continues && isFolded ? line.slice(1) : line;
    if (!continues) isQuotedPrintable = IS_QUOTED_PRINTABLE.test(part);
    isBroken = isQuotedPrintable && part.endsWith("=");
    if (isBroken) part = part.slice(0, -1);
    // Each of them takes a place, also without a text.
    length += part.length + 1;
    if (length > MAX_LINE_CHARACTERS) {
      throw new UnreadableFile(
        `must not have a line of more than ${MAX_LINE_CHARACTERS} characters; line ${number} has`,
      );
    }
    if (part !== "" || isBroken) parts.push(part);
  }
  if (parts.length > 0) yield { text: parts.join(""), number: first };
}

const IS_QUOTED_PRINTABLE = /^[^:]*;(?:ENCODING=)?QUOTED-PRINTABLE[;:]/i;

/** Values are texts, or as they are written: how a time is meant is for us to read. */
const DESIGN = {
  ...ICAL.design.icalendar,
  property: Object.assign(Object.create(null), {
    summary: { defaultType: "text" },
    description: { defaultType: "text" },
    categories: { defaultType: "text", multiValue: "," },
  }),
  value: Object.assign(Object.create(null), { text: ICAL.design.icalendar.value.text }),
};

/**
 * Reads a line as a property.
 * @returns the property, and what had to be left out; undefined for what is none
 */
export function parseProperty(line: Line): { property: Property; fault?: string } | undefined {
  const text = line.text.replace(/^([^:]*;)(?=QUOTED-PRINTABLE[;:])/i, "$1ENCODING=");
  const [, name] = /^([A-Za-z0-9-]{1,60})[;:]/.exec(text) ?? [];
  if (name === undefined) return undefined;
  if (parametersIn(text) <= MAX_PARAMETERS) {
    const property = parse(text, line);
    if (property) return { property };
  }
  const [, value] = /^[^:]*:(.*)$/s.exec(text) ?? [];
  const bare = value === undefined ? undefined : { text: `${name}:${value}`, number: line.number };
  const property = bare && parse(bare.text, bare);
  return property && { property, fault: "has parameters that cannot be read; they were left out" };
}

function parse(text: string, line: Line): Property | undefined {
  try {
    const [name, parameters, type, ...values] = ICAL.parse.property(text, DESIGN) as JCal;
    // The library takes VALUE away, and hands it on as the type.
    const named = Object.entries({ ...parameters, value: type }).map(([key, value]): [string, string] => [
      key,
      String(value),
    ]);
    const property = { name: name.toUpperCase(), parameters: new Map(named), values: values.map(String), line };
    return DECODERS.get(property.parameters.get("encoding")?.toUpperCase() ?? "")?.(property) ?? property;
  } catch {
    return undefined;
  }
}

/** A property as the library has it (RFC 7265). */
type JCal = [name: string, parameters: Record<string, unknown>, type: string, ...values: unknown[]];

/** Decodes quoted-printable and base64 (RFC 2045, section 6). @throws {RangeError} for an unknown character set */
const DECODERS = new Map<string, (property: Property) => Property>([
  ["QUOTED-PRINTABLE", (property) => decodeWith(property, bytesOfQuotedPrintable)],
  [
    "BASE64",
    (property) => (TEXTS.has(property.name) ? decodeWith(property, (text) => Buffer.from(text, "base64")) : property),
  ],
]);
const TEXTS = new Set(["SUMMARY", "DESCRIPTION", "CATEGORIES"]);

function decodeWith(property: Property, bytesOf: (text: string) => Uint8Array): Property {
  const decoder = new TextDecoder(property.parameters.get("charset") ?? "utf-8", { fatal: true, ignoreBOM: false });
  return {
    ...property,
    values: property.values.map((value) => decoder.decode(bytesOf(value)).replaceAll("\r\n", "\n")),
  };
}

function bytesOfQuotedPrintable(text: string): Uint8Array {
  const parts = text.split(/(=[0-9A-Fa-f]{2})/);
  return Buffer.concat(
    parts.map((part, index) => (index % 2 ? Buffer.of(Number.parseInt(part.slice(1), 16)) : Buffer.from(part))),
  );
}

/** The number of parameters before a property's value. A semicolon inside quotes counts too, which does no harm. */
function parametersIn(line: string): number {
  const [parameters = ""] = /^(?:[=,]"[^"]*"?|[^:])*/.exec(line) ?? [];
  return parameters.split(";").length - 1;
}

/** A line with its continuations, each of at most 75 octets. */
export function fold(line: string): string {
  return `${ICAL.helpers.foldline(line)}\r\n`;
}
