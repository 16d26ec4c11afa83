/** Reads the to-dos of iCalendar files (RFC 5545), one by one. */
import { isTaskId, MAX_UID_CHARACTERS } from "../../fields.ts";
import { MAX_KEPT_CHARACTERS, MAX_KEPT_LINES } from "../../model.ts";
import { fitFields } from "../fit.ts";
import { type Entry, MAX_ENTRY_CHARACTERS, type Note, type Reader, UnreadableFile } from "../format.ts";
import { type Line, type Property, parseProperty, unfold } from "./lines.ts";
import { BOOKKEEPING, readTodo } from "./todo.ts";
import { canonicalLines, exactOf, groupOf } from "./write.ts";
import { type FindZone, openZones } from "./zones.ts";

const MAX_PROPERTIES = 500;
const MAX_NESTING = 10;
/** A longer text says nothing more to somebody who looks for its line. */
const MAX_SHOWN_CHARACTERS = 60;

/** A to-do as it stands in the file: its own lines, and those of the components in it, such as alarms. */
type Todo = { line: number; own: Line[]; inner: Line[]; notes: Note[] };

export const readIcs: Reader = function* (text, note) {
  const findZone = openZones();
  /** The components around the line, outermost first. */
  const open: string[] = [];
  let todo: Todo | undefined;
  let hasTodo = false;
  const others = new Map<string, number>();

  for (const line of unfold(text())) {
    const [, edge, named = ""] = /^(BEGIN|END):\s*([\w-]{1,40})\s*$/i.exec(line.text) ?? [];
    const name = named.toUpperCase();
    if (edge === undefined) {
      if (todo) collect(open.at(-1) === "VTODO" ? todo.own : todo.inner, line);
      continue;
    }
    const begins = edge.toUpperCase() === "BEGIN";
    // What a to-do cannot hold begins where its own end is missing.
    if (todo && (begins ? /^V(?:TODO|EVENT|JOURNAL|CALENDAR|TIMEZONE)$/.test(name) : isAround(name))) {
      if (name !== "VTODO" || begins) todo.notes.push(noteOf(line, name, "stands before END:VTODO, which is missing"));
      open.length = open.lastIndexOf("VTODO");
      yield toEntry(todo, findZone);
      todo = undefined;
      if (!begins && name === "VTODO") continue;
    }
    if (begins) {
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

  if (open.length > 0) throw new UnreadableFile(`must be complete iCalendar: it ends inside of ${open.at(-1)}`);
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
  if (Math.max(own.length, inner.length) > MAX_PROPERTIES)
    return { line, notes, error: `must have at most ${MAX_PROPERTIES} properties` };
  if ([...own, ...inner].reduce((sum, { text }) => sum + text.length, 0) > MAX_ENTRY_CHARACTERS) {
    return { line, notes, error: `must be at most ${MAX_ENTRY_CHARACTERS} characters long` };
  }
  const properties = own.flatMap((each) => {
    const parsed = parseProperty(each);
    if (!parsed) notes.push(noteOf(each, shown(each.text), "is not a property of iCalendar; it was left out"));
    else if (parsed.fault) notes.push(noteOf(each, parsed.property.name, parsed.fault));
    return parsed ? [parsed.property] : [];
  });
  const found = readTodo(properties, findZone, ({ line: at, name }, message) => notes.push(noteOf(at, name, message)));
  const fields = fitFields({ ...found, ...exactOf(properties, found) }, (path, message) =>
    notes.push({ line, path, message }),
  );
  const iCalendar = keptLines(properties, inner, fields, (at, name, message) => notes.push(noteOf(at, name, message)));
  const common = { ...fields, ...(iCalendar.length > 0 && { iCalendar }) };
  const uid = properties.find(({ name }) => name === "UID")?.values[0]?.trim() || undefined;
  if (uid === undefined) return { line, notes, fields: common };
  const occurrence = properties.find(({ name }) => name === "RECURRENCE-ID")?.values[0];
  if (isTaskId(uid) && occurrence === undefined) {
    const id = uid.toLowerCase();
    return { line, notes, fields: { id, ...common, ...(id !== uid && { uid }) } };
  }
  // An occurrence of a series has the UID of the series.
  const name = occurrence === undefined ? uid : `${uid}\n${occurrence}`;
  if ([...uid].length > MAX_UID_CHARACTERS) {
    notes.push({ line, path: "UID", message: `is longer than ${MAX_UID_CHARACTERS} characters; it was not kept` });
    return { line, notes, uid: name, fields: common };
  }
  return { line, notes, uid: name, fields: { ...common, uid: uid.toWellFormed().replaceAll("\0", "\uFFFD") } };
}

/** The lines that the fields do not stand for, as far as there is room. */
function keptLines(
  properties: readonly Property[],
  inner: readonly Line[],
  fields: ReturnType<typeof fitFields>,
  note: (line: Line, name: string, message: string) => void,
): string[] {
  const { completedAt = null, createdAt = NEVER } = fields;
  const ours = new Set(Object.values(canonicalLines({ ...fields, completedAt, createdAt })).flat());
  const isSaid = ({ name, values, parameters, line }: Property) =>
    BOOKKEEPING.has(name) ||
    (groupOf(name) !== undefined &&
      (ours.has(line.text) || parameters.has("encoding") || values.every((value) => value.trim() === "")));
  const extra = properties.filter((property) => !isSaid(property)).map(({ name, line }) => ({ name, lines: [line] }));
  const kept: string[] = [];
  let left = MAX_KEPT_CHARACTERS;
  for (const { name, lines } of [...extra, ...componentsOf(inner)]) {
    const size = lines.reduce((sum, { text }) => sum + text.length, 0);
    const [first] = lines;
    if (size > left || kept.length + lines.length > MAX_KEPT_LINES) {
      if (first) note(first, name, "was left out: too much is kept beside this task");
      continue;
    }
    kept.push(...lines.map(({ text }) => text.toWellFormed().replaceAll("\0", "\uFFFD")));
    left -= size;
  }
  return kept;
}

const NEVER = new Date(0).toISOString();

/** Lines of components, each with all that is inside of it. */
function componentsOf(lines: readonly Line[]): { name: string; lines: Line[] }[] {
  const components: { name: string; lines: Line[] }[] = [];
  let depth = 0;
  for (const line of lines) {
    const [, edge, name = ""] = /^(BEGIN|END):\s*([\w-]+)/i.exec(line.text) ?? [];
    if (depth === 0) components.push({ name: name.toUpperCase(), lines: [] });
    components.at(-1)?.lines.push(line);
    if (edge) depth += edge.toUpperCase() === "BEGIN" ? 1 : -1;
  }
  return components.filter(({ lines: all }) => isComplete(all));
}

function isComplete(lines: readonly Line[]): boolean {
  const edges = lines.map(({ text }) => /^(BEGIN|END):/i.exec(text)?.[1]?.toUpperCase());
  return edges.filter((edge) => edge === "BEGIN").length === edges.filter((edge) => edge === "END").length;
}

function noteOf({ number }: Line, path: string, message: string): Note {
  return { line: number, path, message };
}

function shown(text: string): string {
  return text.slice(0, MAX_SHOWN_CHARACTERS).toWellFormed();
}
