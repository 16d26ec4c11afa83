/** What a file format has to be able to do. */
import type { Task } from "../model.ts";

/** A file is written as its opening, chunks of tasks, and its end. */
export type Writer = {
  contentType: string;
  opening: string;
  chunk: (tasks: Task[], isFirst: boolean) => string;
  end: string;
};

/** What was changed about a task when it was read. */
export type Note = { path: string; message: string };

/** One task of a file, not yet looked at, with its name in another program; or why there is none in that place. */
export type Entry = { fields: Record<string, unknown>; uid?: string | undefined; notes?: Note[] } | { error: string };

/**
 * Takes a file apart, piece by piece: of the file no more than one task is held at a time, and no task may be longer than
 * MAX_ENTRY_CHARACTERS.
 */
export type Reader = (pieces: Iterable<string>) => Iterable<Entry>;

/** Several times what the longest task takes in any format. */
export const MAX_ENTRY_CHARACTERS = 64 * 1024;
/** Tasks of a file, and rows of one that has rows. */
export const MAX_ENTRIES = 20_000;
const PIECE_BYTES = 64 * 1024;

/** A file that cannot be taken apart into tasks. The message tells its reader why. */
export class UnreadableFile extends Error {
  override readonly name = "UnreadableFile";
}

/** The text of a file, in pieces, without a byte order mark. Bytes that are not UTF-8 make it unreadable. */
export function* textOf(file: Uint8Array): Generator<string, void, undefined> {
  // Left to itself, the decoder takes such a mark away from the beginning of every piece.
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
