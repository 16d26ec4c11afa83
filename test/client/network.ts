/** Clients whose requests a test can count, change and cut off. */
import {
  type ClientOptions,
  createTasksClient,
  isTasksError,
  type Task,
  type TasksClient,
  type TasksError,
} from "../../src/client/index.ts";
import { type Fetch, nextAddress, nextEmail, ORIGIN, PASSWORD, worker } from "../support/client.ts";

type Sent = { method: string; path: string; headers: Headers };

/** The same answer, whose body breaks off. */
function cutOff({ status, headers }: Response): Response {
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      controller.enqueue(new TextEncoder().encode("{"));
      controller.error(new TypeError("network down"));
    },
  });
  return new Response(status === 204 ? null : body, { status, headers });
}

/** What a client sends through: the Worker, with every request recorded, and failures where a test wants some. */
export function createNetwork(to: Fetch = worker) {
  const address = nextAddress();
  const sent: Sent[] = [];
  const network = {
    sent,
    /** The number of the request that is cut off, before it arrives or after it was answered. */
    cut: undefined as { at: number; when: "before" | "after" | "within" } | undefined,
    /** Replaces requests before they are sent. */
    change: (_: Request): Request | Promise<Request> => _,
    count: (method: string, path: string) => sent.filter((each) => each.method === method && each.path === path).length,
    async fetch(input: string, init: RequestInit): Promise<Response> {
      const headers = new Headers(init.headers as HeadersInit);
      headers.set("cf-connecting-ip", address);
      const request = await network.change(new Request(input, { ...init, headers } as RequestInit));
      sent.push({ method: request.method, path: new URL(request.url).pathname, headers: request.headers });
      const cut = network.cut?.at === sent.length ? network.cut.when : undefined;
      if (cut === "before") throw new TypeError("network down");
      const answer = await to(request);
      if (cut === "after") throw new TypeError("network down");
      return cut === "within" ? cutOff(answer) : answer;
    },
  };
  return network;
}

export const TASKS = "/api/v1/users/me/tasks";
export const newcomer = () => ({ name: "Someone", email: nextEmail(), password: PASSWORD });

export async function signedUp(network = createNetwork(), options: Partial<ClientOptions> = {}) {
  const tasks = createTasksClient({ baseUrl: ORIGIN, fetch: network.fetch, ...options });
  await tasks.signUp(newcomer());
  return { client: tasks, network };
}

export async function failure(work: Promise<unknown>): Promise<TasksError> {
  try {
    await work;
  } catch (error) {
    if (isTasksError(error)) return error;
    throw error;
  }
  throw new Error("it did not fail");
}

export async function all(from: TasksClient): Promise<Task[]> {
  const tasks: Task[] = [];
  for await (const task of from.tasks.all({ limit: 2 })) tasks.push(task);
  return tasks;
}
