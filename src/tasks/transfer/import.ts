/** From a file to tasks, and to a report of what came of each. */
import { createHash } from "node:crypto";
import { errorsOf } from "../../http/validation.ts";
import type { ToImport } from "../imports.ts";
import { importedTaskSchema } from "../model.ts";
import type { Entry } from "./format.ts";

export type Line = {
  line: number;
  status: "imported" | "exists" | "invalid";
  id?: string;
  errors?: { path: string; message: string }[];
};

type Checked = { line: number; task: ToImport } | (Line & { status: "invalid" });

/** Looks at each entry of a file by itself. */
export function checkEntries(entries: Entry[]): Checked[] {
  return entries.map((entry, index) => {
    const line = index + 1;
    if ("error" in entry) return { line, status: "invalid", errors: [{ path: "", message: entry.error }] };
    const { fields, uid } = entry;
    const checked = importedTaskSchema.safeParse(fields);
    if (checked.success) {
      const key = uid === undefined ? ["task", fields] : ["uid", uid];
      return { line, task: { ...checked.data, id: checked.data.id ?? idFrom(key) } };
    }
    return { line, status: "invalid", errors: errorsOf(checked.error) };
  });
}

/** Says of each line what came of it. Of lines with one id, the first was imported. */
export function reportLines(lines: Checked[], imported: Set<string>): Line[] {
  const left = new Set(imported);
  return lines.map((checked) => {
    if (!("task" in checked)) return checked;
    const { line, task } = checked;
    return { line, id: task.id, status: left.delete(task.id) ? "imported" : "exists" };
  });
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
