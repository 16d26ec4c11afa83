/** Our calendars in the hands of other libraries: python-icalendar and vobject, as Debian has them. */
import { execFileSync } from "node:child_process";
import { expect, inject, it } from "vitest";
import { arbitraryTasks } from "../support/arbitrary-tasks.ts";

const COUNT = 10_000;
const tasksPath = "/api/v1/users/me/tasks";

async function newcomer(): Promise<(path: string, init?: RequestInit) => Promise<Response>> {
  const { url } = inject("servedApp");
  const body = JSON.stringify({
    name: "x",
    email: `${crypto.randomUUID()}@example.com`,
    password: "correct horse battery",
  });
  const headers = { "content-type": "application/json" };
  const answer = await fetch(`${url}/api/auth/sign-up/email`, { method: "POST", headers, body });
  const authorization = `Bearer ${answer.headers.get("set-auth-jwt")}`;
  return (path, init = {}) => fetch(url + tasksPath + path, { ...init, headers: { authorization, ...init.headers } });
}

/** What an import keeps of each task, sorted. */
async function contentsOf(call: Awaited<ReturnType<typeof newcomer>>): Promise<string[]> {
  const { tasks } = (await (await call("/export")).json()) as { tasks: Record<string, unknown>[] };
  const names = ["title", "description", "completed", "completedAt", "priority", "due", "tags", "createdAt", "uid"];
  return tasks.map((task) => JSON.stringify(names.map((name) => task[name]))).sort();
}

type Arbitrary = ReturnType<typeof arbitraryTasks>[number];

const LIBRARIES: [library: string, keeps: (task: Arbitrary) => boolean][] = [
  ["vobject", () => true],
  // Debian's version of it takes an escaped comma for the end of a category, and unescapes twice.
  ["icalendar", ({ tags, ...task }) => !JSON.stringify([task, tags]).includes("\\\\") && !tags.join().includes("b,c")],
];

it.each(LIBRARIES)("T7 tasks come back from %s as they were", async (library, keeps) => {
  const [from, to] = [await newcomer(), await newcomer()];
  // Neither library keeps every line of another program as it is written: these are compared without theirs.
  const tasks = arbitraryTasks(COUNT)
    .filter(keeps)
    .map(({ iCalendar: _, ...task }) => task);
  const imported = await from("/import", { method: "POST", body: JSON.stringify({ tasks }) });
  expect(await imported.json()).toMatchObject({ imported: tasks.length, invalid: 0 });
  const file = await (await from("/export?format=ics")).text();
  const python = ["test/generators/programs/rewrite_calendar.py", library];
  const written = execFileSync("/usr/bin/python3", python, { input: file, maxBuffer: 100_000_000 });
  const report = await (await to("/import", { method: "POST", body: written })).json();
  expect(tasks.length).toBeGreaterThan(COUNT / 4);
  expect(report).toMatchObject({ imported: tasks.length, invalid: 0 });
  expect(await contentsOf(to)).toEqual(await contentsOf(from));
});
