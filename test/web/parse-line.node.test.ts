/** What a line of the quick add is read as. */
import { describe, expect, it } from "vitest";
import { addDays, dayOf, dueDay, dueFrom, formValues } from "../../src/web/tasks/dates.ts";
import { findDate } from "../../src/web/tasks/find-date.ts";
import { chipsOf, linesOf, taskOf } from "../../src/web/tasks/parse-line.ts";

const read = (line: string, refused: string[] = []) => taskOf(line, chipsOf(line, findDate, refused));
const today = dayOf(new Date());

describe("P3 quick add", () => {
  it("P3 reads date, priority and tags, and leaves the rest as the title", () => {
    expect(read("Pay rent tomorrow 9am !high #home")).toEqual({
      title: "Pay rent",
      due: new Date(`${addDays(today, 1)}T09:00`).toISOString(),
      priority: "high",
      tags: ["home"],
    });
    expect(read("Buy oat milk today")).toMatchObject({ title: "Buy oat milk", due: today });
    expect(read("#a !low Call #b #A !2")).toMatchObject({ title: "Call", priority: "medium", tags: ["A", "b"] });
    expect(read("Write it by tomorrow")).toMatchObject({ title: "Write it", due: addDays(today, 1) });
  });

  it.each([
    "Read chapter 12",
    "C# and F#",
    "a!high",
    "email#tag",
    "May the best win",
    "100% done",
    "مراجعة",
    "",
    "2 x 4",
  ])("P3 %j is a title and nothing else", (line) => {
    expect(read(line)).toEqual({ title: line, due: null, priority: "none", tags: [] });
  });

  it("P3 a chip that is taken off stays in the title", () => {
    expect(read("Meet tomorrow #work", ["tomorrow"])).toMatchObject({
      title: "Meet tomorrow",
      due: null,
      tags: ["work"],
    });
    expect(read("Meet tomorrow #work", ["#work"])).toMatchObject({
      title: "Meet #work",
      due: addDays(today, 1),
      tags: [],
    });
  });

  it("P3 a tag that names a day is a tag", () => {
    expect(read("Plan #monday")).toMatchObject({ title: "Plan", due: null, tags: ["monday"] });
  });

  it("P3 a line that is only chips is a title, and tags beyond the limit stay in it", () => {
    expect(read("#home tomorrow")).toMatchObject({ title: "#home tomorrow", due: null, tags: [] });
    const tags = Array.from({ length: 22 }, (_, n) => `#tag${n}`);
    expect(read(`Much ${tags.join(" ")}`)).toMatchObject({ title: "Much #tag20 #tag21", tags: { length: 20 } });
  });

  it("P3 what lies behind, belongs to somebody or is a fraction is no due date", () => {
    for (const line of ["Write last friday's report", "Call about last friday", "Buy today's paper", "Add 1/2 cup"]) {
      expect(read(line)).toMatchObject({ title: line, due: null });
    }
    expect(read("Find the photo of 5-12-77").due).toBeNull();
  });

  it("P3 splits pasted text into lines, without marks of lists", () => {
    expect(linesOf("- one\r\n* [ ] two\n\n3. three\n  • four \n- [x] five\n10 apples")).toEqual([
      ...["one", "two", "three", "four", "five", "10 apples"],
    ]);
  });
});

describe("T10 days of the person's own time zone", () => {
  it("T10 a due day is the same everywhere, and a moment falls on some day here", () => {
    expect(dueDay("2026-03-01")).toBe("2026-03-01");
    const late = new Date("2026-03-01T23:30").toISOString();
    expect(dueDay(late)).toBe("2026-03-01");
    expect(formValues(late)).toEqual({ day: "2026-03-01", time: "23:30" });
    expect(dueFrom("2026-03-01", "23:30")).toBe(late);
    expect([dueFrom("2026-03-01", ""), dueFrom("", "10:00")]).toEqual(["2026-03-01", null]);
    expect([addDays("2026-02-28", 1), addDays("2026-12-31", 1), addDays("2026-03-29", -1)]).toEqual([
      ...["2026-03-01", "2027-01-01", "2026-03-28"],
    ]);
  });
});
