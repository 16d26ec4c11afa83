/**
 * Shows how costs grow with the table and with a user's own tasks, by the counters of a local D1, and writes SIZES.md:
 * `npm run bench:size`.
 */
import { writeFileSync } from "node:fs";
import { type Cost, openCountingD1, tasksOf } from "./support/d1.ts";
import { rangeOf } from "./support/statistics.ts";

const OWN = 100;
const TABLE_SIZES = [100, 10_000, 100_000, 1_000_000];
const OWN_SIZES = [10, 100, 1000, 10_000];
const PAGE = 20;
const [QUOTA, DELETED, RUNS] = [10_000, 5000, 21];
/** SQLite adds so many rows in one statement of D1 within its time limit. */
const CHUNK = 250_000;

const newTask = {
  title: "Buy oat milk",
  description: null,
  completed: false,
  priority: "none" as const,
  due: null,
  tags: [],
};

const database = await openCountingD1();
const { tasks, run, costOf } = database;
const byTable = new Map<number, Cost[]>();
const byOwn = new Map<number, Cost[]>();
const names: string[] = [];

await run(tasksOf("caller", 1, 0));
byTable.set(1, await measure());
await deleteOwn();
await run(tasksOf("caller", OWN / 2));
let others = 0;
for (const size of TABLE_SIZES) {
  while (others < size - OWN) others += await addOthers(Math.min(CHUNK, size - OWN - others));
  byTable.set(size, await measure());
}
for (const size of OWN_SIZES) {
  await deleteOwn();
  await run(tasksOf("caller", size / 2));
  byOwn.set(size, await measure());
}
const slowest = await measureSlowest();
await database.close();

const text = `# How costs grow

Written by \`npm run bench:size\`, by the counters of a local D1: rows read and rows written. Half of the tasks are open.

## With the tasks of all users, while the caller has ${OWN} (of one task, it is the caller's)

${table("tasks in the table", byTable)}

## With the caller's own tasks, in a table of a million

${table("own tasks", byOwn)}

A page in an order without an index reads the caller's own tasks of its status. All else stays as it is.

## The slowest pages, with ${QUOTA.toLocaleString("en")} tasks, half of them open, and ${DELETED.toLocaleString("en")} deleted

| status | sort | rows read | ms (\`meta.duration\`), median of ${RUNS} |
|---|---|---|---|
${slowest.join("\n")}
`;
writeFileSync("bench/SIZES.md", text);
console.log(text);

async function deleteOwn(): Promise<void> {
  await run("delete from task where user_id = '0195a3c0-7b1e-7000-9d41-000000000001'");
}

/** Other people's tasks: each chunk belongs to somebody of its own. */
async function addOthers(count: number): Promise<number> {
  const id = crypto.randomUUID();
  await run(`insert into user (id, name, email) values ('${id}', 'Other', '${id}')`);
  const open = Math.ceil(count / 2);
  await run(tasksOf("other", open).replace("0195a3c0-7b1e-7000-9d41-000000000002", id));
  return 2 * open;
}

async function measure(): Promise<Cost[]> {
  const costs: Cost[] = [];
  names.length = 0;
  const add = async (name: string, work: () => Promise<unknown>) => {
    names.push(name);
    costs.push(await costOf(work));
  };
  const created = await tasks.create(newTask);
  const id = created.outcome === "created" ? created.task.id : "";
  await add("read one", () => tasks.find(id));
  await add(`list of ${PAGE}`, () => tasks.list({ status: "all" }, PAGE));
  await add("304", () => tasks.list({ status: "all" }, PAGE, undefined, "*"));
  await add("open by due date", () => tasks.list({ status: "open", sort: "due" }, PAGE));
  await add("open by title", () => tasks.list({ status: "open", sort: "title" }, PAGE));
  await add(`feed of ${PAGE}`, () => tasks.changes(PAGE));
  await add("create", () => tasks.create(newTask));
  await add("edit", () => tasks.update(id, { title: `Buy ${crypto.randomUUID()}` }));
  await add("complete", () => tasks.update(id, { completed: true }));
  await add("delete", () => tasks.delete(id));
  return costs;
}

/** Pages in orders without an index. */
async function measureSlowest(): Promise<string[]> {
  await deleteOwn();
  await run(tasksOf("caller", QUOTA / 2, QUOTA / 2, DELETED));
  const rows: string[] = [];
  for (const status of ["open", "all"] as const) {
    for (const sort of ["title", "priority", "updatedAt", "-due"] as const) {
      if (status === "open" && sort === "-due") continue;
      const costs: Cost[] = [];
      for (let n = 0; n < RUNS; n += 1) costs.push(await costOf(() => tasks.list({ status, sort }, PAGE)));
      const { median } = rangeOf(costs.map(({ milliseconds }) => milliseconds));
      rows.push(`| ${status} | ${sort} | ${costs[0]?.read} | ${median} |`);
    }
  }
  return rows;
}

function table(what: string, measured: Map<number, Cost[]>): string {
  const rows = [...measured].map(([size, costs]) => {
    const cells = costs.map(({ read, written }) => (written > 0 ? `${read}, ${written}` : read));
    return `| ${size.toLocaleString("en")} | ${cells.join(" | ")} |`;
  });
  return [`| ${what} | ${names.join(" | ")} |`, `|---|${names.map(() => "---|").join("")}`, ...rows].join("\n");
}
