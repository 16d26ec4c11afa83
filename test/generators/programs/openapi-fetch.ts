/** A program with openapi-typescript, by its default flags, and openapi-fetch. It compiles only if the documents are right. */
import createClient from "openapi-fetch";
import type { paths as AccountPaths, components as Accounts } from "../generated/openapi-typescript/accounts.ts";
import type { components, paths } from "../generated/openapi-typescript/tasks.ts";
import { baseUrl, expectEqual, person, type ResultOf } from "./steps.ts";

type Task = components["schemas"]["Task"];

function required<Data>(answer: { data?: Data; error?: unknown; response: Response }): Data {
  if (answer.data === undefined) throw new Error(`${answer.response.status} ${JSON.stringify(answer.error)}`);
  return answer.data;
}

const accounts = createClient<AccountPaths>({ baseUrl });
const signUp = await accounts.POST("/api/auth/sign-up/email", { body: person });
const image: string | null = required(signUp).user.image;
const headers = { authorization: `Bearer ${signUp.response.headers.get("set-auth-token")}` };
const session = required(await accounts.GET("/api/auth/get-session", { headers }));
const user: Accounts["schemas"]["User"] | undefined = session?.user;
const ofSession: string | null | undefined = user?.image;
const { token } = required(await accounts.GET("/api/auth/token", { headers }));

const api = createClient<paths>({ baseUrl, headers: { authorization: `Bearer ${token}` } });
const tasks = "/api/v1/users/{userId}/tasks";
const path = { userId: "me" };
const created: Task = required(await api.POST(tasks, { params: { path }, body: { title: "x" } }));
const { id } = created;
const one = { params: { path: { ...path, id } } };
await api.PATCH(`${tasks}/{id}`, { ...one, body: { due: "2026-03-01" } });
const cleared = required(await api.PATCH(`${tasks}/{id}`, { ...one, body: { due: null } }));
const due: string | null = cleared.due;
await api.PUT(`${tasks}/{id}`, { ...one, body: { title: "y", due: null } });
const page = required(await api.GET(tasks, { params: { path, query: { timeZone: "Europe/Berlin" } } }));
const title: string = page.data[0].title;

const operations: components["schemas"]["Operation"][] = [
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
const batch = required(await api.POST(`${tasks}/batch`, { params: { path }, body: { operations } }));
const ops: ResultOf[] = batch.results.map(({ op }) => op);
const titles = batch.results.map((result) => (result.task === null ? result.op : result.task.title));
const changes = required(await api.GET(`${tasks}/changes`, { params: { path } }));
const changed: Task | null = changes.data[0].task;

const body = { tasks: [{ title: "z" }] };
const report = required(await api.POST(`${tasks}/import`, { params: { path, query: { dryRun: "true" } }, body }));
const missing = await api.GET(`${tasks}/{id}`, { params: { path: { ...path, id: crypto.randomUUID() } } });
const code: string | undefined = missing.error?.code;

expectEqual("images", [image, ofSession].join(), ",");
expectEqual("due", due, null);
expectEqual("title", title, "y");
expectEqual("operations", ops.join(), "create,patch,complete,delete");
expectEqual("tasks", titles.join(), "b,y,y,delete");
expectEqual("changed", typeof changed?.id, "string");
expectEqual("imported", report.imported, 1);
expectEqual("code", code, "not_found");
