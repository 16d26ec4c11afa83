/** 10,000 arbitrary tasks, out of one account and into another. */
import { beforeAll, describe, expect, it } from "vitest";
import type { ExportedTask } from "../../src/tasks/model.ts";
import { arbitraryTasks } from "../support/arbitrary-tasks.ts";
import { ok, type Person, someone } from "../support/client.ts";

const COUNT = 10_000;

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
  const tasks = arbitraryTasks(COUNT);
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
