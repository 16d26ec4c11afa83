/** Tasks as JSON: `{ "tasks": [...] }`. */
import type { Writer } from "../format.ts";

export const jsonWriter: Writer = {
  contentType: "application/json",
  opening: '{"tasks":[',
  chunk: (tasks, isFirst) => {
    const texts = tasks.map((task) => JSON.stringify(task));
    return (isFirst || texts.length === 0 ? "" : ",\n") + texts.join(",\n");
  },
  end: () => "]}\n",
};
