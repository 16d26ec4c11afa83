/** Taking all tasks out, and bringing tasks in. */
import { createRoute, OpenAPIHono, z } from "@hono/zod-openapi";
import type { Context } from "hono";
import type { UserScope } from "../../access/user-scope.ts";
import { headers, problems } from "../../http/openapi.ts";
import { invalidField, Problem } from "../../http/problem.ts";
import { logFailure } from "../../http/request-log.ts";
import { refuseInvalid } from "../../http/validation.ts";
import { taskSchema } from "../model.ts";
import { userPath } from "../parameters.ts";
import { overQuota } from "../quota-problem.ts";
import { csvWriter, readCsv } from "./csv.ts";
import { type Reader, textOf, UnreadableFile, type Writer } from "./format.ts";
import { icsWriter, readIcs } from "./ics.ts";
import { type Checked, checkEntries, reportLines } from "./import.ts";
import { jsonWriter, readJson } from "./json.ts";

const CHUNK_TASKS = 500;

const WRITERS: Record<"json" | "csv" | "ics", Writer> = { json: jsonWriter, csv: csvWriter, ics: icsWriter };
const READERS: Record<string, Reader> = {
  "application/json": readJson,
  "text/csv": readCsv,
  "text/calendar": readIcs,
};

const text = { schema: z.string() };
const FILE = { schema: { type: "string" as const } };
const IMPORT_EXAMPLE = { type: "object" as const, example: { tasks: [{ title: "Buy oat milk" }] } };

const notes = z.array(z.object({ path: z.string(), message: z.string() }));

const reportSchema = z
  .object({
    imported: z.int(),
    exists: z.int().openapi({ description: "Were there already, or had been deleted" }),
    invalid: z.int(),
    lines: z.array(
      z.object({
        line: z.int().openapi({ description: "Which task of the file, counted from 1" }),
        status: z.enum(["imported", "exists", "invalid"]),
        id: z.string().optional(),
        errors: notes.optional(),
        notes: notes.optional().openapi({ description: "What was read otherwise than it is written" }),
      }),
    ),
    moreErrors: z.int().optional().openapi({ description: "How many errors and notes are not listed" }),
  })
  .openapi("ImportReport");

export const transferRoutes = new OpenAPIHono<UserScope>({ defaultHook: refuseInvalid })
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
          description: "A file. It is cut off should the export fail on the way",
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
      const writer = WRITERS[format];
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
      summary: "Import what an export wrote",
      description:
        "Each task once, however often it is imported: told by its id, or else by all that is written in it.",
      request: {
        params: userPath,
        body: {
          description: "At most 10 MiB and 20,000 tasks",
          content: {
            // Described, and not validated: the validator would read the whole file first.
            "application/json": { schema: IMPORT_EXAMPLE },
            "text/csv": FILE,
            "text/calendar": FILE,
          },
        },
      },
      responses: {
        200: {
          description: "What came of each task",
          headers: headers({}),
          content: { "application/json": { schema: reportSchema } },
        },
        ...problems(400, 401, 403, 413, 415, 429, 503),
      },
    }),
    async (c) => {
      const type = c.req.header("content-type")?.split(";")[0]?.trim().toLowerCase() ?? "";
      const read = READERS[type];
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

/** Opens the file with the first chunk in hand, so that what fails at once has an answer of its own. */
async function streamTasks(c: Context<UserScope>, { opening, chunk, end }: Writer): Promise<ReadableStream> {
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

/** Reads on only as fast as the caller takes it. */
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
