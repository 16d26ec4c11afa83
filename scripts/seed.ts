// npm run seed: gives a running server a demo person and 60 varied tasks. A second run changes nothing.
import { createTasksClient, isTasksError, type NewTask, type Priority } from "../src/client/index.ts";

const TASKS = 60;
const PERSON = { name: "Demo", email: "demo@example.com", password: "demo walks the edge" };
const VERBS = ["Buy", "Call", "Write to", "Repair", "Plan", "Return", "Book", "Water", "Paint", "Read"];
const THINGS = ["oat milk", "the bank", "Grace", "the bicycle", "Zürich", "библиотека", "東京への旅", "the ferns"];
const TAGS = ["errands", "home", "work", "travel", "Garten"];
const PRIORITIES: Priority[] = ["none", "none", "low", "medium", "high"];
const DAY_MS = 24 * 60 * 60 * 1000;

const baseUrl = process.env["API"] ?? "http://localhost:8787";
const client = createTasksClient({ baseUrl });

try {
  await client.signUp(PERSON);
} catch (error) {
  if (!isTasksError(error) || error.code !== "account_refused") throw error;
  await client.signIn(PERSON);
}

const operations = Array.from({ length: TASKS }, (_, n) => ({ op: "create" as const, task: taskFor(n) }));
const { data } = await client.tasks.list({ limit: 1 });
if (data.length === 0) await client.tasks.batch(operations);
console.log(`${baseUrl}: ${PERSON.email}, password "${PERSON.password}", has ${TASKS} tasks`);

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

function pick<Item>(from: readonly Item[], n: number): Item {
  const item = from[n % from.length];
  if (item === undefined) throw new Error("nothing to pick from");
  return item;
}
