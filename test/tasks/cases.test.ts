/** Files that people bring when they move in: what goes wrong in other programs' files must spoil as little as possible. */
import { describe, expect, it } from "vitest";
import type { Task } from "../../src/tasks/model.ts";
import { ok, type Person, someone } from "../support/client.ts";

type Report = {
  format: string;
  program?: string;
  dryRun: boolean;
  imported: number;
  exists: number;
  invalid: number;
  lines: {
    task: number;
    line: number;
    status: string;
    errors?: { path: string; message: string }[];
    notes?: { line: number; path: string; message: string }[];
  }[];
  notes: { line: number; path: string; message: string }[];
};

const TYPES: Record<string, string> = {
  ics: "text/calendar",
  csv: "text/csv",
  json: "application/json",
  txt: "text/plain",
};

async function send(who: Person, ending: string, body: string | Uint8Array, query = ""): Promise<Response> {
  const headers = { "content-type": TYPES[ending] ?? ending };
  return who.call(`${who.path}/import${query}`, { method: "POST", headers, body: body as BodyInit });
}

async function imported(ending: string, body: string, query = "") {
  const who = await someone();
  const report = await ok<Report>(await send(who, ending, body, query));
  const tasks = (await who.list("?sort=createdAt&limit=100")).data;
  const named = (title: string) => tasks.find((task) => task.title === title);
  return { who, report, tasks, named };
}

async function refused(ending: string, body: string | Uint8Array): Promise<string> {
  const who = await someone();
  const answer = await send(who, ending, body);
  expect(answer.status).toBe(400);
  expect((await who.list()).data).toEqual([]);
  const { errors } = await answer.json<{ errors: { path: string; message: string }[] }>();
  return errors.map(({ path, message }) => `${path} ${message}`).join("; ");
}

const calendar = (...todos: string[][]) =>
  [
    ...["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Some Planner//EN"],
    ...todos.flatMap((lines) => ["BEGIN:VTODO", ...lines, "END:VTODO"]),
    ...["END:VCALENDAR", ""],
  ].join("\r\n");

/** A to-do with a UID, a stamp and a title. */
const todo = (uid: string, title: string, ...lines: string[]) => [
  `UID:${uid}`,
  "DTSTAMP:20260105T080000Z",
  `SUMMARY:${title}`,
  ...lines,
];

const bytes = (text: string) => Uint8Array.from(text, (letter) => letter.charCodeAt(0));

describe("T11 iCalendar", () => {
  it("T11 a UID is any text, and is the same task again", async () => {
    const file = calendar(
      todo("3f0c1d2e-7a4b-b1c2-9d3e-4f5a6b7c8d9e", "Oil the hinges"),
      todo("3f0c1d2e-7a4b-41c2-2d3e-4f5a6b7c8d9e", "Sweep the yard"),
      todo("ÄÖ/42@example.com", "Mend the fence"),
      todo("6A3F6B2C-6C3C-4B0E-9E43-0D5C0D2B7A11", "In capitals"),
    );
    const { who, report } = await imported("ics", file);
    expect(report).toMatchObject({ format: "icalendar", imported: 4, invalid: 0 });
    expect(await ok<Report>(await send(who, "ics", file))).toMatchObject({ imported: 0, exists: 4 });
    const again = await (await who.call(`${who.path}/export?format=ics`)).text();
    for (const uid of [
      "3f0c1d2e-7a4b-b1c2-9d3e-4f5a6b7c8d9e",
      "ÄÖ/42@example.com",
      "6A3F6B2C-6C3C-4B0E-9E43-0D5C0D2B7A11",
    ]) {
      expect(again).toContain(`UID:${uid}\r\n`);
    }
  });

  it("T11 a zone is known by its name; a name that nobody knows is named", async () => {
    const { report, named } = await imported(
      "ics",
      calendar(
        todo("z-1", "Form", "DUE;TZID=Europe/Amsterdam:20260430T120000"),
        todo("z-2", "Plumber", "DUE;TZID=America/New_York:20260115T090000"),
        todo("z-3", "Books", "DUE;TZID=Etc/UTC:20260701T090000"),
        todo("z-4", "Windows", "DUE;TZID=Pacific Standard Time:20260701T090000"),
        todo("z-5", "Nobody", "DUE;TZID=Middle/Earth:20260701T090000"),
      ),
    );
    expect(report.imported).toBe(5);
    const dues = ["Form", "Plumber", "Books", "Windows", "Nobody"].map((title) => named(title)?.due);
    expect(dues).toEqual([
      "2026-04-30T10:00:00.000Z",
      "2026-01-15T14:00:00.000Z",
      "2026-07-01T09:00:00.000Z",
      "2026-07-01T16:00:00.000Z",
      null,
    ]);
    expect(report.lines[4]?.notes).toMatchObject([
      { line: 32, path: "DUE", message: expect.stringContaining("Middle/Earth") },
    ]);
  });

  it("T11 every status: what was cancelled is not open", async () => {
    const { named } = await imported(
      "ics",
      calendar(
        todo("c-1", "Cancelled", "STATUS:CANCELLED", "LAST-MODIFIED:20250310T101500Z"),
        todo("c-2", "Cancelled, stamped", "STATUS:CANCELLED"),
        todo("c-3", "Needs action", "STATUS:NEEDS-ACTION"),
        todo("c-4", "In process", "STATUS:IN-PROCESS", "PERCENT-COMPLETE:50"),
        todo("c-5", "Completed", "STATUS:COMPLETED", "LAST-MODIFIED:20250310T101500Z"),
        todo("c-6", "Full", "PERCENT-COMPLETE:100"),
        todo("c-7", "On a day", "STATUS:completed", "COMPLETED;VALUE=DATE:20250311"),
        todo("c-8", "Invented", "STATUS:SOMEDAY"),
      ),
    );
    const times = ["Cancelled", "Cancelled, stamped", "Completed", "On a day"].map(
      (title) => named(title)?.completedAt,
    );
    expect(times).toEqual([
      "2025-03-10T10:15:00.000Z",
      "2026-01-05T08:00:00.000Z",
      "2025-03-10T10:15:00.000Z",
      "2025-03-11T00:00:00.000Z",
    ]);
    expect(["Needs action", "In process", "Full", "Invented"].map((title) => named(title)?.completed)).toEqual([
      ...[false, false, true, false],
    ]);
  });

  it.each([false, true])(
    "T11 a series and its occurrence are two tasks, whichever comes first (%s)",
    async (isReversed) => {
      const todos = [
        todo("s-1", "Bins", "RECURRENCE-ID:20260105T070000Z", "DUE:20260105T070000Z", "STATUS:COMPLETED"),
        todo("s-1", "Bins", "RRULE:FREQ=WEEKLY", "DUE:20260112T070000Z", "STATUS:NEEDS-ACTION"),
      ];
      const { report, tasks } = await imported("ics", calendar(...(isReversed ? todos.toReversed() : todos)));
      expect(report).toMatchObject({ imported: 2, exists: 0 });
      expect(tasks.find(({ completed }) => !completed)).toMatchObject({
        title: "Bins",
        due: "2026-01-12T07:00:00.000Z",
      });
    },
  );

  it("T11 categories as programs write them", async () => {
    const { named } = await imported(
      "ics",
      calendar(
        todo("k-1", "None", "CATEGORIES:"),
        todo("k-2", "Blank", "CATEGORIES:House, Garden"),
        todo("k-3", "Comma", "CATEGORIES:House,"),
        todo("k-4", "Twins", "CATEGORIES:House", "CATEGORIES:house,Garden"),
        todo("k-5", "Long", `CATEGORIES:${"x".repeat(60)}`),
        todo("k-6", "Many", `CATEGORIES:${Array.from({ length: 30 }, (_, n) => `t${n}`).join()}`),
      ),
    );
    const tags = (title: string) => named(title)?.tags.toSorted();
    expect([tags("None"), tags("Blank"), tags("Comma"), tags("Twins")]).toEqual([
      [],
      ["Garden", "House"],
      ["House"],
      ["Garden", "House"],
    ]);
    expect([tags("Long"), tags("Many")?.length]).toEqual([["x".repeat(40)], 20]);
  });

  it("T11 a property that cannot be read is as if it were not there", async () => {
    const { report, tasks } = await imported(
      "ics",
      calendar(
        todo("b-1", "Created on a day", "CREATED;VALUE=DATE:20260101"),
        todo("b-2", "Created some time", "CREATED:last spring"),
        todo("b-3", "Empty times", "COMPLETED:", "DUE:"),
        todo("b-4", "Thirteenth month", "DUE:20261301T000000Z"),
        todo("b-5", "Empty everything", "DESCRIPTION:", "STATUS:", "PRIORITY:", "CREATED:", "DURATION:", "DTSTART:"),
      ),
    );
    expect([report.imported, report.invalid]).toEqual([5, 0]);
    expect(tasks.map(({ completed, due }) => [completed, due])).toEqual(Array.from({ length: 5 }, () => [false, null]));
    expect(report.lines[1]?.notes).toMatchObject([{ line: 14, path: "CREATED" }]);
  });

  it("T11 a line or a parameter that is broken spoils itself, and is named by its line", async () => {
    const { report, named } = await imported(
      "ics",
      calendar(
        todo("l-1", "First"),
        todo("l-2", "Second", "DESCRIPTION:A note whose second line", "lost the blank that it should begin with"),
        todo("l-3", "Third", "X-PLANNER-HINT;SHOW:1"),
      ),
    );
    expect(report).toMatchObject({ imported: 3, invalid: 0 });
    expect(named("Second")?.description).toBe("A note whose second line");
    expect(report.lines[1]?.notes).toMatchObject([{ line: 14, path: "lost the blank that it should begin with" }]);
    expect(report.lines[2]?.notes).toMatchObject([{ line: 20, path: "X-PLANNER-HINT" }]);
  });

  it("T11 a to-do may stand alone; several calendars may follow each other; an end may be missing", async () => {
    const alone = await imported("ics", "BEGIN:VTODO\r\nUID:a-1\r\nSUMMARY:Alone\r\nEND:VTODO\r\n");
    expect(alone.tasks).toMatchObject([{ title: "Alone" }]);
    const two = await imported("ics", calendar(todo("1", "One")) + calendar(todo("2", "Two")));
    expect(two.report.imported).toBe(2);
    const open = [
      "BEGIN:VCALENDAR",
      "BEGIN:VTODO",
      ...todo("1", "One"),
      "BEGIN:VTODO",
      ...todo("2", "Two"),
      "END:VCALENDAR",
    ];
    const missing = await imported("ics", open.join("\n"));
    expect(missing.report).toMatchObject({ imported: 2, lines: [{ notes: [{ line: 6 }] }, { notes: [{ line: 10 }] }] });
  });

  it("T11 a file without to-dos says so, and events beside to-dos are counted", async () => {
    const event = ["BEGIN:VEVENT", "UID:e-1", "DTSTART;VALUE=DATE:20260301", "SUMMARY:x", "END:VEVENT"];
    const events = ["BEGIN:VCALENDAR", ...event, ...event, "END:VCALENDAR", ""].join("\r\n");
    expect(await refused("ics", events)).toContain("none, but 2 events");
    const both = calendar(todo("1", "One")).replace("END:VCALENDAR", [...event, "END:VCALENDAR"].join("\r\n"));
    expect((await imported("ics", both)).report.notes).toMatchObject([
      { path: "VEVENT", message: expect.stringContaining("1 event") },
    ]);
  });

  it("T11 quoted-printable, also in the form and over the lines of old phones", async () => {
    const { tasks } = await imported(
      "ics",
      calendar(
        ["UID:q-1", "SUMMARY;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:B=C3=BCro aufr=C3=A4umen"],
        ["UID:q-2", "SUMMARY;QUOTED-PRINTABLE:Gr=C3=BC=", "n streichen"],
        ["UID:q-3", "SUMMARY;ENCODING=QUOTED-PRINTABLE;CHARSET=ISO-8859-1:M=FCll"],
      ),
    );
    expect(tasks.map(({ title }) => title).sort()).toEqual(["Büro aufräumen", "Grün streichen", "Müll"]);
  });

  it("T11 a start and a duration are a due date", async () => {
    const { named } = await imported(
      "ics",
      calendar(
        todo("d-1", "Bread", "DTSTART:20260701T090000Z", "DURATION:PT2H"),
        todo("d-2", "Pond", "DTSTART;VALUE=DATE:20260701", "DURATION:P3D"),
        todo("d-3", "Over the change", "DTSTART;TZID=Europe/Berlin:20260328T120000", "DURATION:P1D"),
        todo("d-4", "Day unmarked", "DUE:20260701"),
        todo("d-5", "No start", "DURATION:PT1H"),
      ),
    );
    expect(["Bread", "Pond", "Over the change", "Day unmarked", "No start"].map((title) => named(title)?.due)).toEqual([
      ...["2026-07-01T11:00:00.000Z", "2026-07-04", "2026-03-29T10:00:00.000Z", "2026-07-01", null],
    ]);
  });

  it("T11 a priority out of range is none", async () => {
    const { named } = await imported(
      "ics",
      calendar(
        ...["-1", "10", "9", "5", "1", "x", ""].map((number, n) => todo(`r-${n}`, `P${number}`, `PRIORITY:${number}`)),
      ),
    );
    const priorities = ["-1", "10", "9", "5", "1", "x", ""].map((number) => named(`P${number}`)?.priority);
    expect(priorities).toEqual(["none", "none", "low", "medium", "high", "none", "none"]);
  });

  it("T11 a title that is missing or too long spoils nothing", async () => {
    const { tasks } = await imported(
      "ics",
      calendar(
        ["UID:1"],
        ["UID:2", "DESCRIPTION:From the text\\nand more"],
        ["UID:3", `SUMMARY:${"long ".repeat(100)}`],
      ),
    );
    expect(tasks.map(({ title }) => title.slice(0, 20)).sort()).toEqual([
      "From the text",
      "Untitled",
      "long long long long ",
    ]);
    expect(tasks.find(({ title }) => title.startsWith("long"))?.description?.length).toBe(499);
  });

  it("T7 what we have no field for comes out again, and what was changed here does not", async () => {
    const lines = [
      ...["RRULE:FREQ=WEEKLY;BYDAY=MO", "RELATED-TO;RELTYPE=PARENT:p-1", "LOCATION:Shed", "URL:https://example.com/1"],
      ...[
        "X-SORT-ORDER:7",
        "GEO:52.1;4.3",
        "DTSTART;TZID=Europe/Berlin:20260301T080000",
        "SEQUENCE:3",
        "CLASS:PRIVATE",
      ],
      ...["DUE;TZID=Europe/Berlin:20260301T090000", "PRIORITY:3", "STATUS:IN-PROCESS", "PERCENT-COMPLETE:40"],
      ...["SUMMARY;LANGUAGE=de:Zaun streichen", "ATTACH;FMTTYPE=text/plain:https://example.com/a.txt"],
      ...["BEGIN:VALARM", "ACTION:DISPLAY", "TRIGGER:-PT15M", "END:VALARM"],
    ];
    const { who, tasks } = await imported("ics", calendar(["UID:k@example.com", "DTSTAMP:20260105T080000Z", ...lines]));
    const [task] = tasks as [Task];
    expect(task).toMatchObject({ title: "Zaun streichen", due: "2026-03-01T08:00:00.000Z", priority: "high" });
    const written = async () =>
      (await (await who.call(`${who.path}/export?format=ics`)).text()).replaceAll("\r\n ", "").split("\r\n");
    const first = await written();
    expect(lines.filter((line) => !first.includes(line))).toEqual([]);
    expect(first.filter((line) => /^(?:DUE|PRIORITY|STATUS|SUMMARY|UID)[:;]/.test(line))).toHaveLength(5);
    const other = await someone();
    await send(other, "ics", first.join("\r\n"));
    const again = await (await other.call(`${other.path}/export?format=ics`)).text();
    const comparable = (all: string[]) => all.filter((line) => !/^(?:DTSTAMP|LAST-MODIFIED):/.test(line));
    expect(comparable(again.replaceAll("\r\n ", "").split("\r\n"))).toEqual(comparable(first));
    await who.patch(task.id, { due: "2026-04-01", priority: "low", completed: true });
    const later = await written();
    expect(later).toEqual(
      expect.arrayContaining([
        "DUE;VALUE=DATE:20260401",
        "PRIORITY:9",
        "STATUS:COMPLETED",
        "RRULE:FREQ=WEEKLY;BYDAY=MO",
      ]),
    );
    expect(later.some((line) => line.startsWith("PERCENT-COMPLETE") || line.includes("IN-PROCESS"))).toBe(false);
    expect(await who.read(task.id)).not.toHaveProperty("iCalendar");
  });

  it("T8 what is kept beside a task is bounded, and what is left out is named", async () => {
    const many = Array.from({ length: 300 }, (_, n) => `X-${n}:${"x".repeat(100)}`);
    const { report } = await imported("ics", calendar(todo("1", "Much", ...many)));
    expect(report.lines[0]?.notes?.[0]).toMatchObject({
      path: expect.stringMatching(/^X-/),
      message: expect.stringContaining("too much"),
    });
  });
});

describe("T11 CSV", () => {
  it("T11 our own export after a spreadsheet has saved it", async () => {
    const file = [
      "id,title,description,completed,completedAt,priority,due,tags,createdAt,updatedAt",
      "0195a3c0-7b1e-7c3a-9d41-0a52f3b7c101,Oil the hinges,,TRUE,2026-01-05T08:00:00.000Z,low,2026-03-01,[],2026-01-01T08:00:00.000Z,2026-01-05T08:00:00.000Z",
      '0195a3c0-7b1e-7c3a-9d41-0a52f3b7c102,Sweep the yard,,FALSE,,none,,"[""house""]",2026-01-01T08:00:00.000Z,2026-01-01T08:00:00.000Z',
      "",
    ];
    for (const text of [file.join("\r\n"), `\uFEFF${file.join("\n")}`]) {
      const { report, named } = await imported("csv", text);
      expect(report).toMatchObject({ format: "csv", imported: 2, invalid: 0 });
      expect(named("Oil the hinges")).toMatchObject({ completed: true, completedAt: "2026-01-05T08:00:00.000Z" });
      expect(named("Sweep the yard")).toMatchObject({ completed: false, tags: ["house"] });
    }
  });

  it.each([
    ["semicolons", "title;due;priority\r\nOil;2026-03-01;low\r\n"],
    ["tabs", "title\tdue\tpriority\r\nOil\t2026-03-01\tlow\r\n"],
    ["a line for Excel", "sep=;\r\ntitle;due;priority\r\nOil;2026-03-01;low\r\n"],
    ["old line ends", "title,due,priority\rOil,2026-03-01,low\r"],
  ])("T11 with %s", async (_, file) => {
    expect((await imported("csv", file)).tasks).toMatchObject([{ title: "Oil", due: "2026-03-01", priority: "low" }]);
  });

  it.each([
    ["people's own", 'Title,Due date,Done,Notes,Labels\nOil,2026-03-01,x,thin oil,"house, garden"\n'],
    [
      "Todoist",
      "TYPE,CONTENT,DESCRIPTION,PRIORITY,INDENT,AUTHOR,RESPONSIBLE,DATE,DATE_LANG,TIMEZONE\ntask,Oil,thin oil,1,1,,,2026-03-01,en,\n",
    ],
    [
      "Outlook",
      '"Subject","Start Date","Due Date","Status","% Complete","Priority","Categories","Notes"\n"Oil","","3/1/2026","Completed","100","High","house;garden","thin oil"\n',
    ],
    [
      "Asana",
      'Task ID,Created At,Completed At,Name,Section/Column,Due Date,Tags,Notes,Projects\n1200,2026-01-01,2026-01-05,Oil,,2026-03-01,"house,garden",thin oil,\n',
    ],
    [
      "Trello",
      "Card ID,Card Name,Card URL,Card Description,Labels,Members,Due Date,List Name,Due Complete\nx1,Oil,https://example.com,thin oil,house,,2026-03-01T09:30:00.000Z,garden,true\n",
    ],
    ["Notion", 'Name,Created time,Due,Status,Tags\nOil,"March 1, 2026 9:30 AM","March 1, 2026",Done,"house, garden"\n'],
    [
      "TickTick",
      '"Date: 2026-01-01+0000"\n"Version: 7.1"\n"Folder Name","List Name","Title","Kind","Tags","Content","Due Date","Priority","Status","Created Time","Completed Time"\n"","garden","Oil","TEXT","house","thin oil","2026-03-01T09:30:00+0000","5","2","2026-01-01T08:00:00+0000","2026-01-05T08:00:00+0000"\n',
    ],
  ])("T11 the columns of %s", async (program, file) => {
    const { report, tasks } = await imported("csv", file);
    expect(report, JSON.stringify(report)).toMatchObject({ imported: 1, invalid: 0 });
    expect(report.program).toBe(program === "people's own" ? undefined : program);
    const [task] = tasks as [Task];
    expect(task).toMatchObject({ title: "Oil", due: expect.stringContaining("2026-03-01") });
    if (program !== "Todoist") expect([task.completed, task.tags.toSorted()]).toEqual([true, ["garden", "house"]]);
    if (program !== "Notion") expect(task.description).toContain("thin oil");
    if (["Todoist", "Outlook", "TickTick"].includes(program)) expect(task.priority).toBe("high");
  });

  it("T11 a heading that is unknown is named, with those that are known; keepUnknown keeps its column", async () => {
    const file = "Title,Due Date,Effort\nOil,2026-03-01,large\n";
    expect(await refused("csv", file)).toMatch(/"Effort" in line 1.*title, description.*keepUnknown/);
    const { tasks } = await imported("csv", file, "?keepUnknown=true");
    expect(tasks).toMatchObject([{ title: "Oil", description: "Effort: large" }]);
    expect(await refused("csv", "due,notes\n2026-03-01,x\n")).toContain("one is title");
  });

  it("T11 blank rows are nothing, and tags are written as people do", async () => {
    const { report } = await imported("csv", "title,due\r\nOil the hinges,2026-03-01\r\n,\r\n,\r\n");
    expect([report.imported, report.invalid]).toEqual([1, 0]);
    const { named } = await imported("csv", 'title,tags\nOil,house\nSweep,"house, garden"\nRake,#house; @garden\n');
    expect([named("Oil"), named("Sweep"), named("Rake")].map((task) => task?.tags.toSorted())).toEqual([
      ["house"],
      ["garden", "house"],
      ["garden", "house"],
    ]);
  });

  it("T11 dates as spreadsheets write them; one that can be read twice is noted, one that cannot is kept", async () => {
    const due = async (cell: string) => (await imported("csv", `title;due\nx;${cell}\n`)).tasks[0]?.due;
    for (const cell of [
      "2026-03-04",
      "4.3.2026",
      "04.03.26",
      "2026/03/04",
      "March 4, 2026",
      "4 Mar 2026",
      "Wed, Mar 4, 2026",
    ]) {
      expect(await due(cell), cell).toBe("2026-03-04");
    }
    expect(await due("3/4/2026 2:30 PM")).toBe("2026-03-04T14:30:00.000Z");
    expect(await due("30/4/2026")).toBe("2026-04-30");
    const day = await imported("csv", "title,due\na,30/4/2026\nb,3/4/2026\n");
    expect(day.named("b")?.due).toBe("2026-04-03");
    const unclear = await imported("csv", "title,due\na,3/4/2026\n");
    expect(unclear.report.lines[0]?.notes).toMatchObject([
      { line: 2, path: "due", message: expect.stringContaining("month first") },
    ]);
    const words = await imported("csv", "title,due\na,every monday\nb,2026-02-30\n");
    expect(words.tasks.map((task) => [task.due, task.description])).toEqual([
      [null, "due: every monday"],
      [null, "due: 2026-02-30"],
    ]);
  });

  it.each(["yes", "Yes", "x", "X", "TRUE", "1", "done", "Completed", "✓"])("T11 %s is completed", async (cell) => {
    expect((await imported("csv", `title,done\nx,${cell}\n`)).tasks).toMatchObject([{ completed: true }]);
  });
  it.each(["no", "FALSE", "0", "", "open", "In Progress", "Not Started"])("T11 %j is open", async (cell) => {
    expect((await imported("csv", `title,done\nx,${cell}\n`)).tasks).toMatchObject([{ completed: false }]);
  });
});

describe("T11 JSON", () => {
  it("T11 times finer than milliseconds are cut", async () => {
    const file = {
      tasks: [{ title: "Oil", due: "2026-03-01t09:30:00.123456+00:00", createdAt: "2026-01-01T08:00:00.123456789z" }],
    };
    expect((await imported("json", JSON.stringify(file))).tasks).toMatchObject([
      { due: "2026-03-01T09:30:00.123Z", createdAt: "2026-01-01T08:00:00.123Z" },
    ]);
  });

  it("T11 a download that stopped is refused, and says where it ends", async () => {
    expect(await refused("json", '{ "tasks": [ { "title": "Oil the hinges" }, ')).toContain(
      "must be JSON: in line 1, column 45, the text ends too early",
    );
    expect(await refused("json", '{ "tasks": [\n{ "title": "Oil')).toContain(
      "must be JSON: it ends inside of a task, in line 2",
    );
    expect(await refused("json", '{ "tasks": [\n{ "title": "a" }\n{ "title": "b" }\n]}')).toContain(
      "must be JSON: in line 3, column 1, a comma is expected",
    );
  });

  const programs: [string, object, object[]][] = [
    [
      "Google Tasks",
      {
        kind: "tasks#taskLists",
        items: [
          {
            kind: "tasks#tasks",
            title: "House",
            items: [
              {
                id: "p",
                kind: "tasks#task",
                title: "Paint",
                status: "needsAction",
                due: "2026-03-01T00:00:00.000Z",
                notes: "white",
              },
              {
                id: "c",
                kind: "tasks#task",
                title: "Buy paint",
                status: "completed",
                completed: "2026-01-05T08:00:00Z",
                parent: "p",
              },
              { id: "d", kind: "tasks#task", title: "Gone", status: "needsAction", deleted: true },
            ],
          },
        ],
      },
      [
        { title: "Paint", due: "2026-03-01", description: "white", tags: ["House"], completed: false },
        { title: "Buy paint", completed: true, description: "Part of: Paint", completedAt: "2026-01-05T08:00:00.000Z" },
      ],
    ],
    [
      "Todoist",
      {
        items: [
          {
            id: "1",
            content: "Paint",
            description: "white",
            priority: 4,
            labels: ["art"],
            project_id: "7",
            checked: false,
            due: { date: "2026-03-01T09:00:00", timezone: "Europe/Berlin", is_recurring: true, string: "every day" },
          },
          { id: "2", content: "Buy paint", parent_id: "1", project_id: "7", checked: true, priority: 1 },
        ],
        projects: [{ id: "7", name: "House" }],
      },
      [
        {
          title: "Paint",
          priority: "high",
          due: "2026-03-01T08:00:00.000Z",
          tags: ["art", "House"],
          description: "white\n\nRepeats: every day",
        },
        { title: "Buy paint", description: "Part of: Paint", completed: true, priority: "none" },
      ],
    ],
    [
      "Microsoft To Do",
      {
        "@odata.context": "x",
        value: [
          {
            id: "a=",
            title: "Paint",
            importance: "high",
            status: "notStarted",
            body: { content: "<p>white &amp; red</p>", contentType: "html" },
            dueDateTime: { dateTime: "2026-03-01T00:00:00.0000000", timeZone: "UTC" },
            categories: ["House"],
            checklistItems: [{ displayName: "Buy", isChecked: true }],
          },
          {
            id: "b=",
            title: "Done",
            importance: "normal",
            status: "completed",
            completedDateTime: { dateTime: "2026-01-05T08:00:00.0000000", timeZone: "UTC" },
          },
        ],
      },
      [
        {
          title: "Paint",
          due: "2026-03-01",
          priority: "high",
          tags: ["House"],
          description: "white & red\n\n- [x] Buy",
        },
        { title: "Done", completed: true, priority: "none" },
      ],
    ],
    [
      "Taskwarrior",
      [
        {
          id: 1,
          description: "Paint",
          uuid: "8bf0f3e1-9d3a-4ae4-9d6b-6b6a2f3c7e10",
          status: "pending",
          due: "20260301T093000Z",
          entry: "20260101T080000Z",
          priority: "H",
          project: "House",
          tags: ["art"],
          annotations: [{ entry: "20260102T080000Z", description: "white" }],
        },
        {
          id: 0,
          description: "Done",
          uuid: "8bf0f3e1-9d3a-4ae4-9d6b-6b6a2f3c7e11",
          status: "completed",
          end: "20260105T080000Z",
          entry: "20260101T080000Z",
        },
        {
          id: 0,
          description: "Gone",
          uuid: "8bf0f3e1-9d3a-4ae4-9d6b-6b6a2f3c7e12",
          status: "deleted",
          entry: "20260101T080000Z",
        },
      ],
      [
        {
          title: "Paint",
          id: "8bf0f3e1-9d3a-4ae4-9d6b-6b6a2f3c7e10",
          due: "2026-03-01T09:30:00.000Z",
          priority: "high",
          tags: ["art", "House"],
          description: "white",
        },
        { title: "Done", completed: true, completedAt: "2026-01-05T08:00:00.000Z" },
      ],
    ],
    [
      "Vikunja",
      [
        {
          ...{ id: 1, title: "House", identifier: "" },
          tasks: [
            {
              id: 1,
              title: "Paint",
              description: "<p>white</p>",
              done: false,
              done_at: "0001-01-01T00:00:00Z",
              due_date: "2026-03-01T09:30:00Z",
              priority: 4,
              labels: [{ id: 1, title: "art" }],
              created: "2026-01-01T08:00:00Z",
            },
            {
              id: 2,
              title: "Done",
              done: true,
              done_at: "2026-01-05T08:00:00Z",
              due_date: "0001-01-01T00:00:00Z",
              priority: 0,
              labels: null,
              related_tasks: { parenttask: [{ id: 1, title: "Paint" }] },
            },
          ],
        },
      ],
      [
        {
          title: "Paint",
          due: "2026-03-01T09:30:00.000Z",
          priority: "high",
          tags: ["art", "House"],
          description: "white",
          completed: false,
        },
        { title: "Done", completed: true, due: null, description: "Part of: Paint" },
      ],
    ],
    [
      "Super Productivity",
      {
        data: {
          task: {
            ids: ["t1", "t2"],
            entities: {
              t1: {
                id: "t1",
                title: "Paint",
                notes: "white",
                isDone: false,
                dueDay: "2026-03-01",
                tagIds: ["g1", "TODAY"],
                projectId: "p1",
                created: 1767254400000,
              },
              t2: {
                id: "t2",
                title: "Done",
                isDone: true,
                doneOn: 1767600000000,
                parentId: "t1",
                tagIds: [],
                created: 1767254400000,
              },
            },
          },
          project: { entities: { p1: { id: "p1", title: "House" } } },
          tag: { entities: { g1: { id: "g1", title: "art" } } },
        },
      },
      [
        {
          title: "Paint",
          due: "2026-03-01",
          tags: ["art", "House"],
          description: "white",
          createdAt: "2026-01-01T08:00:00.000Z",
        },
        { title: "Done", completed: true, completedAt: "2026-01-05T08:00:00.000Z", description: "Part of: Paint" },
      ],
    ],
  ];
  it.each(programs)("T11 %s, found by its content", async (program, file, expected) => {
    for (const text of [JSON.stringify(file), JSON.stringify(file, null, 2)]) {
      const { who, report, named } = await imported("application/octet-stream", text);
      expect(report, JSON.stringify(report)).toMatchObject({
        format: "json",
        program,
        imported: expected.length,
        invalid: 0,
      });
      for (const task of expected as Task[]) {
        const found = named(task.title);
        expect({ ...found, tags: found?.tags }).toMatchObject({
          ...task,
          ...(task.tags && { tags: expect.arrayContaining(task.tags) }),
        });
        if (task.tags) expect(found?.tags).toHaveLength(task.tags.length);
      }
      expect(await ok<Report>(await send(who, "json", text))).toMatchObject({ imported: 0, exists: expected.length });
    }
  });
});

describe("T11 todo.txt", () => {
  it("T11 is read line by line", async () => {
    const lines = [
      "(A) 2026-01-01 Call Ada +garden @phone due:2026-03-01",
      "x 2026-01-05 2026-01-01 Water the plants pri:B",
      "",
      "Buy milk t:2026-02-01",
    ];
    const { report, named } = await imported("txt", lines.join("\n"));
    expect(report).toMatchObject({ format: "todo.txt", imported: 3, lines: [{ line: 1 }, { line: 2 }, { line: 4 }] });
    expect(named("Call Ada")).toMatchObject({
      priority: "high",
      due: "2026-03-01",
      createdAt: "2026-01-01T00:00:00.000Z",
    });
    expect(named("Call Ada")?.tags.toSorted()).toEqual(["garden", "phone"]);
    expect(named("Water the plants")).toMatchObject({
      completed: true,
      completedAt: "2026-01-05T00:00:00.000Z",
      priority: "medium",
    });
    expect(named("Buy milk t:2026-02-01")).toMatchObject({ completed: false });
  });
});

describe("T11 any file", () => {
  it("T11 a dry run makes the same report, and writes nothing", async () => {
    const who = await someone();
    const file = calendar(todo("1", "One"), todo("2", "Two", "PRIORITY:x"));
    const dry = await ok<Report>(await send(who, "ics", file, "?dryRun=true"));
    expect([dry.dryRun, dry.imported, (await who.list()).data]).toEqual([true, 2, []]);
    expect((await send(who, "ics", file, "?dryRun")).status).toBe(400);
    expect(await ok<Report>(await send(who, "ics", file))).toEqual({ ...dry, dryRun: false });
    expect(await ok<Report>(await send(who, "ics", file, "?dryRun=true"))).toMatchObject({ imported: 0, exists: 2 });
  });

  it("T11 the content tells the format, whatever the type says", async () => {
    const files: [string, string][] = [
      ["icalendar", calendar(todo("1", "x"))],
      ["csv", "title,due\nx,2026-03-01\n"],
      ["json", '{"tasks":[{"title":"x"}]}'],
    ];
    for (const [format, file] of files) {
      for (const type of [...Object.values(TYPES), "application/octet-stream", "application/xml"]) {
        expect((await imported(type, file)).report, `${format} as ${type}`).toMatchObject({ format, imported: 1 });
      }
    }
  });

  const utf16 = (text: string, first: number[]) =>
    Uint8Array.from([...first, ...[...text].flatMap((letter) => [letter.charCodeAt(0), 0])]);
  it.each<[string, Uint8Array, string]>([
    [
      "Latin-1 iCalendar",
      bytes("BEGIN:VCALENDAR\r\nBEGIN:VTODO\r\nSUMMARY:B\xFCro\r\nEND:VTODO\r\nEND:VCALENDAR\r\n"),
      "must be UTF-8: line 3 is not",
    ],
    ["Windows-1252 CSV", bytes("title\r\nB\xFCro\r\n"), "must be UTF-8: line 2 is not"],
    ["UTF-16 with a mark", utf16("title\nx\n", [0xff, 0xfe]), "but is UTF-16"],
    ["UTF-16 without a mark", utf16("title\nx\n", []), "but is UTF-16"],
    ["nothing", bytes(""), "but is empty"],
    ["blanks", bytes(" \r\n\t\n"), "but is empty"],
    ["a ZIP", bytes("PK\x03\x04xxxxxxxxxxxxxxx"), "ZIP archive"],
    ["gzip", bytes("\x1f\x8b\x08\x00xxxxxxxxx"), "gzip"],
    ["an image", bytes("\x89PNG\r\n\x1a\nxxxxx"), "PNG image"],
    ["a PDF", bytes("%PDF-1.7 xxx"), "PDF"],
    ["a web page", bytes("<!DOCTYPE html><html><body>Sign in</body></html>"), "web page"],
    ["XML", bytes('<?xml version="1.0"?><tasks/>'), "XML"],
    ["a vCard", bytes("BEGIN:VCARD\r\nVERSION:3.0\r\nEND:VCARD\r\n"), "address book"],
    ["a form", bytes("------x\r\nContent-Disposition: form-data\r\n\r\n"), "multipart"],
    ["a calendar cut off", bytes("BEGIN:VCALENDAR\r\nBEGIN:VTODO\r\nUID:1\r\nSUM"), "ends inside of VTODO"],
    ["CSV cut off", bytes('title,due\r\n"Oil'), "line 2"],
  ])("T6 %s is 400, and says what was found", async (_, file, message) => {
    for (const ending of ["ics", "csv", "json", "txt"]) expect(await refused(ending, file)).toContain(message);
  });

  it("T11 notes are listed up to a hundred, and counted beyond", async () => {
    const todos = Array.from({ length: 150 }, (_, n) => todo(`${n}`, `${n}`, "PRIORITY:x"));
    const { report } = await imported("ics", calendar(...todos));
    expect(report.lines.flatMap(({ notes = [] }) => notes)).toHaveLength(100);
    expect(report).toMatchObject({ imported: 150, moreErrors: 50 });
  });
});

describe("T7 exports", () => {
  it("T7 CSV begins with a byte order mark if it is asked for", async () => {
    const who = await someone();
    await who.create({ title: "Zürich" });
    const first = async (query: string) =>
      [...new Uint8Array(await (await who.call(`${who.path}/export?${query}`)).arrayBuffer())].slice(0, 3);
    expect(await first("format=csv&bom=true")).toEqual([0xef, 0xbb, 0xbf]);
    expect(await first("format=csv")).toEqual([...new TextEncoder().encode("id,")]);
    expect(await first("format=csv&bom=false")).toEqual([...new TextEncoder().encode("id,")]);
    expect((await who.call(`${who.path}/export?format=csv&bom=1`)).status).toBe(400);
    const other = await someone();
    const file = new Uint8Array(await (await who.call(`${who.path}/export?format=csv&bom=true`)).arrayBuffer());
    expect(await ok<Report>(await send(other, "csv", file))).toMatchObject({ imported: 1 });
  });

  it("T7 an empty calendar has a component, as RFC 5545 demands, and is imported as nothing", async () => {
    const who = await someone();
    const text = await (await who.call(`${who.path}/export?format=ics`)).text();
    expect(text).toContain("BEGIN:VTIMEZONE");
    expect(await ok<Report>(await send(who, "ics", text))).toMatchObject({ imported: 0, lines: [], notes: [] });
    await who.create();
    expect(await (await who.call(`${who.path}/export?format=ics`)).text()).not.toContain("VTIMEZONE");
  });
});
