/** A consumer of the packed client: programs to compile and to run, and an API that they call. */
import { createServer, type Server, type ServerResponse } from "node:http";

const NAME = "edge-tasks-client";

/** Prints what it saw. */
export const PROGRAM = `import { createTasksClient, isTasksError } from "${NAME}";
const client = createTasksClient({ baseUrl: process.argv[2] });
await client.signIn({ email: "ada@example.com", password: "correct horse battery" });
const signedIn = (await client.session())?.user.email;
await client.tasks.create({ title: "Buy oat milk" });
const titles = [];
for await (const { title } of client.tasks.all()) titles.push(title);
const file = await (await client.tasks.export("csv")).text();
const codeOf = (call) => call.then(() => "done", (error) => (isTasksError(error) ? error.code : error));
const controller = new AbortController();
setTimeout(() => controller.abort(), 50);
const aborted = await codeOf(client.usage({ signal: controller.signal }));
const ended = await codeOf(client.account.sessions());
console.log(JSON.stringify({ signedIn, titles, file, aborted, ended }));
`;

/** Uses types of no platform. */
const EVERYWHERE = `import { createTasksClient, isTasksError, type ResponseLike, type Task } from "${NAME}";
const client = createTasksClient({ baseUrl: "https://tasks.example", onSession: (value: string | undefined) => value });
export async function rename(task: Task, title: string): Promise<number> {
  try {
    return (await client.tasks.change(task.id, { title }, { ifMatch: task })).revision;
  } catch (error) {
    if (!isTasksError(error)) throw error;
    return error.code === "precondition_failed" ? error.revision : error.status;
  }
}
export async function firstBytes(): Promise<Uint8Array | undefined> {
  const { body }: ResponseLike = await client.tasks.export("csv");
  return (await body?.getReader().read())?.value;
}
export const email: Promise<string | undefined> = client.session().then((session) => session?.user.email);
`;

/** Passes the platform's own objects. */
const WITH_FETCH = `${EVERYWHERE}
createTasksClient({ baseUrl: "", fetch });
createTasksClient({ baseUrl: "", fetch: (url, init) => fetch(url, { ...init, redirect: "manual" }) });
createTasksClient({ baseUrl: "", fetch: async (url, init) => fetch(new Request(url, init)) });
export const response: ResponseLike = new Response("x");
export const list = client.tasks.list({}, { signal: new AbortController().signal });
export const created = client.tasks.create({ title: "x" }, { signal: AbortSignal.timeout(1000), idempotencyKey: "x" });
`;

const SERVICE_BINDING = `${WITH_FETCH}
export default {
  async fetch(_: Request, env: { TASKS: Fetcher }): Promise<Response> {
    const bound = createTasksClient({ baseUrl: "", fetch: env.TASKS.fetch.bind(env.TASKS) });
    const same = createTasksClient({ baseUrl: "", fetch: (url, init) => env.TASKS.fetch(url, init) });
    return Response.json([await bound.tasks.list(), await same.usage()]);
  },
};
`;

/** The programs and compiler options of consumers; `packages` are the types that they have installed. */
export const TYPES_OF = {
  "no platform's types": { packages: [], lib: ["es2022"], code: EVERYWHERE },
  "the types of browsers": { packages: [], lib: ["es2022", "dom"], code: WITH_FETCH },
  "the types of Node": { packages: ["@types/node"], lib: ["es2022"], types: ["node"], code: WITH_FETCH },
  "the types of Workers": {
    packages: ["@cloudflare/workers-types"],
    lib: ["es2022"],
    types: ["@cloudflare/workers-types"],
    code: SERVICE_BINDING,
  },
};

const USER = { id: "1", name: "Ada", email: "ada@example.com" };

/** An API on the loopback that fails at first, hangs at `/usage`, and has ended the session at `/list-sessions`. */
export async function startApi(): Promise<Server> {
  let failures = 0;
  const claims = { sub: USER.id, exp: Math.floor(Date.now() / 1000) + 3600 };
  const token = `x.${Buffer.from(JSON.stringify(claims)).toString("base64url")}.x`;
  const answers: Record<string, (response: ServerResponse) => unknown> = {
    "POST /api/auth/sign-in/email": (response) => {
      response.setHeader("set-auth-token", "session").setHeader("set-auth-jwt", token);
      return { token: "x", user: USER };
    },
    "GET /api/auth/get-session": () => ({ user: USER, session: {} }),
    "GET /api/auth/list-sessions": (response) => {
      response.statusCode = 401;
      return { code: "UNAUTHORIZED", message: "Unauthorized" };
    },
    "POST /api/v1/users/me/tasks": (response) => {
      failures += 1;
      response.statusCode = failures % 2 === 1 ? 503 : 201;
      return { title: "Buy oat milk" };
    },
    "GET /api/v1/users/me/tasks": () => ({ data: [{ title: "Buy oat milk" }], nextCursor: null }),
    "GET /api/v1/users/me/tasks/export": () => "title\nBuy oat milk\n",
    "GET /api/v1/users/me/usage": () => undefined,
  };
  const server = createServer((request, response) => {
    const body = answers[`${request.method} ${request.url?.split("?")[0]}`]?.(response);
    if (body !== undefined) response.end(typeof body === "string" ? body : JSON.stringify(body));
  });
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  return server;
}
