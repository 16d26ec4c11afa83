/**
 * A client of the Edge Tasks API for browsers, Node, Deno, Bun and Workers, without dependencies.
 *
 *     const client = createTasksClient({ baseUrl: "https://tasks.example.com" });
 *     await client.signIn({ email, password });
 *     for await (const task of client.tasks.all({ status: "open" })) console.log(task.title);
 */
import { createAccount } from "./account.ts";
import { type Fetch, isPage, platform } from "./platform.ts";
import { createSession, type SessionOptions } from "./session.ts";
import { createTasks } from "./tasks.ts";
import { type Answer, type Call, createTransport } from "./transport.ts";

export type { Abortable } from "./abort.ts";
export type { Credentials, NewAccount, PasswordChange, User, UserSession } from "./account.ts";
export { isTasksError, type TasksError } from "./errors.ts";
export type { AbortSignalLike, Fetch, ReadableStreamLike, RequestLike, ResponseLike } from "./platform.ts";
export type { Keyed, Seen } from "./tasks.ts";
export type * from "./types.ts";

export type ClientOptions = Partial<Omit<SessionOptions, "baseUrl">> & {
  /** The Worker's origin, such as `https://tasks.example.com`. */
  baseUrl: string;
  /** Replaces the global `fetch`, for instance with that of a service binding. */
  fetch?: Fetch | undefined;
};

export type TasksClient = ReturnType<typeof createTasksClient>;

/** Creates a client. It is signed in if it is given a session, or if the browser has the session's cookie. */
export function createTasksClient({ baseUrl, fetch, ...options }: ClientOptions) {
  const carrier = options.carrier ?? (isPage ? "cookie" : "bearer");
  const send = createTransport(baseUrl, fetch ?? ((url, init) => platform.fetch(url, init)), carrier === "cookie");
  const session = createSession(send, { ...options, baseUrl, carrier });
  let bookmark = "";

  return {
    ...createAccount(session),
    ...createTasks(sendWithBookmark),
    /** The same calls under a user's own path: refused with `forbidden` when somebody else is signed in. */
    of: (userId: string) => createTasks((call) => sendWithBookmark({ ...call, userId }), userId),
  };

  /** Sends the newest bookmark, so that a read includes earlier writes on every replica. Bookmarks sort by age. */
  async function sendWithBookmark(call: Call): Promise<Answer> {
    const headers = { ...call.headers, "x-d1-bookmark": bookmark || undefined };
    const answer = await session.sendAuthorized({ ...call, headers });
    const latest = answer.response.headers.get("x-d1-bookmark") ?? "";
    if (latest > bookmark) bookmark = latest;
    return answer;
  }
}
