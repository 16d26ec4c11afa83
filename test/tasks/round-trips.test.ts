/** 10,000 arbitrary tasks, out of one account and into another. */
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { PRIORITIES } from "../../src/tasks/fields.ts";
import type { ExportedTask } from "../../src/tasks/model.ts";
import { ok, type Person, someone } from "../support/client.ts";

const COUNT = 10_000;

const storable = (text: string) => text.isWellFormed() && !text.includes("\0");
const text = fc.oneof(
  fc.string({ unit: "binary", maxLength: 24 }).filter(storable),
  fc.string({
    unit: fc.constantFrom("'", '"', "=", "-", "@", ";", ",", "\t", "\n", "\r", " ", "\\", ":", "é", "\u0301"),
    maxLength: 10,
  }),
  fc.constantFrom(
    "BEGIN:VTODO",
    "END:VCALENDAR",
    "\\n",
    "\uFEFFx",
    "a\u2028b",
    "x\u0085y",
    "👩‍👩‍👧",
    "=CMD()",
    "[1]",
    "1;2",
  ),
);
const title = text.map((words) => `${words.trim()}x`.trim());
const instant = fc
  .date({ min: new Date("0001-01-01"), max: new Date("9999-12-31"), noInvalidDate: true })
  .map((date) => date.toISOString());
const tags = fc.uniqueArray(fc.constantFrom("a", "b,c", "d;e", '"', "é", "'x", "=1", "[]", "\\", "日本", "a b"), {
  maxLength: 4,
});
const lines = fc.uniqueArray(
  fc.constantFrom(
    ...[
      "RRULE:FREQ=WEEKLY",
      "RELATED-TO:p-1",
      "LOCATION:A\\, B",
      'X-PLAN;A="b;c":1',
      "SEQUENCE:3",
      "URL:https://example.com/?a=b;c",
    ],
    ...["GEO:1.5;2.5", "CLASS:PRIVATE", "COMMENT:ü".padEnd(200, "x")],
  ),
  { maxLength: 3 },
);
const task = fc.record({
  title,
  description: fc.option(text),
  completed: fc.boolean(),
  priority: fc.constantFrom(...PRIORITIES),
  due: fc.option(
    fc.oneof(
      instant,
      instant.map((moment) => moment.slice(0, 10)),
    ),
  ),
  tags,
  createdAt: instant,
  uid: fc.option(
    fc.uuid().map((id) => `${id}@example.com`),
    { nil: undefined },
  ),
  iCalendar: fc.option(
    lines.filter(({ length }) => length > 0),
    { nil: undefined },
  ),
});

let from: Person;
let exact: Map<string, object>;

async function importAll(who: Person, type: string, body: string): Promise<void> {
  const answer = await who.call(`${who.path}/import`, { method: "POST", body, headers: { "content-type": type } });
  const report = await ok<{ imported: number; invalid: number; notes: object[]; lines: { notes?: object[] }[] }>(
    answer,
  );
  expect([report.imported, report.invalid, report.notes]).toEqual([COUNT, 0, []]);
  expect(report.lines.flatMap(({ notes = [] }) => notes)).toEqual([]);
}

const exported = async (who: Person, format: string) => (await who.call(`${who.path}/export?format=${format}`)).text();

/** What an import keeps of each task. */
async function contentsOf(who: Person, keys: (keyof ExportedTask)[]): Promise<Map<string, object>> {
  const { tasks }: { tasks: ExportedTask[] } = JSON.parse(await exported(who, "json"));
  return new Map(tasks.map((each) => [each.id, Object.fromEntries(keys.map((key) => [key, each[key]]))]));
}

const FIELDS = ["title", "description", "completed", "completedAt", "priority", "due", "tags", "createdAt"] as const;
const ALL = [...FIELDS, "uid", "iCalendar"] as const;

beforeAll(async () => {
  from = await someone();
  const tasks = fc.sample(task, { numRuns: COUNT, seed: 20_260_301 }).map((each, n) => ({
    ...each,
    id: `0195a3c0-7b1e-7c3a-9d41-${String(n).padStart(12, "0")}`,
  }));
  await importAll(from, "application/json", JSON.stringify({ tasks }));
  exact = await contentsOf(from, [...ALL]);
  for (const { id, title: words, description, due, tags: names, createdAt, uid, iCalendar } of tasks) {
    expect(exact.get(id)).toMatchObject({ title: words, description, due, createdAt });
    expect(exact.get(id)).toMatchObject({
      tags: expect.arrayContaining(names),
      ...(uid && { uid }),
      ...(iCalendar && { iCalendar }),
    });
  }
}, 120_000);

describe("T7 10,000 arbitrary tasks", () => {
  it("T7 as JSON are the same elsewhere", async () => {
    const to = await someone();
    await importAll(to, "application/json", await exported(from, "json"));
    expect(await contentsOf(to, [...ALL])).toEqual(exact);
  });

  it("T7 as CSV are the same elsewhere, but for what was kept from another program", async () => {
    const to = await someone();
    await importAll(to, "text/csv", await exported(from, "csv"));
    expect(await contentsOf(to, [...FIELDS])).toEqual(await contentsOf(from, [...FIELDS]));
  });

  it("T7 as iCalendar are the same elsewhere, and their UIDs and lines with them", async () => {
    const to = await someone();
    const file = await exported(from, "ics");
    await importAll(to, "text/calendar", file);
    // A task with a UID of another program has an id that follows from it.
    const byContents = (all: Map<string, object>) => [...all.values()].map((each) => JSON.stringify(each)).sort();
    expect(byContents(await contentsOf(to, [...ALL]))).toEqual(byContents(exact));
    // What is around the tasks is the same anyway.
    const todos = (text: string) => text.slice(text.indexOf("BEGIN:VTODO"), text.lastIndexOf("END:VCALENDAR"));
    const bare = (text: string) =>
      todos(text)
        .replaceAll(/^(?:DTSTAMP|LAST-MODIFIED):.*\r\n/gm, "")
        .split("END:VTODO\r\n")
        .sort();
    expect(bare(await exported(to, "ics"))).toEqual(bare(file));
  });
});
