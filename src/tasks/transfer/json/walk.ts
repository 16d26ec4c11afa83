/**
 * Cuts JSON that is too long to be parsed at once. Each wanted object or list is cut out as text, and an empty object stands
 * in its place, so that what is around stays JSON.
 */
import { describeFault, describeJsonFault, findJsonFault } from "../../../http/json-fault.ts";
import { MAX_ENTRY_CHARACTERS, UnreadableFile } from "../format.ts";

const MAX_NESTING = 20;
/** A longer name is none that anybody looks for. */
const MAX_NAME_CHARACTERS = 200;
/** Names deeper than this are not told. */
const MAX_NAMED_DEPTH = 8;
const MAX_AROUND_CHARACTERS = 2 * 1024 * 1024;

/** The names and list positions that lead to a value. */
export type Path = readonly (string | number)[];
/** An object or a list that is cut out; or a wanted value that is neither, without its text. */
export type Cut = { path: Path; text: string | undefined; line: number; column: number; isTooDeep: boolean };

/** The text around what was cut out, and where each cut ends: in this text, and as line and column of the file. */
export type Around = { text: string; cuts: { at: number; line: number; column: number }[] };

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const COLON = 0x3a;
const NEWLINE = 0x0a;
/** Signs that begin no text, number or other word: spaces, commas and brackets. */
const NO_SCALAR = new Set([0x20, 0x09, 0x0a, 0x0d, COMMA, 0x5b, 0x5d, 0x7b, 0x7d]);

/**
 * Walks a file.
 * @param isWanted tells which objects and lists are cut out
 */
export function cut(pieces: Iterable<string>, isWanted: (path: Path) => boolean): Generator<Cut, Around, undefined> {
  return walk(pieces, isWanted, undefined);
}

/** Tells the path of every name, and keeps nothing. */
export function nameAll(pieces: Iterable<string>, onName: (path: Path) => void): void {
  for (const part of walk(pieces, (path) => path.length > MAX_NAMED_DEPTH, onName)) void part;
}

/** @param onName is told the path of every name outside of what is cut out; nothing else is kept then */
function* walk(
  pieces: Iterable<string>,
  isWanted: (path: Path) => boolean,
  onName: ((path: Path) => void) | undefined,
): Generator<Cut, Around, undefined> {
  /** The names or positions of the open objects and lists, of which the outermost has none. */
  const path: (string | number)[] = [];
  const areLists: boolean[] = [];
  const lists = new Set<string>();
  let around = "";
  const cuts: Around["cuts"] = [];
  let line = 1;
  let isInString = false;
  let isEscaped = false;
  /** The text that was read last, with its quotes, and the name that it turned out to be. */
  let string = "";
  let name = "";
  /** How deep we are inside of an object that is cut out; 0 outside. */
  let depth = 0;
  let part = "";
  let partLine = 1;
  let partColumn = 1;
  /** Where the current line begins, and the piece, in characters of the file. */
  let lineStart = 0;
  let pieceStart = 0;
  let wantedPath: Path = [];
  let isTooDeep = false;
  /** Whether the current element of a list is neither an object nor a list, and where it begins. */
  let hasScalar = false;
  let scalarLine = 1;

  for (const piece of pieces) {
    let start = 0;
    let stringStart = 0;
    const take = (end: number): void => {
      if (onName) return;
      if (depth > 0) part += piece.slice(start, end);
      else around += piece.slice(start, end);
      start = end;
    };
    for (let at = 0; at < piece.length; at += 1) {
      const code = piece.charCodeAt(at);
      if (code === NEWLINE) {
        line += 1;
        lineStart = pieceStart + at + 1;
      }
      if (isInString) {
        if (isEscaped) isEscaped = false;
        else if (code === BACKSLASH) isEscaped = true;
        else if (code === QUOTE) {
          isInString = false;
          if (depth === 0)
            string = joinedName(string, piece.slice(stringStart, Math.min(at + 1, stringStart + MAX_NAME_CHARACTERS)));
        }
        continue;
      }
      if (depth === 0 && areLists.at(-1) && !NO_SCALAR.has(code)) {
        if (!hasScalar) scalarLine = line;
        hasScalar = true;
      }
      if (hasScalar && (code === COMMA || code === 0x5d)) {
        hasScalar = false;
        if (isWanted(path)) yield { path: [...path], text: undefined, line: scalarLine, column: 1, isTooDeep: false };
      }
      if (code === QUOTE) {
        isInString = true;
        stringStart = at;
        string = "";
      } else if (code === COLON && depth === 0) {
        name = string === "" ? "" : nameOf(string);
        if (string !== "") onName?.([...path, name]);
        string = "";
      } else if (code === COMMA && depth === 0 && areLists.at(-1)) {
        path[path.length - 1] = Number(path.at(-1)) + 1;
      } else if (code === 0x7b || code === 0x5b) {
        const isList = code === 0x5b;
        if (depth > 0) {
          depth += 1;
          isTooDeep ||= depth > MAX_NESTING;
          continue;
        }
        // The position inside of a list is on the path already.
        const own = areLists.length === 0 || areLists.at(-1) ? path : [...path, name];
        if (isWanted(own)) {
          take(at);
          depth = 1;
          part = "";
          partLine = line;
          partColumn = pieceStart + at - lineStart + 1;
          isTooDeep = false;
          wantedPath = [...own];
          continue;
        }
        if (areLists.length > 0 && !areLists.at(-1)) path.push(name);
        if (isList) path.push(0);
        areLists.push(isList);
        if (isList) refuseSecondList(path);
        if (areLists.length > MAX_NESTING) {
          throw new UnreadableFile(`must not be nested deeper than ${MAX_NESTING}; line ${line} is`);
        }
      } else if (code === 0x7d || code === 0x5d) {
        if (depth > 1) depth -= 1;
        else if (depth === 1) {
          take(at + 1);
          depth = 0;
          around += `{}${"\n".repeat(line - partLine)}`;
          if (!onName) cuts.push({ at: around.length, line, column: pieceStart + at - lineStart + 2 });
          yield { path: wantedPath, text: part, line: partLine, column: partColumn, isTooDeep };
        } else {
          if (areLists.pop()) path.pop();
          if (areLists.length > 0 && !areLists.at(-1)) path.pop();
        }
      }
    }
    if (isInString && depth === 0)
      string = joinedName(string, piece.slice(stringStart, stringStart + MAX_NAME_CHARACTERS));
    take(piece.length);
    pieceStart += piece.length;
    if (depth > 0) refuseLong();
    if (around.length > MAX_AROUND_CHARACTERS) {
      throw new UnreadableFile(`must have at most ${MAX_AROUND_CHARACTERS} characters around its tasks`);
    }
  }
  if (depth > 0) throw new UnreadableFile(`must be JSON: it ends inside of a task, in line ${line}`);
  return { text: around, cuts };

  function refuseLong(): void {
    if (part.length <= MAX_ENTRY_CHARACTERS) return;
    throw new UnreadableFile(
      `must not have a task of more than ${MAX_ENTRY_CHARACTERS} characters; line ${partLine} has`,
    );
  }

  /** JSON takes the last of two members with the same name; both of two lists would be read. */
  function refuseSecondList(at: Path): void {
    const own = at.slice(0, -1);
    if (own.some((each) => typeof each === "number")) return;
    const key = own.join(".");
    if (lists.has(key)) throw new UnreadableFile(`must have only one list \`${key}\``);
    lists.add(key);
  }
}

/** A text that goes on in the next piece, up to the longest name. */
function joinedName(before: string, more: string): string {
  return before.length > MAX_NAME_CHARACTERS ? before : before + more;
}

function nameOf(string: string): string {
  try {
    return String(JSON.parse(string));
  } catch {
    return "";
  }
}

/** Parses what is around the cuts. */
export function parseAround({ text, cuts }: Around): unknown {
  try {
    return JSON.parse(text);
  } catch {
    const fault = findJsonFault(text);
    const cut = fault && cuts.findLast(({ at, line }) => at <= fault.offset && line === fault.line);
    const column = cut && fault ? cut.column + fault.offset - cut.at : fault?.column;
    throw new UnreadableFile(describeFault(fault && { ...fault, column: column ?? 1 }));
  }
}

/** Parses a part of a file. @param at the line and column at which the part begins in the file */
export function parsePart(text: string, at: { line: number; column: number } = { line: 1, column: 1 }): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new UnreadableFile(describeJsonFault(text, at));
  }
}
