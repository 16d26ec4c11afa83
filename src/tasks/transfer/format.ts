/** What a file format provides: a reader and a writer. */
import type { FieldError } from "../../http/problem-details.ts";
import type { Task } from "../model.ts";

/** Writes a file: its opening, chunks of tasks, and its end. */
export type Writer = {
  contentType: string;
  opening: string;
  chunk: (tasks: Task[], isFirst: boolean) => string;
  end: string;
};

/** One unchecked task of a file, with its UID in another program; or the error in its place. */
export type Entry =
  | { fields: Record<string, unknown>; uid?: string | undefined; notes?: FieldError[] }
  | { error: string };

/**
 * Reads a file piece by piece. At most one task is held at a time, of at most MAX_ENTRY_CHARACTERS.
 */
export type Reader = (pieces: Iterable<string>) => Iterable<Entry>;

/** Several times the longest task in any format. */
export const MAX_ENTRY_CHARACTERS = 64 * 1024;
/** The most tasks or rows of a file. */
export const MAX_ENTRIES = 20_000;
const PIECE_BYTES = 64 * 1024;

/** A file that cannot be read. The message is for the caller. */
export class UnreadableFile extends Error {
  override readonly name = "UnreadableFile";
}

/** The text of a file in pieces, without a byte order mark. A file that is not UTF-8 is unreadable. */
export function* textOf(file: Uint8Array): Generator<string, void, undefined> {
  // By default, the decoder removes the mark at the beginning of every piece.
  const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  for (let at = 0; at < file.length; at += PIECE_BYTES) {
    const piece = decodeOrRefuse(() => decoder.decode(file.subarray(at, at + PIECE_BYTES), { stream: true }));
    yield at === 0 ? piece.replace(/^\uFEFF/, "") : piece;
  }
  yield decodeOrRefuse(() => decoder.decode());
}

function decodeOrRefuse(decode: () => string): string {
  try {
    return decode();
  } catch {
    throw new UnreadableFile("must be UTF-8");
  }
}
