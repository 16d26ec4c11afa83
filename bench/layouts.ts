/**
 * Compares sets of indexes by the price of a user's day and the slowest page, with the project's own statements, and writes
 * LAYOUTS.md: `npm run bench:layouts`. Rows and time are those of a local D1, bytes those of Node's SQLite.
 */
import { writeFileSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { replaceInReadme } from "./report.ts";
import { type Cost, migrations, openCountingD1, PEOPLE, statementsOf, tasksOf } from "./support/d1.ts";
import { rangeOf } from "./support/statistics.ts";

/** D1's prices in dollars a row (https://developers.cloudflare.com/d1/platform/pricing/). */
const [PER_ROW_READ, PER_ROW_WRITTEN] = [0.001 / 1e6, 1 / 1e6];
const SIZES = [50, 200, 1000, 10_000];
const DELETED = 5000;
const RUNS = 15;
const [TASKS_TO_WEIGH, PAGE_BYTES] = [10_000, 4096];

const isCompleted = "completed_at is not null";
const live = "where deleted_at is null";

/** An index for the order by a column: of each status, of open tasks only, or of all live tasks. */
type Index = { key: string; of: "status" | "open" | "live" };
const by = (of: Index["of"], ...keys: string[]): Index[] => keys.map((key) => ({ key, of }));

/** Indexes beside the primary key, the revision, the trash and the tombstones. */
const LAYOUTS: Record<string, Index[]> = {
  "seven: each order of each status": [
    ...by("live", "created_at", "due_key"),
    ...by("status", "created_at", "due_key", "priority", "revision", "title_key"),
  ],
  "open tasks by each order": by("open", "created_at", "due_key", "priority", "title_key"),
  "**status and creation, open by due date**": [...by("status", "created_at"), ...by("open", "due_key")],
  "open by creation, open by due date": by("open", "created_at", "due_key"),
  "status and creation": by("status", "created_at"),
  "open by creation": by("open", "created_at"),
};
const IN_README = 3;

type Measured = { create: number; complete: number; day: number; defaultList: number; title: Cost };

const newTask = {
  title: "Buy oat milk",
  description: null,
  completed: false,
  priority: "none" as const,
  due: "2026-03-01",
  tags: [],
};

let layout: Index[] = [];
const database = await openCountingD1(withIndexesOf);
const { tasks, run, costOf } = database;
const sections: string[] = [];
const summary: string[] = [];
for (const size of SIZES) {
  const rows: string[] = [];
  for (const [index, [name, indexes]] of Object.entries(LAYOUTS).entries()) {
    layout = indexes;
    await use(size);
    const { create, complete, day, defaultList, title } = await measure();
    const bytes = bytesOfATask();
    const cells = [
      name,
      `${create}, ${complete}`,
      bytes,
      `$${day.toFixed(6)}`,
      defaultList,
      title.read,
      title.milliseconds,
    ];
    rows.push(`| ${cells.join(" | ")} |`);
    if (size === 200 && index < IN_README)
      summary.push(`| ${[name, `${create}, ${complete}`, bytes, `$${day.toFixed(6)}`].join(" | ")} |`);
  }
  console.log([`${size} open tasks`, ...rows].join("\n"));
  sections.push(section(size, rows));
}
await database.close();
writeFileSync("bench/LAYOUTS.md", describe());
replaceInReadme(
  "price",
  [
    "| Indexes for live tasks | rows written: create, complete | bytes a task | price of a day |",
    "|---|---|---|---|",
    ...summary,
  ].join("\n"),
);

/** Gives the database the indexes of the layout, and tasks. */
async function use(size: number): Promise<void> {
  await run("delete from task", "drop index if exists task_status_creation", "drop index if exists task_open_due");
  for (let n = 0; n < 7; n += 1) await run(`drop index if exists bench_${n}`);
  await run(...createIndexes(), tasksOf("caller", size, size, DELETED), tasksOf("other", 1000));
}

function createIndexes(): string[] {
  return layout.map(({ key, of }, n) => {
    const columns = [...(of === "status" ? [isCompleted] : []), key, ...(key === "revision" ? [] : ["id"])];
    const where = of === "open" ? `${live} and (${isCompleted}) = 0` : live;
    return `create index bench_${n} on task (user_id, ${columns.join(", ")}) ${where}`;
  });
}

/** Lets each range of a list use the layout's index for it, if there is one. Else SQLite chooses. */
function withIndexesOf(text: string): string {
  const range =
    /select (\S+) as key,((?:(?!select )[\s\S])*?) indexed by "task_\w+"(\s+where user_id = \?\d+ and deleted_at is null(?: and \(completed_at is not null\) = (\d))?)/g;
  return text.replace(range, (_, key: string, columns: string, where: string, completed: string | undefined) => {
    const of = completed === undefined ? ["live"] : completed === "0" ? ["status", "open"] : ["status"];
    const indexOf = (wanted: string) => layout.findIndex((index) => index.key === wanted && of.includes(index.of));
    const found = [indexOf(key), indexOf("created_at")].find((n) => n >= 0);
    return `select ${key} as key,${columns}${found === undefined ? "" : ` indexed by bench_${found}`}${where}`;
  });
}

/** A day of one user, and single requests. */
async function measure(): Promise<Measured> {
  const create = await costOf(() => tasks.create(newTask));
  const { id } = await openTask();
  const complete = await costOf(() => tasks.update(id, { completed: true }));
  const day = await costOf(spendADay);
  const defaultList = await costOf(() => tasks.list({ status: "all" }, 20));
  const pages: Cost[] = [];
  for (let n = 0; n < RUNS; n += 1) pages.push(await costOf(() => tasks.list({ status: "open", sort: "title" }, 20)));
  const milliseconds = rangeOf(pages.map((page) => page.milliseconds)).median;
  return {
    create: create.written,
    complete: complete.written,
    day: priceOf(day),
    defaultList: defaultList.read,
    title: { read: pages[0]?.read ?? 0, written: 0, milliseconds },
  };
}

async function spendADay(): Promise<void> {
  for (let n = 0; n < 8; n += 1) await tasks.create(newTask);
  for (let n = 0; n < 8; n += 1) await tasks.update((await openTask()).id, { completed: true });
  for (let n = 0; n < 4; n += 1) await tasks.update((await openTask()).id, { title: `Buy ${crypto.randomUUID()}` });
  for (let n = 0; n < 2; n += 1) await tasks.delete((await openTask()).id);
  // Of the 40 polls of the list, those above were ten that found a change or more.
  for (let n = 0; n < 30; n += 1) await tasks.list({ status: "all" }, 20, undefined, "*");
  const first = await tasks.changes(20);
  const since = first.outcome === "page" ? first.page.nextToken : undefined;
  for (let n = 1; n < 10; n += 1) await tasks.changes(20, since);
  for (const sort of ["due", "priority", "title"] as const) await tasks.list({ status: "open", sort }, 20);
}

async function openTask(): Promise<{ id: string }> {
  const listed = await tasks.list({ status: "open" }, 20);
  const [task] = listed.outcome === "page" ? listed.page.data : [];
  if (!task) throw new Error("no task is open");
  return task;
}

function priceOf({ read, written }: Cost): number {
  return read * PER_ROW_READ + written * PER_ROW_WRITTEN;
}

/** How much a live task takes, with its share of the indexes. */
function bytesOfATask(): number {
  const sqlite = new DatabaseSync(":memory:");
  for (const each of [...migrations(), ...statementsOf(PEOPLE)]) sqlite.exec(each);
  sqlite.exec("drop index task_status_creation; drop index task_open_due");
  for (const each of createIndexes()) sqlite.exec(each);
  const pages = () => Number(sqlite.prepare("pragma page_count").get()?.["page_count"]);
  const before = pages();
  sqlite.exec(tasksOf("caller", TASKS_TO_WEIGH));
  const bytes = Math.round(((pages() - before) * PAGE_BYTES) / (2 * TASKS_TO_WEIGH));
  sqlite.close();
  return bytes;
}

function section(size: number, rows: string[]): string {
  return `## ${size} open tasks, as many completed, ${DELETED} deleted

| Indexes | written: create, complete | bytes a task | price of the day | default list: rows read | open by title: rows read | and ms |
|---|---|---|---|---|---|---|
${rows.join("\n")}
`;
}

function describe(): string {
  return `# What indexes cost and save

Written by \`npm run bench:layouts\`, with the project's own statements, which name the index of each layout. Rows are those
of D1's counters, priced at $0.001 a million rows read and $1.00 a million written. The day of a user: 8 tasks created, 8
completed, 4 edited and 2 deleted, each after a look at the open tasks; 30 lists that have not changed; 10 reads of the
change feed; a page by due date, by priority and by title. Milliseconds are the median of what D1 says (\`meta.duration\`),
bytes are those of Node's SQLite. All layouts have the primary key, the revision, the trash and the tombstones beside.

${sections.join("\n")}`;
}
