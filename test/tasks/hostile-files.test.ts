/** Files that were made to cost time, memory or other tasks: each is answered, within the time of a test, and spoils only itself. */
import { describe, expect, it } from "vitest";
import type { ExportedTask } from "../../src/tasks/model.ts";
import { ok, type Person, someone } from "../support/client.ts";

const MIB = 1024 * 1024;

type Report = {
  imported: number;
  exists: number;
  invalid: number;
  lines: { notes?: { path: string }[] }[];
  notes: { path: string }[];
};

async function importAs(who: Person, body: string, type = "application/octet-stream"): Promise<Response> {
  return who.call(`${who.path}/import`, { method: "POST", body, headers: { "content-type": type } });
}

async function imported(body: string, type?: string) {
  const who = await someone();
  const report = await ok<Report>(await importAs(who, body, type));
  const exported = async (format: string) => (await who.call(`${who.path}/export?format=${format}`)).text();
  const tasks: ExportedTask[] = JSON.parse(await exported("json")).tasks;
  const noted = [...report.notes, ...report.lines.flatMap(({ notes = [] }) => notes)].map(({ path }) => path);
  return { who, report, tasks, noted, exported };
}

const todo = (...lines: string[]) => ["BEGIN:VTODO", ...lines, "END:VTODO", ""].join("\r\n");

describe("T6 files that were made to cost", () => {
  const names = Array.from({ length: 1999 }, (_, n) => `"n${n}":1`).join();
  it.each<[string, () => string]>([
    ["a name of 9 MiB", () => `{"${"a".repeat(9 * MIB)}":{${names}}}`],
    [
      "a long name, and the same short one again and again",
      () => `{"${"a".repeat(5 * MIB)}":{${'"n":1,'.repeat(700_000)}"m":1}}`,
    ],
    ["colons", () => `{"${"a".repeat(5 * MIB)}"${":".repeat(4_000_000)}`],
    ["dates with many spaces", () => `title,due\n${`x,"1/1/2024${" ".repeat(60_000)}\ny"\n`.repeat(170)}`],
    [
      "dates with a clock and many spaces",
      () => `title,due\n${`x,"1/1/2024 1:00${" ".repeat(60_000)}y"\n`.repeat(170)}`,
    ],
    ["months with many spaces", () => `title,due\n${`x,"Jan 1 2024${" ".repeat(60_000)}\ny"\n`.repeat(170)}`],
    [
      "many projects",
      () =>
        `{"items":[${'{"content":"x","project_id":"p","section_id":"s"},'.repeat(9000)}{"content":"x"}],"projects":[${"{},".repeat(600_000)}{}]}`,
    ],
    [
      "quoted-printable that goes on and on",
      () =>
        `BEGIN:VTODO\nSUMMARY;X=${"a".repeat(32_000)};ENCODING=QUOTED-PRINTABLE:a=\n${"=\n".repeat(4_000_000)}END:VTODO\n`,
    ],
    ["properties without end", () => todo("SUMMARY:x", "A:b\r\n".repeat(1_800_000))],
    ["tags without end", () => `title,tags\n${`x,"${"a,".repeat(30_000)}"\n`.repeat(160)}`],
    ["brackets", () => "[".repeat(10 * MIB)],
    ["quotes", () => `title\n${'"'.repeat(10 * MIB - 20)}`],
  ])(
    "T6 %s",
    async (_, file) => {
      const who = await someone();
      expect((await importAs(who, file())).status).toBeLessThan(500);
      expect((await who.list("?limit=1")).data.length).toBeLessThanOrEqual(1);
    },
    60_000,
  );

  it.each([
    '[{"title":"a","done":false,"priority":{"valueOf":1,"toString":1}},{"title":"b","done":true}]',
    '{"task":{"entities":{"a":{"id":"1","title":"a","projectId":{"toString":1}},"b":{"id":"2","title":"b"}}}}',
    '{"items":[{"content":"a","due":{"date":{}},"labels":{},"priority":[]},{"content":"b","project_id":{"valueOf":0}}]}',
    '{"value":[{"title":"a","status":[],"body":7,"dueDateTime":{"dateTime":[]}},{"title":"b"}]}',
  ])("T11 values of another type spoil themselves: %s", async (file) => {
    const { report, tasks } = await imported(file);
    expect([report.imported, tasks.map(({ title }) => title).sort()]).toEqual([2, ["a", "b"]]);
  });
});

describe("T1 tasks that look alike", () => {
  it.each(["a\\,b@x", "a,b;c\\d@x", " 7 ", "ü:1"])("T1 the UID %j is the same after an export", async (uid) => {
    const { who, exported } = await imported(todo(`UID:${uid}`, "SUMMARY:x", "RRULE:FREQ=DAILY"));
    const file = await exported("ics");
    expect(file).toContain(`UID:${uid.trim()}\r\n`);
    expect(await ok(await importAs(who, file))).toMatchObject({ imported: 0, exists: 1 });
  });

  it("T1 tasks with the same UID come back from an export as they were", async () => {
    const ids = [crypto.randomUUID(), crypto.randomUUID()];
    const { who, report, exported } = await imported(
      JSON.stringify({ tasks: ids.map((id) => ({ id, title: id, uid: "same" })) }),
    );
    expect(report.imported).toBe(2);
    const other = await imported(await exported("ics"));
    expect(other.tasks.map(({ id }) => id).sort()).toEqual(ids.sort());
    expect(await ok(await importAs(who, await exported("ics")))).toMatchObject({ imported: 0, exists: 2 });
  });

  it("T1 a second to-do with the same UID is noted", async () => {
    const { report, noted } = await imported(todo("UID:u", "SUMMARY:a") + todo("UID:u", "SUMMARY:b"));
    expect(report).toMatchObject({ imported: 1, exists: 1 });
    expect(noted).toEqual([""]);
  });

  it("T1 the number of a row names no task of another file", async () => {
    const { who } = await imported("id,title\n1,Foo\n");
    expect(await ok(await importAs(who, "id,title\n1,Buy bread\n"))).toMatchObject({ imported: 1 });
    expect(await ok(await importAs(who, "id,title\n1,Buy bread\n"))).toMatchObject({ imported: 0, exists: 1 });
  });

  it("T11 prose with the word Task is no CSV", async () => {
    const { tasks } = await imported("(A) Buy milk +home\nCall Bob\nTask\nx 2026-01-01 Done thing", "text/plain");
    expect(tasks.map(({ title }) => title).sort()).toEqual(["Buy milk", "Call Bob", "Done thing", "Task"]);
    expect((await imported("{urgent} fix\n", "text/plain")).tasks).toMatchObject([{ title: "{urgent} fix" }]);
  });
});

describe("T7 an odd line does not spoil an export", () => {
  it.each([
    ["a broken line in an alarm", ["BEGIN:VALARM", "broken line here", "ACTION:DISPLAY", "END:VALARM"], "broken line"],
    ["a parameter with a quote in it", ['X-B;C="q"x:d'], "X-B"],
    ["a control character in a parameter", ["X-P;A=b\x01:c"], "X-P"],
    ["a percentage in words", ["PERCENT-COMPLETE:abc"], "abc"],
    ["a start that is none", ["DTSTART:nonsense"], "nonsense"],
    ["a day for an instant", ["STATUS:COMPLETED", "COMPLETED;VALUE=DATE:20260101"], "COMPLETED;VALUE"],
    ["an alarm with a blank", ["BEGIN: VALARM", "TRIGGER:-PT5M", "END: VALARM"], "BEGIN: "],
  ])("T7 %s", async (_, lines, absent) => {
    const { exported } = await imported(todo("UID:u", "SUMMARY:x", ...lines));
    expect((await exported("ics")).replaceAll("\r\n ", "")).not.toContain(absent);
  });

  it.each([
    ["END:VTODO"],
    ["BEGIN:VALARM"],
    ["X-A:b\r\nEND:VTODO"],
    ["UID:zzz"],
    ["BEGIN:VEVENT\nEND:VEVENT"],
    ["no property"],
  ])("T7 the line %j of our JSON is refused", async (line) => {
    const { report } = await imported(JSON.stringify({ tasks: [{ title: "x", iCalendar: [line] }, { title: "y" }] }));
    expect([report.imported, report.invalid]).toEqual([1, 1]);
  });
});

describe("T11 what is left out is said", () => {
  it("T11 an alarm without an end takes nothing with it", async () => {
    const { tasks, noted } = await imported(
      todo("UID:u", "BEGIN:VALARM", "TRIGGER:-PT5M", "SUMMARY:x", "DUE:20260301T100000Z"),
    );
    expect(tasks).toMatchObject([{ title: "x", due: "2026-03-01T10:00:00.000Z" }]);
    expect(noted).toContain("VALARM");
  });

  it("T11 parameters of BEGIN are no fault", async () => {
    expect((await imported("BEGIN;X=1:VTODO\r\nUID:u\r\nSUMMARY:x\r\nEND:VTODO\r\n")).tasks).toMatchObject([
      { title: "x" },
    ]);
  });

  it("T11 values of other programs that cannot be read are named", async () => {
    const { noted } = await imported(
      '{"items":[{"content":"x","due":{"date":"tomorrow"},"priority":"9","labels":[1,{}]}]}',
    );
    expect(noted.sort()).toEqual(["due", "labels", "priority"]);
    const dated = await imported('[{"description":"x","uuid":"1","due":"bad","status":"pending","priority":"X"}]');
    expect(dated.noted.sort()).toEqual(["due", "priority"]);
  });

  it("T11 Windows zones count in JSON too", async () => {
    const dueDateTime = { dateTime: "2026-03-01T09:00:00", timeZone: "W. Europe Standard Time" };
    const { tasks } = await imported(JSON.stringify({ value: [{ title: "x", importance: "low", dueDateTime }] }));
    expect(tasks).toMatchObject([{ due: "2026-03-01T08:00:00.000Z" }]);
  });

  it("T11 two columns of one field", async () => {
    const { tasks, noted } = await imported(
      "title,Due date,Deadline,Done,Status\nx,2026-03-01,2026-04-01,FALSE,Completed\n",
    );
    expect(tasks).toMatchObject([{ due: "2026-03-01", completed: true, description: "Deadline: 2026-04-01" }]);
    expect(noted).toEqual(["Deadline"]);
    expect((await imported("title,Labels,Labels\nx,a,b\n")).tasks[0]?.tags.toSorted()).toEqual(["a", "b"]);
    expect((await imported("title,due,,\nx,2026-03-01,,\n")).tasks).toMatchObject([{ due: "2026-03-01" }]);
  });

  it("T11 TickTick's days, and Todoist's rows that are no tasks", async () => {
    const tick =
      "Folder Name,List Name,Title,Kind,Is All Day,Due Date,Timezone\n,x,a,TEXT,true,2026-03-01T23:00:00+0000,Europe/Berlin\n";
    expect((await imported(tick)).tasks).toMatchObject([{ title: "a", due: "2026-03-02" }]);
    const rows =
      "TYPE,CONTENT,PRIORITY,DATE,DEADLINE,DEADLINE_LANG\nsection,Later,,,,\ntask,a,4,2026-03-01,,\nnote,words,,,,\n";
    const { tasks, noted } = await imported(rows);
    expect([tasks.map(({ title }) => title), noted.filter((path) => path === "note" || path === "section")]).toEqual([
      ["a"],
      ["section", "note"],
    ]);
  });
});
