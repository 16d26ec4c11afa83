/** Export and import. */
import { createRoute, z } from "@hono/zod-openapi";
import type { Context } from "hono";
import { headers, problems } from "../../http/openapi.ts";
import { Operations } from "../../http/operations.ts";
import { invalidField, Problem } from "../../http/problem.ts";
import { logFailure } from "../../http/request-log.ts";
import { importLineSchema, taskSchema } from "../model.ts";
import { userPath } from "../parameters.ts";
import { overQuota } from "../quota-problem.ts";
import type { TaskVariables } from "../repository/repository.ts";
import { type Reader, textOf, UnreadableFile, type Writer } from "./format.ts";
import { type Checked, checkEntries, reportLines } from "./import.ts";

const CHUNK_TASKS = 500;

/** The formats of files. Each is loaded when it is first used. */
const WRITERS: Record<"json" | "csv" | "ics", () => Promise<Writer>> = {
  json: async () => (await import("./json.ts")).jsonWriter,
  csv: async () => (await import("./csv.ts")).csvWriter,
  ics: async () => (await import("./ics.ts")).icsWriter,
};
const READERS = new Map<string, () => Promise<Reader>>([
  ["application/json", async () => (await import("./json.ts")).readJson],
  ["text/csv", async () => (await import("./csv.ts")).readCsv],
  ["text/calendar", async () => (await import("./ics.ts")).readIcs],
]);

const text = { schema: z.string() };
const FILE = { schema: { type: "string" as const } };
const IMPORT_EXAMPLE = { type: "object" as const, example: { tasks: [{ title: "Buy oat milk" }] } };

const reportSchema = z
  .object({
    imported: z.int(),
    exists: z.int().openapi({ description: "Tasks that exist already, or were deleted" }),
    invalid: z.int(),
    lines: z.array(importLineSchema),
    moreErrors: z.int().optional().openapi({ description: "How many more errors and notes there are" }),
  })
  .openapi("ImportReport");

export const transferRoutes = new Operations<TaskVariables>()
  .openapi(
    createRoute({
      method: "get",
      path: "/export",
      operationId: "exportTasks",
      tags: ["Transfer"],
      summary: "Export all tasks, oldest first",
      request: {
        params: userPath,
        query: z.strictObject({ format: z.enum(["json", "csv", "ics"]).default("json") }),
      },
      responses: {
        200: {
          description: "A file. If the export fails on the way, the connection breaks off",
          headers: headers({ "Content-Disposition": "The file's name" }),
          content: {
            "application/json": { schema: z.object({ tasks: z.array(taskSchema) }) },
            "text/csv": text,
            "text/calendar": text,
          },
        },
        ...problems(400, 401, 403, 429, 503),
      },
    }),
    async (c) => {
      const { format } = c.req.valid("query");
      const writer = await WRITERS[format]();
      const file = await streamTasks(c, writer);
      const disposition = `attachment; filename="tasks.${format}"`;
      return c.body(file, 200, { "Content-Type": writer.contentType, "Content-Disposition": disposition });
    },
  )
  .openapi(
    createRoute({
      method: "post",
      path: "/import",
      operationId: "importTasks",
      tags: ["Transfer"],
      summary: "Import a file of tasks",
      description:
        "A task is imported once, however often its file is sent. Its id identifies it; without an id, its contents do.",
      request: {
        params: userPath,
        body: {
          description: "At most 10 MiB and 20,000 tasks",
          content: {
            // Not validated here: the validator would parse the whole file at once.
            "application/json": { schema: IMPORT_EXAMPLE },
            "text/csv": FILE,
            "text/calendar": FILE,
          },
        },
      },
      responses: {
        200: {
          description: "The result of each task",
          headers: headers({}),
          content: { "application/json": { schema: reportSchema } },
        },
        ...problems(400, 401, 403, 413, 415, 429, 503),
      },
    }),
    async (c) => {
      const type = c.req.header("content-type")?.split(";")[0]?.trim().toLowerCase() ?? "";
      const read = await READERS.get(type)?.();
      if (!read) throw new Problem("unsupported_media_type");
      const { tasks, lines: checked, moreErrors } = checkFile(new Uint8Array(await c.req.arrayBuffer()), read);
      const imported = await c.var.tasks.import(tasks);
      if (imported.outcome === "over-quota") throw overQuota(imported.quota);
      const lines = reportLines(checked, imported.ids);
      const count = (status: string) => lines.filter((line) => line.status === status).length;
      const counts = { imported: count("imported"), exists: count("exists"), invalid: count("invalid") };
      return c.json({ ...counts, lines, ...(moreErrors > 0 && { moreErrors }) }, 200);
    },
  );

/** Reads the first chunk before the file is opened, so that an early failure gets its own status. */
async function streamTasks(c: Context<TaskVariables>, { opening, chunk, end }: Writer): Promise<ReadableStream> {
  const chunks = c.var.tasks.all(CHUNK_TASKS);
  const first = await chunks.next();
  async function* texts() {
    yield opening;
    if (!first.done) yield chunk(first.value, true);
    for await (const later of chunks) yield chunk(later, false);
    yield end;
  }
  return toStream(texts(), (error) => logFailure(c, "export_cut_off", error));
}

/**
 * Reads only as fast as the caller takes it. `ReadableStream.from` is not in the installed types, and Hono's `stream()`
 * closes normally after an error, so that a broken export would look complete.
 */
function toStream(texts: AsyncGenerator<string, void, undefined>, onFailure: (error: Error) => void): ReadableStream {
  const encoder = new TextEncoder();
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      try {
        const { done, value } = await texts.next();
        if (done) controller.close();
        else controller.enqueue(encoder.encode(value));
      } catch (error) {
        const failure = error instanceof Error ? error : new Error("unknown");
        onFailure(failure);
        controller.error(failure);
      }
    },
    cancel: async () => {
      await texts.return();
    },
  });
}

function checkFile(file: Uint8Array, read: Reader): Checked {
  try {
    return checkEntries(read(textOf(file)));
  } catch (error) {
    if (error instanceof UnreadableFile) throw invalidField("body", error.message);
    throw error;
  }
}
