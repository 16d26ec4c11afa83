/** Tasks as files: export and import, by the server. */

import type { ImportReport } from "../../client/index.ts";
import { isTasksError } from "../../client/index.ts";
import { client } from "../account/session.ts";
import { say } from "../shell/undo.ts";
import { callsOf, tasks } from "./store.ts";

export type FileFormat = "json" | "csv" | "ics";
/** What the server takes at once. */
const MAX_OPERATIONS = 100;
export const MAX_FILE_BYTES = 10 * 1024 * 1024;

/** A file's ending is a hint only: the server looks at the content. */
const FORMATS = new Map<string, FileFormat | "txt">(
  Object.entries({ json: "json", csv: "csv", txt: "txt", ics: "ics", ical: "ics" } as const),
);

/** Saves all tasks as a file. */
export async function exportTasks(format: FileFormat): Promise<void> {
  if ((tasks.value?.status().waiting ?? 0) > 0)
    say("The file lacks the changes that wait.", undefined, { isBad: true });
  try {
    const answer = await callsOf(client).tasks.export(format);
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([await answer.text()]));
    link.download = `edge-tasks.${format}`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
  } catch (error) {
    say(
      isTasksError(error) && error.status === 0
        ? "You are offline: the file comes from the server."
        : "The export failed. Try again.",
      undefined,
      { isBad: true },
    );
  }
}

/** A report, and how to move what was imported to the trash; undefined if nothing was. */
export type Imported = { report: ImportReport; undo: (() => void) | undefined };

/** Imports a file. Returns its report, or what is wrong with it. */
export async function importFile(file: File): Promise<Imported | string> {
  const format = FORMATS.get(file.name.split(".").at(-1)?.toLowerCase() ?? "");
  if (file.size > MAX_FILE_BYTES) return "The file is larger than 10 MiB. Import it in parts.";
  try {
    const report = await callsOf(client).tasks.import(await file.arrayBuffer(), format && { format });
    tasks.value?.sync();
    const ids = report.lines.flatMap(({ status, id }) => (status === "created" && id ? [id] : []));
    return { report, undo: ids.length > 0 ? say(importedWords(ids.length), () => takeOut(ids)) : undefined };
  } catch (error) {
    if (!isTasksError(error)) throw error;
    if (error.status === 0) return "You are offline: files are read by the server. Try again when you are connected.";
    if (error.code === "invalid_request") {
      return `The file cannot be read: ${error.errors.map(({ path, message }) => `${path} ${message}`).join("; ")}.`;
    }
    if (error.code === "unsupported_media_type") {
      return "This is no file of tasks. Choose iCalendar, CSV, JSON or todo.txt.";
    }
    return error.status >= 500 ? "The server is not available. Try again in a moment." : error.message;
  }
}

function importedWords(count: number): string {
  return `Imported ${count} ${count === 1 ? "task" : "tasks"}.`;
}

/** Moves tasks that were imported to the trash. Those that are gone already stay so. */
async function takeOut(ids: readonly string[]): Promise<void> {
  const own = callsOf(client);
  let left = ids.length;
  let why = "Try again later.";
  try {
    for (let at = 0; at < ids.length; at += MAX_OPERATIONS) {
      const operations = ids.slice(at, at + MAX_OPERATIONS).map((id) => ({ op: "delete" as const, id }));
      const results = await own.tasks.batch(operations, { atomic: false, idempotencyKey: crypto.randomUUID() });
      left -= results.filter(({ status }) => status < 300 || status === 404).length;
      if (results.some(({ code }) => code === "daily_quota_exceeded")) why = "Today's limit of changes is reached.";
    }
  } catch (error) {
    if (!isTasksError(error)) throw error;
    why = error.status === 0 ? "You are offline." : error.message;
  }
  if (left > 0) say(`${left} imported ${left === 1 ? "task stays" : "tasks stay"}. ${why}`, undefined, { isBad: true });
  tasks.value?.sync();
}
