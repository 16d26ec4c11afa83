/** A program with @hey-api/openapi-ts and its fetch client. It compiles only if the documents are right. */
import { getSession, token as getToken, signUpEmail, type User } from "../generated/hey-api/accounts";
import { client as accountsClient } from "../generated/hey-api/accounts/client.gen";
import type { Operation, Task } from "../generated/hey-api/tasks";
import {
  batch,
  changeTask,
  createTask,
  importTasks,
  listChanges,
  listTasks,
  readTask,
  replaceTask,
} from "../generated/hey-api/tasks";
import { client } from "../generated/hey-api/tasks/client.gen";
import { baseUrl, expectEqual, person, type ResultOf } from "./steps.ts";

const throwOnError = true;
accountsClient.setConfig({ baseUrl });
const signUp = await signUpEmail({ body: person, throwOnError });
const image: string | null = signUp.data.user.image;
const headers = { authorization: `Bearer ${signUp.response.headers.get("set-auth-token")}` };
const session = await getSession({ headers, throwOnError });
const user: User | undefined = session.data?.user;
const ofSession: string | null | undefined = user?.image;
const { data: access } = await getToken({ headers, throwOnError });

client.setConfig({ baseUrl, headers: { authorization: `Bearer ${access.token}` } });
const path = { userId: "me" };
const { data: created } = await createTask({ path, body: { title: "x" }, throwOnError });
const id: string = created.id;
const one = { ...path, id };
await changeTask({ path: one, body: { due: "2026-03-01" }, throwOnError });
const { data: cleared } = await changeTask({ path: one, body: { due: null }, throwOnError });
const due: string | null = cleared.due;
await replaceTask({ path: one, body: { title: "y", due: null }, throwOnError });
const { data: page } = await listTasks({ path, query: { timeZone: "Europe/Berlin" }, throwOnError });
const title: string = page.data[0].title;

const operations: Operation[] = [
  { op: "create", task: { title: "b" } },
  { op: "patch", id, task: { due: null } },
  { op: "complete", id, completed: true },
  { op: "delete", id },
];
for (const operation of operations) {
  if (operation.op === "create") operation.task.title satisfies string;
  else if (operation.op === "complete") operation.completed satisfies boolean;
  else operation.id satisfies string;
}
const { data: answer } = await batch({ path, body: { operations }, throwOnError });
const ops: ResultOf[] = answer.results.map(({ op }) => op);
const titles = answer.results.map((result) => (result.task === null ? result.op : result.task.title));
const { data: changes } = await listChanges({ path, throwOnError });
const changed: Task | null = changes.data[0].task;

const body = { tasks: [{ title: "z" }] };
const { data: report } = await importTasks({ path, query: { dryRun: "true" }, body, throwOnError });
const missing = await readTask({ path: { ...path, id: crypto.randomUUID() } });
const code: string | undefined = missing.error?.code;

expectEqual("images", [image, ofSession].join(), ",");
expectEqual("due", due, null);
expectEqual("title", title, "y");
expectEqual("operations", ops.join(), "create,patch,complete,delete");
expectEqual("tasks", titles.join(), "b,y,y,delete");
expectEqual("changed", typeof changed?.id, "string");
expectEqual("imported", report.imported, 1);
expectEqual("code", code, "not_found");
