/** Tasks with every kind of text, time and leftover of another program. */
import fc from "fast-check";

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
  priority: fc.constantFrom("none", "low", "medium", "high"),
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

/** The same tasks each time. */
export function arbitraryTasks(count: number) {
  return fc.sample(task, { numRuns: count, seed: 20_260_301 }).map((each, n) => ({
    ...each,
    id: `0195a3c0-7b1e-7c3a-9d41-${String(n).padStart(12, "0")}`,
  }));
}
