/** What a file format has to be able to do. */
import type { Task } from "../model.ts";

/** A file is written as its opening, chunks of tasks, and its end. */
export type Writer = {
  contentType: string;
  opening: string;
  chunk: (tasks: Task[], isFirst: boolean) => string;
  end: string;
};

/** One task of a file, not yet looked at, with its name in another program; or why there is none in that place. */
export type Entry = { fields: Record<string, unknown>; uid?: string | undefined } | { error: string };

/** A file that cannot be taken apart into tasks. The message tells its reader why. */
export class UnreadableFile extends Error {
  override readonly name = "UnreadableFile";
}
