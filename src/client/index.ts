/**
 * A client of the task API, for browsers, Node, Deno and Workers. It depends on nothing.
 *
 *     const client = createTasksClient({ baseUrl: "https://tasks.example.com" });
 *     await client.signIn({ email, password });
 *     for await (const task of client.tasks.all({ status: "open" })) console.log(task.title);
 */
import { createSession, type SessionOptions } from "./session.ts";
import { type Answer, type Call, createTransport, type Fetch } from "./transport.ts";
import type {
  Change,
  ChangePage,
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

export { isTasksError, type TasksError } from "./errors.ts";
export type * from "./types.ts";

export type ClientOptions = Partial<Omit<SessionOptions, "baseUrl">> & {
  /** Where the Worker is, such as `https://tasks.example.com`. */
  baseUrl: string;
  /** Instead of the global one: a service binding's, for instance. */
  fetch?: Fetch | undefined;
};

/** A write that happens only to what you have seen: the task, or its revision. */
export type Seen = { ifMatch?: Task | number };

/** A name for a creation, to repeat it later, and still once. Left out, each call gets its own. */
export type Keyed = { idempotencyKey?: string };

export type TasksClient = ReturnType<typeof createTasksClient>;

const TASKS = "/api/v1/users/me/tasks";
const IMPORT_TYPES = { json: "application/json", csv: "text/csv", ics: "text/calendar" };

/** Makes a client. It is signed in when a session is handed to it, or lies in the browser's cookie. */
export function createTasksClient({ baseUrl, fetch, ...options }: ClientOptions) {
  const carrier = options.carrier ?? ("document" in globalThis ? "cookie" : "bearer");
  const send = createTransport(
    baseUrl,
    fetch ?? ((input, init) => globalThis.fetch(input, init)),
    carrier === "cookie",
  );
  const { sendAuthorized, ...account } = createSession(send, { ...options, baseUrl, carrier });
  let bookmark: string | undefined;

  return {
    ...account,
    /** How much of each quota is used. */
    usage: (): Promise<Usage> => read({ path: "/api/v1/users/me/usage" }),

    tasks: {
      /** One page. */
      list: (query: ListQuery = {}): Promise<TaskPage> => read({ path: TASKS, query }),

      /** All pages, one task after the other. */
      async *all(query: Omit<ListQuery, "cursor"> = {}): AsyncGenerator<Task, void, undefined> {
        for (let cursor: string | undefined; ; ) {
          const page: TaskPage = await read({ path: TASKS, query: { ...query, cursor } });
          yield* page.data;
          if (page.nextCursor === null) return;
          cursor = page.nextCursor;
        }
      },

      get: (id: string): Promise<Task> => read({ path: at(id) }),

      /** Creates a task, once, however often the network fails. */
      create: (task: NewTask, { idempotencyKey = crypto.randomUUID() }: Keyed = {}): Promise<Task> =>
        write("POST", TASKS, task, { headers: { "idempotency-key": idempotencyKey }, repeatable: true }),

      replace: (id: string, task: NewTask, seen: Seen = {}): Promise<Task> =>
        write("PUT", at(id), task, { headers: conditionOf(seen) }),

      /** Changes the named fields; null clears. */
      change: (id: string, changes: TaskChanges, seen: Seen = {}): Promise<Task> =>
        write("PATCH", at(id), changes, { headers: conditionOf(seen) }),

      complete: (id: string, completed = true, seen: Seen = {}): Promise<Task> =>
        write("PATCH", `${at(id)}/complete`, { completed }, { headers: conditionOf(seen) }),

      /** Moves a task to the trash. */
      async delete(id: string, seen: Seen = {}): Promise<void> {
        await call({ method: "DELETE", path: at(id), headers: conditionOf(seen), repeatable: false });
      },

      /** Takes a task out of the trash. */
      restore: (id: string, seen: Seen = {}): Promise<Task> =>
        write("POST", `${at(id)}/restore`, undefined, { headers: conditionOf(seen) }),

      /** Many writes in one transaction, once, however often the network fails. */
      async batch(
        operations: Operation[],
        { atomic = true, idempotencyKey = crypto.randomUUID() }: Keyed & { atomic?: boolean } = {},
      ): Promise<OperationResult[]> {
        const headers = { "idempotency-key": idempotencyKey };
        const answer = await write<{ results: OperationResult[] }>(
          "POST",
          `${TASKS}/batch`,
          { atomic, operations },
          { headers, repeatable: true },
        );
        return answer.results;
      },

      /**
       * All changes since a token, oldest first, up to now.
       * @param since the token of the page before; left out, from the beginning
       * @returns pages, each with the token to go on from once its changes are applied
       */
      async *changes(since?: string): AsyncGenerator<{ changes: Change[]; token: string }, void, undefined> {
        for (let token = since; ; ) {
          const page: ChangePage = await read({ path: `${TASKS}/changes`, query: { since: token, limit: 100 } });
          token = page.nextToken;
          yield { changes: page.data, token };
          if (!page.hasMore) return;
        }
      },

      /** All tasks as a file, whose body streams. */
      async export(format: "json" | "csv" | "ics" = "json"): Promise<Response> {
        const path = `${TASKS}/export`;
        return (await call({ method: "GET", path, query: { format }, repeatable: true, streams: true })).response;
      },

      /** Takes what an export wrote, each task once. */
      import: (file: string, format: keyof typeof IMPORT_TYPES = "json"): Promise<ImportReport> =>
        write("POST", `${TASKS}/import`, undefined, {
          body: file,
          headers: { "content-type": IMPORT_TYPES[format] },
          repeatable: true,
        }),
    },
  };

  async function read<Result>(what: Pick<Call, "path" | "query">): Promise<Result> {
    return (await call({ method: "GET", ...what, repeatable: true })).json as Result;
  }

  async function write<Result>(method: string, path: string, json: unknown, more: Partial<Call>): Promise<Result> {
    return (await call({ method, path, json, repeatable: false, ...more })).json as Result;
  }

  /** What was written is seen by what is read next, whichever replica answers: bookmarks sort by age. */
  async function call(what: Call): Promise<Answer> {
    const answer = await sendAuthorized({ ...what, headers: { ...what.headers, "x-d1-bookmark": bookmark } });
    const latest = answer.response.headers.get("x-d1-bookmark") ?? "";
    if (latest > (bookmark ?? "")) bookmark = latest;
    return answer;
  }
}

function at(id: string): string {
  return `${TASKS}/${encodeURIComponent(id)}`;
}

function conditionOf({ ifMatch }: Seen): Record<string, string> {
  if (ifMatch === undefined) return {};
  return { "if-match": `"${typeof ifMatch === "number" ? ifMatch : ifMatch.revision}"` };
}
