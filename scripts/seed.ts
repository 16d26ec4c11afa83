// npm run seed: creates a demo user with 60 varied tasks on a running server. A second run changes nothing.
import { createTasksClient, isTasksError, type NewTask, type Priority } from "../src/client/index.ts";

const TASKS = 60;
const USER = { name: "Demo", email: "demo@example.com", password: "demo walks the edge" };
const VERBS = ["Buy", "Call", "Write to", "Repair", "Plan", "Return", "Book", "Water", "Paint", "Read"];
const THINGS = ["oat milk", "the bank", "Grace", "the bicycle", "Zürich", "библиотека", "東京への旅", "the ferns"];
const TAGS = ["errands", "home", "work", "travel", "Garten"];
const PRIORITIES: Priority[] = ["none", "none", "low", "medium", "high"];
const DAY_MS = 24 * 60 * 60 * 1000;

const baseUrl = process.env["API"] ?? "http://localhost:8787";
const client = createTasksClient({ baseUrl });

try {
  await signUpOrSignIn();
  const { data } = await client.tasks.list({ limit: 1 });
  if (data.length === 0) await client.tasks.batch(operations());
  console.log(`${baseUrl}: ${USER.email}, password "${USER.password}", has ${TASKS} tasks`);
} catch (error) {
  console.error(explain(error));
  process.exit(1);
}

async function signUpOrSignIn(): Promise<void> {
  try {
    await client.signUp(USER);
  } catch (error) {
    if (!isTasksError(error) || error.code !== "account_refused") throw error;
    await client.signIn(USER);
  }
}

function operations() {
  return Array.from({ length: TASKS }, (_, n) => ({ op: "create" as const, task: taskFor(n) }));
}

function taskFor(n: number): NewTask {
  const day = new Date(Date.now() + ((n * 7) % 40) * DAY_MS - 10 * DAY_MS).toISOString();
  return {
    title: `${pick(VERBS, n)} ${pick(THINGS, n * 3)}`,
    description: n % 4 === 0 ? `Number ${n}, with a description` : null,
    completed: n % 5 === 0,
    priority: pick(PRIORITIES, n),
    due: [null, day.slice(0, 10), day][n % 3] ?? null,
    tags: TAGS.filter((_, index) => (n + index) % 4 === 0),
  };
}

function pick<Item>(items: readonly Item[], n: number): Item {
  const item = items[n % items.length];
  if (item === undefined) throw new Error("The list to pick from is empty.");
  return item;
}

function explain(error: unknown): string {
  if (!isTasksError(error)) return String(error);
  if (error.code !== "network") return `${baseUrl} rejected the demo user or its tasks: ${error.message}`;
  if (error.status === 0)
    return `No answer from ${baseUrl}: run npm start in another terminal, or set API to a server.`;
  return `${baseUrl} answered ${error.status} and is not Edge Tasks: set API to the address of a server.`;
}
