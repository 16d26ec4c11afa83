/** Odd files of every format: each is imported, and comes back from an export as it was, or is refused for a stated reason. */
import { describe, expect, it } from "vitest";
import type { ExportedTask } from "../../src/tasks/model.ts";
import { ok, type Person, someone } from "../support/client.ts";

const calendar = (...lines: string[]) => ["BEGIN:VCALENDAR", "VERSION:2.0", ...lines, "END:VCALENDAR", ""].join("\r\n");
const todo = (...lines: string[]) => ["BEGIN:VTODO", "UID:u", "SUMMARY:x", ...lines, "END:VTODO"];
const one = (...lines: string[]) => calendar(...todo(...lines));

/** What an odd file becomes: tasks that have at least these members, or a part of the reason why it is refused. */
type Odd = [what: string, text: string, becomes: Partial<ExportedTask>[] | string];

const FILES: Odd[] = [
  // iCalendar
  ["small letters", one("due;value=date:20260301").toLowerCase(), [{ title: "x", due: "2026-03-01" }]],
  ["line feeds alone", one("PRIORITY:1").replaceAll("\r\n", "\n"), [{ priority: "high" }]],
  ["returns alone", one("PRIORITY:1").replaceAll("\r\n", "\r"), [{ priority: "high" }]],
  ["blank lines between", one("PRIORITY:1").replaceAll("\r\n", "\r\n\r\n"), [{ priority: "high" }]],
  ["a byte order mark", `\uFEFF${one()}`, [{ title: "x" }]],
  ["blanks before it", `\r\n  \r\n${one()}`.trimStart(), [{ title: "x" }]],
  ["a fold with a tab", one("DESCRIPTION:one t", "\two"), [{ description: "one two" }]],
  ["a fold inside of a letter's escape", one("DESCRIPTION:a\\", " nb"), [{ description: "a\nb" }]],
  ["escapes in text", one("DESCRIPTION:a\\, b\\; c\\\\ d\\N e"), [{ description: "a, b; c\\ d\n e" }]],
  [
    "a colon and a semicolon in a quoted parameter",
    one('DESCRIPTION;ALTREP="cid:a;b":text'),
    [{ description: "text" }],
  ],
  [
    "a group of blanks for a title",
    calendar("BEGIN:VTODO", "UID:u", "SUMMARY:   ", "END:VTODO"),
    [{ title: "Untitled" }],
  ],
  ["no UID", calendar("BEGIN:VTODO", "SUMMARY:x", "END:VTODO"), [{ title: "x" }]],
  ["the same UID twice", calendar(...todo(), ...todo("PRIORITY:1")), [{ title: "x", priority: "none" }]],
  ["a UID of 300 characters", one().replace("UID:u", `UID:${"u".repeat(300)}`), [{ title: "x" }]],
  ["two titles", one("SUMMARY:y"), [{ title: "x" }]],
  ["a title in another language", one().replace("SUMMARY:x", "SUMMARY;LANGUAGE=de:Zaun"), [{ title: "Zaun" }]],
  ["an alarm with a summary", one("BEGIN:VALARM", "SUMMARY:alarm", "TRIGGER:-PT5M", "END:VALARM"), [{ title: "x" }]],
  ["an alarm that does not end", one("BEGIN:VALARM", "TRIGGER:-PT5M"), [{ title: "x" }]],
  [
    "a to-do within a to-do",
    calendar("BEGIN:VTODO", "UID:a", "SUMMARY:a", ...todo(), "END:VTODO"),
    [{ title: "a" }, { title: "x" }],
  ],
  ["an end too many", calendar(...todo(), "END:VTODO"), [{ title: "x" }]],
  ["an end of nothing in a to-do", one("END:VALARM"), [{ title: "x" }]],
  [
    "a zone that is defined and unknown",
    calendar("BEGIN:VTIMEZONE", "TZID:Mine", "END:VTIMEZONE", ...todo("DUE;TZID=Mine:20260301T100000")),
    [{ due: null }],
  ],
  ["a zone with a registry", one("DUE;TZID=/mozilla.org/20050126_1/Europe/Berlin:20260301T100000"), [{ title: "x" }]],
  ["a due date with dashes", one("DUE:2026-03-01"), [{ due: "2026-03-01" }]],
  ["a due date with dashes and a zone", one("DUE:2026-03-01T10:00:00+01:00"), [{ due: "2026-03-01T09:00:00.000Z" }]],
  ["a day with a time that is said to be none", one("DUE;VALUE=DATE:20260301T000000"), [{ due: "2026-03-01" }]],
  ["a leap day in a common year", one("DUE;VALUE=DATE:20260229"), [{ due: null }]],
  ["the year 0", one("DUE;VALUE=DATE:00000101"), [{ due: "0000-01-01" }]],
  ["a duration backwards", one("DTSTART:20260301T100000Z", "DURATION:-PT1H"), [{ due: "2026-03-01T09:00:00.000Z" }]],
  ["a duration of weeks", one("DTSTART;VALUE=DATE:20260301", "DURATION:P2W"), [{ due: "2026-03-15" }]],
  ["a duration beyond time", one("DTSTART;VALUE=DATE:20260301", "DURATION:P99999999D"), [{ due: null }]],
  [
    "a due date and a duration",
    one("DUE;VALUE=DATE:20260302", "DTSTART;VALUE=DATE:20260301", "DURATION:P9D"),
    [{ due: "2026-03-02" }],
  ],
  ["a status with blanks", one("STATUS: COMPLETED "), [{ completed: true }]],
  [
    "a percentage of a hundred, and in process",
    one("STATUS:IN-PROCESS", "PERCENT-COMPLETE:100"),
    [{ completed: false }],
  ],
  ["completed, and then not", one("STATUS:NEEDS-ACTION", "COMPLETED:20260101T000000Z"), [{ completed: false }]],
  ["categories with escaped commas", one("CATEGORIES:a\\,b,c"), [{ tags: ["a,b", "c"] }]],
  [
    "a name of a property that Object has",
    one("CONSTRUCTOR:1", "__PROTO__:2", "TOSTRING;VALUE=constructor:3"),
    [{ title: "x" }],
  ],
  ["a line without a colon", one("no colon here"), [{ title: "x" }]],
  ["a line of one colon", one(":"), [{ title: "x" }]],
  ["a parameter that does not end", one('DESCRIPTION;ALTREP="x:text'), [{ title: "x" }]],
  ["journal entries alone", calendar("BEGIN:VJOURNAL", "SUMMARY:x", "END:VJOURNAL"), "1 journal entries"],
  ["free and busy times alone", calendar("BEGIN:VFREEBUSY", "END:VFREEBUSY"), []],
  ["a calendar that does not end", calendar(...todo()).replace("END:VCALENDAR\r\n", ""), "ends inside of VCALENDAR"],
  [
    "a nest of components",
    calendar(...Array.from({ length: 20 }, () => "BEGIN:VALARM")),
    "nested deeper than 10; line 12",
  ],
  [
    "a line of 40,000 characters",
    one(`DESCRIPTION:${"x".repeat(40_000)}`),
    "line of more than 32768 characters; line 6",
  ],
  // CSV
  ["headings alone", "title,due\n", []],
  ["headings in capitals with blanks", " TITLE , DUE DATE \nx,2026-03-01\n", [{ title: "x", due: "2026-03-01" }]],
  ["headings with underscores", "task_name,due_date\nx,2026-03-01\n", [{ title: "x", due: "2026-03-01" }]],
  ["quoted headings", '"title";"due"\n"x";"2026-03-01"\n', [{ title: "x", due: "2026-03-01" }]],
  ["a separator in a quoted cell", 'title,notes\n"a, b","c; d"\n', [{ title: "a, b", description: "c; d" }]],
  ["a line break in a quoted cell", 'title,notes\nx,"one\ntwo"\n', [{ description: "one\ntwo" }]],
  ["fewer cells than headings", "title,due,notes\nx\n", [{ title: "x" }]],
  ["blank cells too many", "title\nx,,,\n", [{ title: "x" }]],
  ["a cell too many", "title\nx,y\n", []],
  ["a quote that does not close", 'title\n"x\n', "line 2"],
  ["the same heading twice", "title,title\nx,y\n", "name a column twice"],
  ["two headings of one field", "title,notes,comments\nx,a,b\n", [{ description: "a\n\nb" }]],
  ["a status that nobody knows", "title,status\nx,perhaps\n", [{ completed: false, description: "status: perhaps" }]],
  [
    "a priority that nobody knows",
    "title,priority\nx,soonish\n",
    [{ priority: "none", description: "priority: soonish" }],
  ],
  ["a title of 300 letters", `title\n${"x".repeat(300)}\n`, [{ title: "x".repeat(255), description: "x".repeat(300) }]],
  ["a formula", "title\n'=1+1\n", [{ title: "=1+1" }]],
  ["no last line break", "title\nx", [{ title: "x" }]],
  ["no heading that is known", "alpha,beta\n1,2\n", '"alpha" is unknown'],
  // JSON
  ["a list of tasks twice", '{"tasks":[],"tasks":[]}', "only one list"],
  ["a comma too many", '{"tasks":[{"title":"x"},]}', "line 1, column 25"],
  ["a comment", '{/* a */"tasks":[]}', "line 1, column 2"],
  ["single quotes", "{'tasks':[]}", "line 1, column 2"],
  ["two values", '{"tasks":[]}{"tasks":[]}', "only one list"],
  ["a list of texts", '{"tasks":["x"]}', []],
  ["members beside the list", '{"version":1,"tasks":[{"title":"x"}],"more":{"a":[1,2]}}', [{ title: "x" }]],
  ["an escaped name", '{"\\u0074asks":[{"title":"x"}]}', [{ title: "x" }]],
  ["a member that Object has", '{"tasks":[{"title":"x","__proto__":{"completed":true}}]}', []],
  ["half of a letter", '{"tasks":[{"title":"\\ud83d"}]}', []],
  ["an object of nothing known", '{"todo":[{"title":"x"}]}', "must have a list `tasks`"],
  [
    "a Todoist item with the wrong types",
    '{"items":[{"id":1,"content":"x","labels":"a","due":7,"priority":"4","checked":"no"}]}',
    [{ title: "x", tags: [] }],
  ],
  [
    "a Taskwarrior task without a title",
    '[{"uuid":"u","description":null,"status":"pending"}]',
    [{ title: "Untitled" }],
  ],
  ["a Google list without tasks", '{"kind":"tasks#taskLists","items":[{"title":"x","items":[]}]}', []],
  // todo.txt
  ["a line of tags alone", "+a @b\n", [{ title: "Untitled", tags: ["a", "b"] }]],
  ["a day that there is not", "x due:2026-02-30\n", [{ completed: true, title: "due:2026-02-30" }]],
  ["an x that is a word", "xylophone lesson\n", [{ title: "xylophone lesson", completed: false }]],
];

const TYPES: [from: number, type: string][] = [
  [FILES.findIndex(([what]) => what === "headings alone"), "text/csv"],
  [FILES.findIndex(([what]) => what === "a list of tasks twice"), "application/json"],
  [FILES.findIndex(([what]) => what === "a line of tags alone"), "text/plain"],
];
const typeOf = (index: number) => TYPES.findLast(([from]) => index >= from)?.[1] ?? "text/calendar";

async function importAs(who: Person, type: string, body: string): Promise<Response> {
  return who.call(`${who.path}/import`, { method: "POST", body, headers: { "content-type": type } });
}

async function exported(who: Person): Promise<ExportedTask[]> {
  return JSON.parse(await (await who.call(`${who.path}/export`)).text()).tasks;
}

describe("T11 odd files", () => {
  it("T11 there are sixty at least", () => {
    expect(FILES.length).toBeGreaterThanOrEqual(60);
    expect(new Set(FILES.map(([what]) => what)).size).toBe(FILES.length);
  });

  it.each(FILES.map((file, index) => [file[0], typeOf(index), file] as const))(
    "T11 %s (%s)",
    async (_, type, [, text, becomes]) => {
      const who = await someone();
      const answer = await importAs(who, type, text);
      if (typeof becomes === "string") {
        expect(answer.status).toBe(400);
        expect(JSON.stringify(await answer.json())).toContain(JSON.stringify(becomes).slice(1, -1));
        expect(await exported(who)).toEqual([]);
        return;
      }
      const report = await ok<{ imported: number }>(answer);
      const tasks = await exported(who);
      expect(report.imported, JSON.stringify(report)).toBe(becomes.length);
      for (const task of becomes)
        expect(tasks).toContainEqual(
          expect.objectContaining({ ...task, ...(task.tags && { tags: expect.arrayContaining(task.tags) }) }),
        );
      for (const format of ["json", "ics"]) {
        const other = await someone();
        const file = await (await who.call(`${who.path}/export?format=${format}`)).text();
        await ok(await importAs(other, "application/octet-stream", file));
        const bare = (list: ExportedTask[]) =>
          list.map(({ id: _id, revision: _revision, updatedAt: _updatedAt, ...task }) => JSON.stringify(task)).sort();
        expect(bare(await exported(other)), format).toEqual(bare(tasks));
      }
    },
  );
});
