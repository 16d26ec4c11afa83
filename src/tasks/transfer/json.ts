/** Tasks as JSON: `{ "tasks": [...] }`. */
import { type Entry, UnreadableFile, type Writer } from "./format.ts";

export const jsonWriter: Writer = {
  contentType: "application/json",
  opening: '{"tasks":[',
  chunk: (tasks, isFirst) => {
    const texts = tasks.map((task) => JSON.stringify(task));
    return (isFirst || texts.length === 0 ? "" : ",\n") + texts.join(",\n");
  },
  end: "]}\n",
};

export function readJson(text: string): Entry[] {
  const file = parse(text);
  const tasks = isObject(file) ? file["tasks"] : undefined;
  if (!Array.isArray(tasks)) throw new UnreadableFile("must be an object with a list of tasks");
  return tasks.map((fields: unknown) => (isObject(fields) ? { fields } : { error: "must be an object" }));
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new UnreadableFile("must be JSON");
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
