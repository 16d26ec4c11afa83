/** Turns the entries of a file into tasks, and into the lines of a report. */
import { createHash } from "node:crypto";
import type { FieldError } from "../../http/problem-details.ts";
import { errorsOf, MAX_ERRORS } from "../../http/validation.ts";
import { type ImportedTask, type ImportLine, importedTaskSchema } from "../model.ts";
import { type Entry, MAX_ENTRIES, type Note, type TakeNote, UnreadableFile } from "./format.ts";

const MAX_ERRORS_A_LINE = 10;
const TWIN = "names the same task as an earlier one of this file, which counts";

/**
 * A checked file: its tasks, each id once, and the report's lines as far as they are known. `notes` concern the file and
 * none of its tasks.
 */
export type Checked = { tasks: ImportedTask[]; lines: ImportLine[]; notes: Note[]; moreErrors: number };

/**
 * Checks each entry of a file on its own. Errors and notes are listed up to a limit, and counted beyond it.
 * @param read reads the entries, and hands on notes that concern none of them
 */
export function checkEntries(read: (note: TakeNote) => Iterable<Entry>): Checked {
  const tasks = new Map<string, ImportedTask>();
  const lines: ImportLine[] = [];
  const fileNotes: Note[] = [];
  let left = MAX_ERRORS;
  let moreErrors = 0;

  const take = <Kind extends FieldError>(notes: Kind[], more = 0): Kind[] => {
    const kept = notes.slice(0, Math.min(left, MAX_ERRORS_A_LINE));
    left -= kept.length;
    moreErrors += notes.length - kept.length + more;
    return kept;
  };

  for (const entry of read((note) => fileNotes.push(...take([note])))) {
    const task = lines.length + 1;
    if (task > MAX_ENTRIES) throw new UnreadableFile(`must hold at most ${MAX_ENTRIES} tasks`);
    const { line } = entry;
    if ("error" in entry) {
      lines.push({ task, line, status: "invalid", errors: take([{ path: "", message: entry.error }]) });
      continue;
    }
    const checked = importedTaskSchema.safeParse(entry.fields);
    if (!checked.success) {
      const found = errorsOf(checked.error, MAX_ERRORS_A_LINE);
      lines.push({ task, line, status: "invalid", errors: take(found.errors ?? [], found.moreErrors) });
      continue;
    }
    const key = entry.uid === undefined ? ["task", entry.fields] : ["uid", entry.uid];
    const id = checked.data.id ?? idFrom(key);
    // Among lines with the same id, the first counts.
    const isFirst = !tasks.has(id);
    if (isFirst) tasks.set(id, { ...checked.data, id });
    const said = [...(entry.notes ?? []), ...(isFirst ? [] : [{ line, path: "", message: TWIN }])];
    const notes = said.length > 0 ? { notes: take(said) } : {};
    lines.push({ task, line, status: isFirst ? "created" : "exists", id, ...notes });
  }
  return { tasks: [...tasks.values()], lines, notes: fileNotes, moreErrors };
}

/** Marks the lines whose task existed already. */
export function reportLines(lines: ImportLine[], imported: ReadonlySet<string>): ImportLine[] {
  return lines.map((line) =>
    line.status === "created" && !imported.has(line.id ?? "") ? { ...line, status: "exists" } : line,
  );
}

/**
 * An id made from what names a task elsewhere, or from all that is written in it: the same each time.
 * @see RFC 9562, section 5.8 (UUIDv8)
 */
function idFrom(key: unknown[]): string {
  const bytes = createHash("sha256").update(JSON.stringify(key)).digest().subarray(0, 16);
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x80, 6);
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
  return bytes.toString("hex").replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}
