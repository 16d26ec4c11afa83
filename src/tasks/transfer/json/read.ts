/** Reads tasks as JSON: ours, `{ "tasks": [...] }`, and those of the programs that are known. */
import { isTaskId } from "../../fields.ts";
import { fitFields, type NoteField } from "../fit.ts";
import { type Entry, isObject, type Note, type Reader, type TakeNote, UnreadableFile } from "../format.ts";
import { timeOf, toMoment } from "../times.ts";
import { type FindZone, openZones } from "../zones.ts";
import { type Context, PROGRAMS, type Program } from "./programs.ts";
import { get, textOf } from "./values.ts";
import { type Around, type Cut, cut, nameAll, type Path, parseAround, parsePart } from "./walk.ts";

type Surroundings = Pick<Context, "file" | "path" | "titleOf">;

const TOO_DEEP = "must not be nested deeper than 20";
/** More names than these say nothing new of a file. */
const MAX_NAMES = 2000;
const MAX_DEPTH = 6;

/** The program that a file is of; undefined for ours. */
export function programOf(text: () => Iterable<string>): Program | undefined {
  const names = namesIn(text());
  const isOf = ({ marks }: Program) => marks.some((row) => row.every((mark) => names.has(mark)));
  return names.has("tasks") ? undefined : PROGRAMS.find(isOf);
}

/** A reader for the program's files; for ours without one. */
export function jsonReader(program: Program | undefined): Reader {
  return program ? (text, note) => readForeign(text, note, program) : (text) => readOwn(text);
}

/** The paths of all names of a file, with a star for each position of a list and each key of many. */
function namesIn(pieces: Iterable<string>): Set<string> {
  const names = new Set<string>();
  const found = (path: Path): void => {
    if (names.size < MAX_NAMES && path.length <= MAX_DEPTH) names.add(patternOf(path));
  };
  nameAll(pieces, found);
  return names;
}

function* readOwn(text: () => Iterable<string>): Generator<Entry, void, undefined> {
  const walk = cut(
    text(),
    (path) => matches(["tasks", "*"], path) || (path.length === 1 && typeof path[0] === "number"),
  );
  for (;;) {
    const { done, value } = walk.next();
    if (done) {
      requireList(parseAround(value));
      return;
    }
    yield toOwnEntry(value);
  }
}

function requireList(file: unknown): void {
  if (Array.isArray(file) && file.length > 0) return;
  if (!isObject(file)) throw new UnreadableFile(`must be an object with a list \`tasks\`, or a file of ${KNOWN}`);
  if (!Array.isArray(get(file, "tasks"))) {
    throw new UnreadableFile(`must have a list \`tasks\`, or be a file of ${KNOWN}`);
  }
}

const KNOWN = PROGRAMS.map(({ name }) => name).join(", ");

function toOwnEntry({ text, line, column, isTooDeep }: Cut): Entry {
  if (isTooDeep) return { line, error: TOO_DEEP };
  const fields = text === undefined ? undefined : parsePart(text, { line, column });
  return isObject(fields) ? { line, fields } : { line, error: "must be an object" };
}

function* readForeign(
  text: () => Iterable<string>,
  note: TakeNote,
  program: Program,
): Generator<Entry, void, undefined> {
  const patterns = deepest(program, text);
  const isTask = (path: Path) => patterns.some((pattern) => matches(pattern, path));
  const titles = new Map<string, string>();
  const file = parseAround(lookAt(text, isTask, program, titles));
  const findZone = openZones();
  const titleOf = (id: unknown) => titles.get(textOf(id) ?? "");
  for (const part of cut(text(), isTask)) {
    const { line, path } = part;
    if (part.isTooDeep) yield { line, error: TOO_DEEP };
    else {
      const entry = toForeignEntry(program, part, { file, path, titleOf }, findZone, note);
      if (entry) yield entry;
    }
  }
}

/** Of several places for tasks, those that the file has: a list of lists is no list of tasks. */
function deepest({ tasks }: Program, text: () => Iterable<string>): string[][] {
  const names = namesIn(text());
  const patterns = tasks.map((pattern) => pattern.split("."));
  const present = patterns.filter((pattern) => names.has(pattern.slice(0, -1).join(".")) || pattern.length === 1);
  return present.filter(
    (pattern) => !present.some((other) => other.length > pattern.length && isWithin(other, pattern)),
  );
}

function isWithin(longer: string[], shorter: string[]): boolean {
  return shorter.every((segment, index) => longer[index] === segment);
}

/** Reads the whole file once: the titles of its tasks, and what is around them. */
function lookAt(
  text: () => Iterable<string>,
  isTask: (path: Path) => boolean,
  { id, title }: Program,
  titles: Map<string, string>,
): Around {
  const walk = cut(text(), isTask);
  for (;;) {
    const { done, value } = walk.next();
    if (done) return value;
    if (value.isTooDeep || value.text === undefined) continue;
    const task = parsePart(value.text, value);
    const [name, words] = [textOf(get(task, id)), textOf(get(task, title))];
    if (name !== undefined && words !== undefined) titles.set(name, words.slice(0, 255));
  }
}

function toForeignEntry(
  program: Program,
  part: Cut,
  context: Surroundings,
  findZone: FindZone,
  note: TakeNote,
): Entry | undefined {
  const { line } = part;
  const task = part.text === undefined ? undefined : parsePart(part.text, part);
  if (!isObject(task)) return { line, error: "must be an object" };
  const notes: Note[] = [];
  const noteField = (path: string, message: string) => notes.push({ line, path, message });
  const found = program.read(task, { ...context, ...readingOf(findZone, noteField) });
  const title = textOf(task[program.title]) ?? "";
  if (typeof found === "string") {
    note({ line, path: title.slice(0, 60), message: `${found}; it was left out` });
    return undefined;
  }
  for (const name of program.unkept) {
    if (holdsSomething(task[name])) notes.push({ line, path: name, message: "has no field here; it was left out" });
  }
  const { parent, ...rest } = found;
  const description = [parent && `Part of: ${parent}`, rest.description].filter(Boolean).join("\n\n") || null;
  const fields = fitFields({ ...rest, description }, noteField);
  const id = textOf(task[program.id]);
  if (id === undefined) return { line, notes, fields };
  if (isTaskId(id)) return { line, notes, fields: { id, ...fields } };
  return { line, notes, uid: `${program.name}: ${id}`, fields };
}

/** How times of one task are read. */
function readingOf(findZone: FindZone, note: NoteField): Pick<Context, "time" | "moment" | "note"> {
  const time = (name: string, value: unknown, timeZone?: string): string | undefined => {
    const read = timeOf(value, timeZone, findZone);
    if (read === undefined && value != null && value !== "") note(name, "is no time that can be read; it was left out");
    return read;
  };
  return { time, moment: (name, value, timeZone) => toMoment(time(name, value, timeZone)), note };
}

function holdsSomething(value: unknown): boolean {
  if (Array.isArray(value)) return value.length > 0;
  return value !== undefined && value !== null && value !== "" && value !== 0 && value !== false;
}

function patternOf(path: Path): string {
  return path.map((segment) => (typeof segment === "number" ? "*" : segment)).join(".");
}

function matches(pattern: readonly string[], path: Path): boolean {
  return (
    pattern.length === path.length && pattern.every((segment, index) => segment === "*" || segment === path[index])
  );
}
