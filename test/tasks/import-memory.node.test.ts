/**
 * Files that are made to cost memory or time, sent to a workerd whose isolates have 128 MB and no more, as Workers have:
 * whoever took more would end it. Each is as long as an import may be.
 */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Isolates, someone, startIsolate } from "../support/node/isolates.ts";

const MAX_BYTES = 10 * 1024 * 1024;
const LIMIT = "MINIFLARE_WORKERD_V8_FLAGS";

let isolates: Omit<Isolates, "second">;

beforeAll(async () => {
  process.env[LIMIT] = "--max-heap-size=128";
  isolates = await startIsolate();
});
afterAll(async () => {
  delete process.env[LIMIT];
  await isolates.harness.close();
});

/** As much of a text, over and over, as fits between two others. */
function filled(before: string, unit: string, after: string): string {
  return before + unit.repeat(Math.floor((MAX_BYTES - before.length - after.length) / unit.length)) + after;
}

const todo = (lines: string) => `BEGIN:VTODO\r\nUID:x\r\nSUMMARY:x\r\n${lines}END:VTODO\r\n`;
const calendar = (content: string) => `BEGIN:VCALENDAR\r\nVERSION:2.0\r\n${content}END:VCALENDAR\r\n`;
const todos = (lines: string) => calendar(todo(lines).repeat(Math.floor((MAX_BYTES - 100) / todo(lines).length)));
const tasks = (unit: string, count: number) => `{"tasks":[${Array.from({ length: count }, () => unit).join()}]}`;
const zone = (rule: string) =>
  `BEGIN:VTIMEZONE\r\nTZID:Mine\r\nBEGIN:STANDARD\r\nDTSTART:19700101T000000\r\nTZOFFSETFROM:+0000\r\nTZOFFSETTO:+0100\r\n${rule}END:STANDARD\r\nEND:VTIMEZONE\r\n`;

const JSON_FILES: [string, () => string][] = [
  ["20,000 tasks of 500 characters", () => tasks(`{"title":"x","description":"${"y".repeat(470)}"}`, 20_000)],
  ["more tasks than may be", () => tasks('{"title":"x"}', 700_000)],
  ["unknown keys", () => `{"tasks":[{${Array.from({ length: 800_000 }, (_, n) => `"k${n}":1`).join()}}]}`],
  ["unknown keys in every task", () => tasks(`{${Array.from({ length: 40 }, (_, n) => `"k${n}":1`).join()}}`, 20_000)],
  ["brackets", () => filled('{"tasks":[', "[", "")],
  ["braces around the list", () => filled("", '{"a":', "")],
  ["numbers around the list", () => filled('{"a":[', "1,", '1],"tasks":[]}')],
  ["one text", () => filled('{"tasks":[{"title":"', "x", '"}]}')],
  ["escapes", () => filled('{"tasks":[{"title":"', "\\u0041", '"}]}')],
  ["spaces", () => filled('{"tasks":[', " ", "]}")],
  ["objects around the list", () => filled('{"a":[', "{},", '1],"tasks":[]}')],
  ["values without commas", () => `{"${"a".repeat(65_530)}":${"[]".repeat(4_000_000)},"tasks":[]}`],
  ["texts that grow without their case", () => tasks(`{"title":"x","description":"${"\uFDFA".repeat(1000)}"}`, 3300)],
  [
    "marks that take long to order",
    () => tasks(`{"title":"x","tags":["a${"\u0345".repeat(15_000)}${"\u0334".repeat(15_000)}"]}`, 80),
  ],
  [
    "marks that take long to order, as many as may be",
    () => tasks(`{"title":"x","description":"${"\u0344".repeat(500)}${"\u0334".repeat(500)}"}`, 4900),
  ],
  ["lists that are no tasks", () => tasks("[]", 19_000)],
];
const CSV_FILES: [string, () => string][] = [
  ["commas", () => filled("title\r\n", ",", "")],
  ["quotes", () => filled('title\r\n"', '"', "")],
  ["rows of quotes alone", () => filled("title\n", '""\n', "")],
  [
    "quotes that do not end a cell",
    () => filled("title,due\n", `"${'b"'.repeat(16_000)}x${" ".repeat(32_000)},y\n`, ""),
  ],
  [
    "quotes, and blanks that end no cell",
    () => filled("title,due\n", `"${'""'.repeat(16_000)}"${" ".repeat(32_000)}x\n`, ""),
  ],
  ["an open quote", () => filled('title\r\n"', "x", "")],
  ["empty rows", () => filled("title\r\n", "\n", "")],
  ["rows of one letter", () => filled("title\r\n", "x\n", "")],
  ["columns", () => filled("title", ",title", "\r\n")],
  ["texts that grow without their case", () => `title,description\r\n${`x,${"\uFDFA".repeat(1000)}\r\n`.repeat(3300)}`],
  ["apostrophes and breaks", () => filled("title\r\n", `"${"\n'".repeat(15_000)}"\n`, "")],
  ["rows of many cells", () => filled("title\r\n", `${",".repeat(60_000)}\n`, "")],
];
const ICS_FILES: [string, () => string][] = [
  [
    "a zone that changes every second",
    () => calendar(zone("RRULE:FREQ=SECONDLY\r\n") + todo("DUE;TZID=Mine:20260101T000000\r\n")),
  ],
  [
    "a zone of many rules",
    () => filled(calendar("").slice(0, 30), zone("RRULE:FREQ=SECONDLY\r\n"), "END:VCALENDAR\r\n"),
  ],
  ["a to-do of many properties", () => calendar(filled("BEGIN:VTODO\r\n", "X-A:1\r\n", "END:VTODO\r\n").slice(0, -60))],
  ["one line", () => filled("BEGIN:VCALENDAR\r\nBEGIN:VTODO\r\nSUMMARY:", "x", "")],
  ["a line folded without end", () => filled("BEGIN:VCALENDAR\r\nBEGIN:VTODO\r\nSUMMARY:", "x\r\n ", "")],
  ["categories", () => todos(`CATEGORIES:${"a,".repeat(15_000)}\r\n`)],
  ["parameters", () => todos(`SUMMARY;${"A=1;".repeat(8000)}B=1:x\r\n`)],
  ["parameters, few enough", () => todos(`SUMMARY;A=${"1,".repeat(15_000)}1:x\r\n`)],
  ["parameters behind a colon in quotes", () => todos(`X-A;A=":";${"B=1;".repeat(7000)}C=1:x\r\n`)],
  [
    "a line that an empty one does not end",
    () => todos(`SUMMARY;${"A=1;".repeat(7000)}\r\n\r\n ${"B=1;".repeat(7000)}C=1:x\r\n`),
  ],
  [
    "times of many days in a zone",
    () =>
      calendar(
        Array.from({ length: 10_000 }, (_, n) => {
          const day = new Date(n * 86_400_000).toISOString().slice(0, 10).replaceAll("-", "");
          const time = (name: string) => `${name};TZID=Europe/Berlin:${day}T120000\r\n`;
          return todo(time("DUE") + time("COMPLETED") + time("CREATED"));
        }).join(""),
      ),
  ],
  ["quoted parameters", () => todos(`SUMMARY;A="${'","'.repeat(9000)}":x\r\n`)],
  ["escapes", () => todos(`DESCRIPTION:${"\\n".repeat(15_000)}\r\n`)],
  ["short lines", () => todos("X-A:1\r\n".repeat(490))],
  ["folded lines", () => todos(`DESCRIPTION:${"x\r\n ".repeat(12_000)}\r\n`)],
  ["components in components", () => filled("", "BEGIN:VTODO\r\n", "")],
  ["small to-dos", () => calendar("BEGIN:VTODO\r\nEND:VTODO\r\n".repeat(400_000))],
  [
    "many zones",
    () =>
      todos("DUE;TZID=Europe/Berlin:20260101T000000\r\n")
        .replaceAll("Berlin", () => `X${Math.random()}`)
        .slice(0, MAX_BYTES),
  ],
];

describe("T11 files of the maximum length", () => {
  it.each([
    ...JSON_FILES.map((file) => ["application/json", ...file] as const),
    ...CSV_FILES.map((file) => ["text/csv", ...file] as const),
    ...ICS_FILES.map((file) => ["text/calendar", ...file] as const),
  ])("T11 %s: %s", async (type, _, file) => {
    const { access } = await someone(isolates.first);
    const body = file();
    expect(Buffer.byteLength(body)).toBeLessThanOrEqual(MAX_BYTES);
    const headers = { ...access, "content-type": type };
    const answer = await isolates.first("/api/v1/users/me/tasks/import", { body, headers });
    const text = await answer.text();
    expect([200, 400, 403], text.slice(0, 300)).toContain(answer.status);
    expect(text.length).toBeLessThan(4_000_000);
    const listed = (JSON.parse(text).lines ?? []).filter((line: object) => "errors" in line || "notes" in line);
    expect(listed.length).toBeLessThanOrEqual(20_000);
    expect((await isolates.first("/ready")).status).toBe(200);
  });

  it("T11 parallel imports of several users wait for each other", async () => {
    // One letter beyond Latin makes a text take two bytes a letter. One task more than the quota: nothing is inserted.
    const description = `${"y".repeat(960)}\u0416`;
    const body = JSON.stringify({
      tasks: Array.from({ length: 10_001 }, (_, n) => ({ title: String(n), description })),
    });
    const people = [await someone(isolates.first), await someone(isolates.first)];
    const headers = { "content-type": "application/json" };
    const answers = await Promise.all(
      [...people, ...people, ...people].map(({ access }) =>
        isolates.first("/api/v1/users/me/tasks/import", { body, headers: { ...headers, ...access } }),
      ),
    );
    for (const answer of answers) expect([403, 429]).toContain(answer.status);
    expect((await isolates.first("/ready")).status).toBe(200);
  });

  it("T11 parallel exports that nobody reads", async () => {
    const { access } = await someone(isolates.first);
    const headers = { ...access, "content-type": "application/json" };
    const description = "\uFDFA".repeat(1000);
    const body = JSON.stringify({ tasks: Array.from({ length: 660 }, (_, n) => ({ title: String(n), description })) });
    expect((await isolates.first("/api/v1/users/me/tasks/import", { body, headers })).status).toBe(200);
    const exports = Array.from({ length: 12 }, () =>
      isolates.first("/api/v1/users/me/tasks/export", { headers: access, streams: true }),
    );
    const answers = await Promise.all(exports);
    const statuses = answers.map(({ status }) => status);
    expect(statuses.filter((status) => status === 200).length).toBeGreaterThanOrEqual(3);
    for (const status of statuses) expect([200, 429]).toContain(status);
    expect((await isolates.first("/ready")).status).toBe(200);
    await Promise.allSettled(answers.map(({ body }) => body?.cancel()));
  });
});
