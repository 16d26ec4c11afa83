/** What a file format provides: a reader and a writer. */
import type { ExportedTask } from "../model.ts";

/** Writes a file: its opening, chunks of tasks, and its end. */
export type Writer = {
  contentType: string;
  opening: string;
  chunk: (tasks: ExportedTask[], isFirst: boolean) => string;
  end: (isEmpty: boolean) => string;
};

/** What was left out or changed: at which line of the file, under which name, and why. */
export type Note = { line: number; path: string; message: string };

/** One unchecked task of a file, with its UID in another program; or the error in its place. */
export type Entry = { line: number; notes?: Note[] } & (
  | { fields: Record<string, unknown>; uid?: string | undefined }
  | { error: string }
);

/** Takes what concerns the file and none of its tasks. */
export type TakeNote = (note: Note) => void;

export type ReadOptions = {
  /** Whether columns and values that are unknown are kept in the description. */
  keepUnknown: boolean;
};

/**
 * Reads a file piece by piece. At most one task is held at a time, of at most MAX_ENTRY_CHARACTERS.
 * @param text gives the pieces, from the beginning each time
 */
export type Reader = (text: () => Iterable<string>, note: TakeNote, options: ReadOptions) => Iterable<Entry>;

/** Several times the longest task in any format. */
export const MAX_ENTRY_CHARACTERS = 64 * 1024;
/** The most tasks or rows of a file. */
export const MAX_ENTRIES = 20_000;
const PIECE_BYTES = 64 * 1024;
const NEWLINE = 0x0a;

/** A file that cannot be read. The message is for the caller. */
export class UnreadableFile extends Error {
  override readonly name = "UnreadableFile";
}

/** The text of a file in pieces, without a byte order mark. A file that is not UTF-8 is unreadable. */
export function* textOf(file: Uint8Array): Generator<string, void, undefined> {
  // By default, the decoder removes the mark at the beginning of every piece.
  const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  for (let at = 0; at < file.length; at += PIECE_BYTES) {
    const bytes = file.subarray(at, at + PIECE_BYTES);
    const piece = decodeOrRefuse(() => decoder.decode(bytes, { stream: true }), file);
    yield at === 0 ? piece.replace(/^\uFEFF/, "") : piece;
  }
  yield decodeOrRefuse(() => decoder.decode(), file);
}

function decodeOrRefuse(decode: () => string, file: Uint8Array): string {
  try {
    return decode();
  } catch {
    throw new UnreadableFile(`must be UTF-8: line ${lineOfFault(file)} is not; save the file as UTF-8`);
  }
}

/** The first line that is not UTF-8. */
function lineOfFault(file: Uint8Array): number {
  let line = 1;
  for (let start = 0; start < file.length; line += 1) {
    const end = file.indexOf(NEWLINE, start);
    const next = end === -1 ? file.length : end + 1;
    try {
      new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(file.subarray(start, next));
    } catch {
      return line;
    }
    start = next;
  }
  return line;
}

/** The lines of a text that comes in pieces, without their ends. A longer line is unreadable. */
export function* linesOf(pieces: Iterable<string>, maxCharacters: number): Generator<string, void, undefined> {
  let rest = "";
  let number = 1;
  const check = (line: string): string => {
    if (line.length <= maxCharacters) return line;
    throw new UnreadableFile(`must not have a line of more than ${maxCharacters} characters; line ${number} has`);
  };
  for (const piece of pieces) {
    // A return at the end may belong to the line feed that follows.
    const lines = (rest + piece).split(/\r\n|\n|\r(?!$)/);
    rest = lines.pop() ?? "";
    for (const line of lines) {
      yield check(line);
      number += 1;
    }
    check(rest);
  }
  yield rest.replace(/\r$/, "");
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
