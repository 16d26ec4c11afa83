/** The tasks of the signed-in user: one method for each operation of the task API. */
import type { Abortable } from "./abort.ts";
import { platform, type ResponseLike } from "./platform.ts";
import type { Answer, Call, Send } from "./transport.ts";
import type {
  Change,
  ChangePage,
  CreateTask,
  ImportReport,
  ListQuery,
  NewTask,
  Operation,
  OperationResult,
  Task,
  TaskChanges,
  TaskPage,
  Usage,
} from "./types.ts";

/** A write that is refused if the task has changed since this one was read, or since this revision. */
export type Seen = { ifMatch?: Task | number };

/** A unique value you choose: a call that repeats it runs once. Left out, each call gets its own. */
export type Keyed = { idempotencyKey?: string };

const IMPORT_TYPES = { json: "application/json", csv: "text/csv", ics: "text/calendar", txt: "text/plain" };
/** The content tells the format. */
const ANY_TYPE = "application/octet-stream";

type ImportOptions = {
  /** What the file is, where its content may not tell. */
  format?: keyof typeof IMPORT_TYPES;
  /** Makes the report, and writes nothing. */
  dryRun?: boolean;
  /** Keeps columns without a field as lines of the description. */
  keepUnknown?: boolean;
};

type Write = Pick<Call, "json" | "body" | "headers" | "query"> & Abortable & { repeatable?: boolean };

/** @param userId whose tasks; calls under another user's id are refused */
export function createTasks(send: Send, userId = "me") {
  const user = `/api/v1/users/${encodeURIComponent(userId)}`;
  const tasksPath = `${user}/tasks`;

  return {
    /** How much of each quota is used. */
    usage: (how?: Abortable): Promise<Usage> => read(`${user}/usage`, {}, how),

    tasks: {
      /** One page. */
      list: (query: ListQuery = {}, how?: Abortable): Promise<TaskPage> => read(tasksPath, query, how),

      /** The tasks of all pages. */
      async *all(query: Omit<ListQuery, "cursor"> = {}, how?: Abortable): AsyncGenerator<Task, void, undefined> {
        for (let cursor: string | undefined; ; ) {
          const page: TaskPage = await read(tasksPath, { ...query, cursor }, how);
          yield* page.data;
          if (page.nextCursor === null) return;
          cursor = page.nextCursor;
        }
      },

      get: (id: string, how?: Abortable): Promise<Task> => read(at(id), {}, how),

      /** Creates one task, even if the request has to be repeated. */
      create: (task: CreateTask, how: Keyed & Abortable = {}): Promise<Task> =>
        write("POST", tasksPath, { json: task, ...once(how) }),

      /** Sets all fields; those left out get their default. */
      replace: (id: string, task: NewTask, how: Seen & Abortable = {}): Promise<Task> =>
        write("PUT", at(id), { json: task, ...ifSeen(how) }),

      /** Changes the given fields; null clears one. */
      change: (id: string, changes: TaskChanges, how: Seen & Abortable = {}): Promise<Task> =>
        write("PATCH", at(id), { json: changes, ...ifSeen(how) }),

      complete: (id: string, completed = true, how: Seen & Abortable = {}): Promise<Task> =>
        write("PATCH", `${at(id)}/complete`, { json: { completed }, ...ifSeen(how) }),

      /** Moves a task to the trash. */
      delete: (id: string, how: Seen & Abortable = {}): Promise<void> => write("DELETE", at(id), ifSeen(how)),

      /** Takes a task out of the trash. */
      restore: (id: string, how: Seen & Abortable = {}): Promise<Task> =>
        write("POST", `${at(id)}/restore`, ifSeen(how)),

      /** Runs many writes in one transaction, once, even if the request has to be repeated. */
      async batch(
        operations: Operation[],
        { atomic = true, ...how }: Keyed & Abortable & { atomic?: boolean } = {},
      ): Promise<OperationResult[]> {
        const json = { atomic, operations };
        return (await write<{ results: OperationResult[] }>("POST", `${tasksPath}/batch`, { json, ...once(how) }))
          .results;
      },

      /**
       * All changes since a token, oldest first, up to now.
       * @param since the token of the last page that was applied; left out, from the beginning
       * @returns pages, each with the token to continue from once its changes are applied
       */
      async *changes(
        since?: string,
        how?: Abortable,
      ): AsyncGenerator<{ changes: Change[]; token: string }, void, undefined> {
        for (let token = since; ; ) {
          const page: ChangePage = await read(`${tasksPath}/changes`, { since: token, limit: 100 }, how);
          token = page.nextToken;
          yield { changes: page.data, token };
          if (!page.hasMore) return;
        }
      },

      /** All tasks as a file. Its body streams; an abort then makes reading it fail with the signal's reason. */
      async export(
        format: "json" | "csv" | "ics" = "json",
        { signal, bom }: Abortable & { /** Begins CSV as Excel on Windows needs. */ bom?: boolean } = {},
      ): Promise<ResponseLike> {
        const path = `${tasksPath}/export`;
        const query = { format, bom: flag(bom) };
        return (await send({ method: "GET", path, query, repeatable: true, streams: true, signal })).response;
      },

      /** Imports a file of ours or of another program. A task that exists already is not imported again. */
      import: (
        file: string | ArrayBuffer,
        { format, dryRun, keepUnknown, signal }: ImportOptions & Abortable = {},
      ): Promise<ImportReport> =>
        write("POST", `${tasksPath}/import`, {
          body: file,
          query: { dryRun: flag(dryRun), keepUnknown: flag(keepUnknown) },
          headers: { "content-type": format === undefined ? ANY_TYPE : IMPORT_TYPES[format] },
          repeatable: true,
          signal,
        }),
    },
  };

  function at(id: string): string {
    return `${tasksPath}/${encodeURIComponent(id)}`;
  }

  async function read<Result>(path: string, query: NonNullable<Call["query"]>, how?: Abortable): Promise<Result> {
    return resultOf(await send({ method: "GET", path, query, repeatable: true, signal: how?.signal }));
  }

  async function write<Result>(method: string, path: string, what: Write): Promise<Result> {
    return resultOf(await send({ method, path, repeatable: false, ...what }));
  }
}

/** The body, in the shape that the API documents; contract tests hold the server to it. */
function resultOf<Result>({ json }: Answer): Result {
  return json as Result;
}

function flag(value: boolean | undefined): string | undefined {
  return value === undefined ? undefined : String(value);
}

function once({ idempotencyKey = platform.crypto.randomUUID(), signal }: Keyed & Abortable): Write {
  return { headers: { "idempotency-key": idempotencyKey }, repeatable: true, signal };
}

function ifSeen({ ifMatch, signal }: Seen & Abortable): Write {
  if (ifMatch === undefined) return { signal };
  return { headers: { "if-match": `"${typeof ifMatch === "number" ? ifMatch : ifMatch.revision}"` }, signal };
}
