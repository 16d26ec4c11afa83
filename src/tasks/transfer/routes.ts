/** Export and import. */
import { createRoute, z } from "@hono/zod-openapi";
import type { Context } from "hono";
import { headers, problems } from "../../http/openapi.ts";
import { Operations } from "../../http/operations.ts";
import { invalidField, Problem } from "../../http/problem.ts";
import { logFailure } from "../../http/request-log.ts";
import { exportedTaskSchema, importedTaskSchema, importLineSchema, importNoteSchema } from "../model.ts";
import { userPath } from "../parameters.ts";
import { overQuota } from "../quota-problem.ts";
import type { TaskVariables } from "../repository/repository.ts";
import { type Detected, detectFormat } from "./detect.ts";
import { textOf, UnreadableFile, type Writer } from "./format.ts";
import { checkEntries, reportLines } from "./import.ts";

const CHUNK_TASKS = 500;

/** The formats of exports. Each is loaded when it is first used. */
const WRITERS: Record<"json" | "csv" | "ics", () => Promise<Writer>> = {
  json: async () => (await import("./json/write.ts")).jsonWriter,
  csv: async () => (await import("./csv/write.ts")).csvWriter,
  ics: async () => (await import("./icalendar/write.ts")).icsWriter,
};

const text = { schema: z.string() };
const FILE = { schema: { type: "string" as const } };
const importFileSchema = z
  .object({ tasks: z.array(importedTaskSchema) })
  .openapi("ImportFile", { example: { tasks: [{ title: "Buy oat milk" }] } });
const flag = z.enum(["true", "false"], "must be true or false").default("false");

const reportSchema = z
  .object({
    format: z.enum(["icalendar", "csv", "json", "todo.txt"]).openapi({ description: "The format that was found" }),
    program: z
      .string()
      .optional()
      .openapi({ description: "The program whose file it is, if it is another's and known", example: "Todoist" }),
    dryRun: z.boolean().openapi({ description: "Whether nothing was written" }),
    imported: z.int(),
    exists: z.int().openapi({ description: "Tasks that exist already, or were deleted" }),
    invalid: z.int(),
    lines: z.array(importLineSchema),
    notes: z.array(importNoteSchema).openapi({ description: "What was left out of the file, beside its tasks" }),
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
        query: z.strictObject({
          format: z.enum(["json", "csv", "ics"]).default("json"),
          bom: flag.openapi({ description: "Whether CSV begins with a byte order mark, as Excel on Windows needs" }),
        }),
      },
      responses: {
        200: {
          description: "A file. If the export fails on the way, the connection breaks off",
          headers: headers({ "Content-Disposition": "The file's name" }),
          content: {
            "application/json": { schema: z.object({ tasks: z.array(exportedTaskSchema) }) },
            "text/csv": text,
            "text/calendar": text,
          },
        },
        ...problems(400, 401, 403, 429, 503),
      },
    }),
    async (c) => {
      const { format, bom } = c.req.valid("query");
      const writer = await WRITERS[format]();
      const hasMark = bom === "true" && format === "csv";
      const file = await streamTasks(c, hasMark ? { ...writer, opening: `\uFEFF${writer.opening}` } : writer);
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
        "A task is imported once, however often its file is sent. Its id identifies it; without an id, its contents do. The content tells the format and the program: docs/import.md lists them.",
      request: {
        params: userPath,
        query: z.strictObject({
          dryRun: flag.openapi({ description: "Whether the report is made, and nothing written" }),
          keepUnknown: flag.openapi({
            description: "Whether columns without a field are kept, as lines of the description",
          }),
        }),
        body: {
          required: true,
          description: "At most 10 MiB and 20,000 tasks",
          content: {
            "application/json": { schema: importFileSchema },
            "text/csv": FILE,
            "text/calendar": FILE,
            "text/plain": FILE,
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
      const { dryRun, keepUnknown } = c.req.valid("query");
      const type = c.req.header("content-type")?.split(";")[0]?.trim().toLowerCase() ?? "";
      const file = new Uint8Array(await c.req.arrayBuffer());
      const pieces = () => textOf(file);
      const detected = await readable(() => detectFormat(file, type, pieces));
      if (!detected) throw new Problem("unsupported_media_type");
      const { format, program, read }: Detected = detected;
      const checked = await readable(() =>
        checkEntries((note) => read(pieces, note, { keepUnknown: keepUnknown === "true" })),
      );
      const imported = await c.var.tasks.import(checked.tasks, dryRun === "true");
      if (imported.outcome === "over-quota") throw overQuota(imported.quota);
      const lines = reportLines(checked.lines, imported.ids);
      const count = (status: string) => lines.filter((line) => line.status === status).length;
      const report = {
        format,
        ...(program !== undefined && { program }),
        dryRun: dryRun === "true",
        ...{ imported: count("created"), exists: count("exists"), invalid: count("invalid") },
        lines,
        notes: checked.notes,
        ...(checked.moreErrors > 0 && { moreErrors: checked.moreErrors }),
      };
      return c.json(report, 200);
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
    yield end(first.done === true || first.value.length === 0);
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

/** Tells the caller why a file cannot be read. */
async function readable<Result>(read: () => Result | Promise<Result>): Promise<Result> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof UnreadableFile) throw invalidField("body", error.message);
    throw error;
  }
}
