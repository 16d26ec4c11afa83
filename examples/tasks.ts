/**
 * A program that uses the client: `npm run build:client`, then `npx node examples/tasks.ts`.
 * In a project that has installed the package, `import { createTasksClient, isTasksError } from "edge-tasks-client"` is
 * enough; here the import waits for a check, because the client may not be built yet.
 */
const { createTasksClient, isTasksError } = await import("edge-tasks-client").catch(() =>
  stop("The client is not built: run npm run build:client, then run this program again."),
);

const baseUrl = process.env["API"] ?? "http://localhost:8787";
const client = createTasksClient({ baseUrl });

try {
  const email = `ada-${crypto.randomUUID()}@example.com`;
  await client.signUp({ name: "Ada", email, password: "correct horse battery" });

  const milk = await client.tasks.create({ title: "Buy oat milk", tags: ["errands"], due: "2026-03-01" });
  await client.tasks.complete(milk.id, true, { ifMatch: milk });

  try {
    // `milk` is the task before it was completed. Its revision is old, so the server rejects this change.
    await client.tasks.change(milk.id, { title: "Buy two" }, { ifMatch: milk });
  } catch (error) {
    if (!isTasksError(error) || error.code !== "precondition_failed") throw error;
    console.log(`The task has changed: revision ${milk.revision} is now ${error.revision}`);
  }

  for await (const task of client.tasks.all({ sort: "title" })) {
    console.log(task.completed ? "done" : "open", task.title);
  }
  await client.signOut();
} catch (error) {
  if (!isTasksError(error)) throw error;
  const isUnreachable = error.code === "network" && error.status === 0;
  stop(isUnreachable ? `No answer from ${baseUrl}: run npm start, or set API to a server.` : error.message);
}

function stop(message: string): never {
  console.error(message);
  process.exit(1);
}

export {};
