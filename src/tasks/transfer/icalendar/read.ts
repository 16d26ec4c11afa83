/** Reads the to-dos of iCalendar files (RFC 5545), one by one. */
import { isTaskId, MAX_UID_CHARACTERS } from "../../fields.ts";
import { areKeepable, isKeepable } from "../../kept-lines.ts";
import { MAX_KEPT_CHARACTERS, MAX_KEPT_LINES } from "../../model.ts";
import { fitFields } from "../fit.ts";
import { type Entry, MAX_ENTRY_CHARACTERS, type Note, type Reader, UnreadableFile } from "../format.ts";
import { type FindZone, openZones } from "../zones.ts";
import { type Line, type Property, parseProperty, unfold } from "./lines.ts";
import { BOOKKEEPING, readTodo } from "./todo.ts";
import { canonicalLines, exactIdOf, exactOf, groupOf } from "./write.ts";

const MAX_PROPERTIES = 500;
const MAX_NESTING = 10;
/** A longer text says nothing more to somebody who looks for its line. */
const MAX_SHOWN_CHARACTERS = 60;

/** Some programs write parameters there. */
const EDGE = /^(BEGIN|END)(?:;[^:]*)?:\s*([\w-]{1,40})\s*$/i;
const OUTER = /^V(?:TODO|EVENT|JOURNAL|CALENDAR|TIMEZONE|FREEBUSY)$/;

/** A to-do as it stands in the file: its own lines, and those of the components in it, such as alarms. */
type Todo = { line: number; own: Line[]; inner: Line[]; notes: Note[] };

export const readIcs: Reader = function* (text, note) {
  const findZone = openZones();
  /** The components around the line, outermost first. */
  const open: string[] = [];
  let todo: Todo | undefined;
  let hasTodo = false;
  const others = new Map<string, number>();

  let lastLine = 1;
  for (const line of unfold(text())) {
    lastLine = line.number;
    const [, edge, named = ""] = EDGE.exec(line.text) ?? [];
    const name = named.toUpperCase();
    if (edge === undefined) {
      if (todo) collect(open.at(-1) === "VTODO" ? todo.own : todo.inner, line);
      continue;
    }
    const begins = edge.toUpperCase() === "BEGIN";
    // What a to-do cannot hold begins where its own end is missing.
    if (todo && (begins ? OUTER.test(name) : isAround(name))) {
      if (name !== "VTODO" || begins) todo.notes.push(noteOf(line, name, "stands before END:VTODO, which is missing"));
      open.length = open.lastIndexOf("VTODO");
      yield toEntry(todo, findZone);
      todo = undefined;
      if (!begins && name === "VTODO") continue;
    }
    if (begins) {
      // What stands beside another ends where the next begins.
      const besides = OUTER.test(name) && name !== "VCALENDAR" ? open.findIndex((each) => each !== "VCALENDAR") : -1;
      if (besides >= 0) {
        note(noteOf(line, name, `begins inside of ${open[besides]}, whose end is missing`));
        open.length = besides;
      }
      open.push(name);
      if (open.length > MAX_NESTING) {
        throw new UnreadableFile(`must not be nested deeper than ${MAX_NESTING}; line ${line.number} is`);
      }
      if (name === "VTODO") {
        hasTodo = true;
        todo = { line: line.number, own: [], inner: [], notes: [] };
      } else if (todo) collect(todo.inner, line);
      else others.set(name, (others.get(name) ?? 0) + 1);
    } else if (open.includes(name)) {
      open.length = open.lastIndexOf(name);
      if (todo) collect(todo.inner, line);
    } else {
      note(noteOf(line, name, "ends a component that did not begin; it was ignored"));
    }
  }

  if (open.length > 0) {
    throw new UnreadableFile(`must be complete iCalendar: it ends inside of ${open.at(-1)}, behind line ${lastLine}`);
  }
  refuseWithoutTodos(hasTodo, others);
  for (const [name, what] of LEFT_OUT) {
    const count = others.get(name) ?? 0;
    if (count > 0)
      note({ line: 1, path: name, message: `${count} ${what} left out: only to-dos (VTODO) are imported` });
  }

  function isAround(name: string): boolean {
    return open.includes(name) && open.lastIndexOf(name) <= open.lastIndexOf("VTODO");
  }
};

/** One more than there may be tells that there are too many. */
function collect(lines: Line[], line: Line): void {
  if (lines.length <= MAX_PROPERTIES) lines.push(line);
}

const LEFT_OUT: [name: string, what: string][] = [
  ["VEVENT", "events were"],
  ["VJOURNAL", "journal entries were"],
];

function refuseWithoutTodos(hasTodo: boolean, others: ReadonlyMap<string, number>): void {
  if (hasTodo) return;
  const [events, entries] = [others.get("VEVENT") ?? 0, others.get("VJOURNAL") ?? 0];
  if (events + entries > 0) {
    throw new UnreadableFile(
      `must hold to-dos (VTODO): it holds none, but ${events} events and ${entries} journal entries. Export tasks instead of a calendar`,
    );
  }
  if (!others.has("VCALENDAR")) {
    throw new UnreadableFile("must be iCalendar: it has neither BEGIN:VCALENDAR nor BEGIN:VTODO");
  }
}

function toEntry({ line, own, inner, notes }: Todo, findZone: FindZone): Entry {
  const first: Line = { text: "", number: line };
  if (Math.max(own.length, inner.length) > MAX_PROPERTIES)
    return { line, notes, error: `must have at most ${MAX_PROPERTIES} properties` };
  if ([...own, ...inner].reduce((sum, { text }) => sum + text.length, 0) > MAX_ENTRY_CHARACTERS) {
    return { line, notes, error: `must be at most ${MAX_ENTRY_CHARACTERS} characters long` };
  }
  const components = componentsOf(inner);
  // A component that does not end has taken what follows it.
  const stray = components.filter((each) => !each.isWhole).flatMap(({ lines }) => lines);
  for (const each of components) {
    if (!each.isWhole)
      notes.push(noteOf(each.lines[0] ?? first, each.name, "does not end; its lines were read as the to-do's"));
  }
  const said = [...own, ...stray.filter(({ text }) => !EDGE.test(text))];
  const properties = said.flatMap((each) => {
    const parsed = parseProperty(each);
    if (!parsed) notes.push(noteOf(each, shown(each.text), "is not a property of iCalendar; it was left out"));
    else if (parsed.fault) notes.push(noteOf(each, parsed.property.name, parsed.fault));
    return parsed ? [parsed.property] : [];
  });
  const unread = new Set<Property>();
  const found = readTodo(properties, findZone, (property, message) => {
    unread.add(property);
    notes.push(noteOf(property.line, property.name, message));
  });
  const fields = fitFields({ ...found, ...exactOf(properties, found) }, (path, message) =>
    notes.push({ line, path, message }),
  );
  const whole = components.filter((each) => each.isWhole);
  const rest = properties.filter((property) => !unread.has(property));
  const iCalendar = keptLines(rest, whole, fields, (at, name, message) => notes.push(noteOf(at, name, message)));
  const common = { ...fields, ...(iCalendar.length > 0 && { iCalendar }) };
  const uid = properties.find(({ name }) => name === "UID")?.values[0]?.trim() || undefined;
  if (uid === undefined) return { line, notes, fields: common };
  const occurrence = properties.find(({ name }) => name === "RECURRENCE-ID")?.values[0];
  const known = exactIdOf(properties, uid);
  const isOurs = isTaskId(uid) && occurrence === undefined;
  const id = known ?? (isOurs ? uid.toLowerCase() : undefined);
  // An occurrence of a series has the UID of the series.
  const key = id === undefined ? { uid: occurrence === undefined ? uid : `${uid}\n${occurrence}` } : {};
  if (id === uid) return { line, notes, fields: { id, ...common } };
  const isStorable = [...uid].length <= MAX_UID_CHARACTERS && !/\p{Cc}/u.test(uid);
  if (!isStorable) {
    notes.push({
      line,
      path: "UID",
      message: `is no line of at most ${MAX_UID_CHARACTERS} characters; it was not kept`,
    });
  }
  return { line, notes, ...key, fields: { ...(id && { id }), ...common, ...(isStorable && { uid }) } };
}

/** The lines that the fields do not stand for, as far as there is room. */
function keptLines(
  properties: readonly Property[],
  components: readonly Component[],
  fields: ReturnType<typeof fitFields>,
  note: (line: Line, name: string, message: string) => void,
): string[] {
  const { completedAt = null, createdAt = NEVER } = fields;
  const ours = new Set(Object.values(canonicalLines({ ...fields, completedAt, createdAt })).flat());
  const extra = properties
    .filter(({ name, line }) => !BOOKKEEPING.has(name) && !ours.has(line.text))
    .filter((property) =>
      groupOf(property.name) === undefined ? isReadable(property) : saysMore(property, properties, note),
    )
    .map(({ name, line }) => ({ name, lines: [line] }));
  const kept: string[] = [];
  let left = MAX_KEPT_CHARACTERS;
  for (const { name, lines } of [...inOrder(extra), ...components.map(withoutFaults)]) {
    const texts = lines.map(({ text }) => text.toWellFormed());
    const size = texts.reduce((sum, text) => sum + text.length, 0);
    const [first] = lines;
    if (!first) continue;
    if (!areKeepable(texts)) note(first, name, "cannot be written again as it is; it was left out");
    else if (size > left || kept.length + lines.length > MAX_KEPT_LINES) {
      note(first, name, "was left out: too much is kept beside this task");
    } else {
      kept.push(...texts);
      left -= size;
    }
  }
  return kept;

  /** Whether other readers would take a value; else one odd line would spoil their whole file. */
  function isReadable({ name, values, line }: Property): boolean {
    const isFine = STRICT[name]?.test(values[0] ?? "") ?? true;
    if (!isFine) note(line, name, "has a value that cannot be read; it was left out");
    return isFine;
  }

  /** Lines that are no properties spoil themselves, and not their component. */
  function withoutFaults({ name, lines }: Component): Component {
    const fine = lines.filter((line) => EDGE.test(line.text) || isKeepable(line.text) || /^UID:/i.test(line.text));
    for (const line of lines)
      if (!fine.includes(line)) note(line, name, "has a line that is no property; it was left out");
    const edged = fine.map(({ text, number }) => {
      const [, edge, named] = EDGE.exec(text) ?? [];
      return { text: edge ? `${edge.toUpperCase()}:${named?.toUpperCase()}` : text, number };
    });
    return { name, lines: edged, isWhole: true };
  }
}

/** Values that every reader takes, of properties whose other values we read too. */
const STRICT: Partial<Record<string, RegExp>> = {
  DTSTART: /^\d{8}(?:T\d{6}Z?)?$/,
  "RECURRENCE-ID": /^\d{8}(?:T\d{6}Z?)?$/,
  SEQUENCE: /^\d{1,9}$/,
  DUE: /^\d{8}(?:T\d{6}Z?)?$/,
  COMPLETED: /^\d{8}T\d{6}Z$/,
  CREATED: /^\d{8}T\d{6}Z$/,
  "PERCENT-COMPLETE": /^\d{1,3}$/,
  STATUS: /^(?:NEEDS-ACTION|IN-PROCESS|COMPLETED|CANCELLED)$/i,
};

/** Whether a property of a field says more than the field, in a way that can be written again. */
function saysMore(
  property: Property,
  properties: readonly Property[],
  note: (line: Line, name: string, message: string) => void,
): boolean {
  const { name, values, parameters, line } = property;
  if (values.every((value) => value.trim() === "") || parameters.has("encoding")) return false;
  const isSecond = name !== "CATEGORIES" && properties.find((each) => each.name === name) !== property;
  const isIdle = name === "DURATION" && properties.some((each) => each.name === "DUE");
  if (isSecond || isIdle) {
    note(line, name, isIdle ? "was left out beside DUE" : "is there twice; the first one counts");
    return false;
  }
  return STRICT[name]?.test(values[0] ?? "") ?? true;
}

/** What tells an occurrence from its series first; then the properties of fields, as an export writes them. */
function inOrder<Kept extends { name: string }>(kept: readonly Kept[]): Kept[] {
  const rank = ({ name }: Kept) => {
    if (name === "RECURRENCE-ID" || name === "DTSTART") return 0;
    return groupOf(name) === undefined ? 2 : 1;
  };
  return kept.toSorted((one, other) => rank(one) - rank(other));
}

const NEVER = new Date(0).toISOString();

/** A component inside of a to-do, such as an alarm, with all that is inside of it. */
type Component = { name: string; lines: Line[]; isWhole: boolean };

function componentsOf(lines: readonly Line[]): Component[] {
  const components: Component[] = [];
  let depth = 0;
  for (const line of lines) {
    const [, edge, name = ""] = EDGE.exec(line.text) ?? [];
    if (depth === 0) components.push({ name: name.toUpperCase(), lines: [], isWhole: false });
    const current = components.at(-1);
    current?.lines.push(line);
    if (edge) depth += edge.toUpperCase() === "BEGIN" ? 1 : -1;
    if (current && depth === 0) current.isWhole = edge !== undefined;
  }
  return components;
}

function noteOf({ number }: Line, path: string, message: string): Note {
  return { line: number, path, message };
}

function shown(text: string): string {
  return text.slice(0, MAX_SHOWN_CHARACTERS).toWellFormed();
}
