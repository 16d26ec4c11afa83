/**
 * A program that uses the client: `npm run build:client`, then `node examples/tasks.ts`.
 * Elsewhere the import is the same once the package is installed.
 */
import { createTasksClient, isTasksError } from "edge-tasks/client";

const client = createTasksClient({ baseUrl: process.env["API"] ?? "http://localhost:8787" });
const email = `ada-${crypto.randomUUID()}@example.com`;
await client.signUp({ name: "Ada", email, password: "correct horse battery" });

const milk = await client.tasks.create({ title: "Buy oat milk", tags: ["errands"], due: "2026-03-01" });
await client.tasks.complete(milk.id, true, { ifMatch: milk });

try {
  // Whoever has only seen the first state must not overwrite the second.
  await client.tasks.change(milk.id, { title: "Buy two" }, { ifMatch: milk });
} catch (error) {
  if (!isTasksError(error) || error.code !== "precondition_failed") throw error;
  console.log(`Changed meanwhile: it was ${milk.revision}, it is ${error.revision}`);
}

for await (const task of client.tasks.all({ sort: "title" })) console.log(task.completed ? "done" : "open", task.title);
await client.signOut();
