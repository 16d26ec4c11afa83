/** A day as its person sees it: due dates between bounds, wherever the person is. */
import { env } from "cloudflare:workers";
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { localTimeOf } from "../../src/tasks/local-time.ts";
import type { Task } from "../../src/tasks/model.ts";
import { dueRangeOf } from "../../src/tasks/repository/due-range.ts";
import { appWith } from "../support/apps.ts";
import { ok, type Person, someone } from "../support/client.ts";
import { countingD1 } from "../support/intercepted-d1.ts";

const HOUR_MS = 60 * 60 * 1000;
const ZONES = [
  ...["Etc/GMT+12", "Pacific/Niue", "America/Los_Angeles", "America/St_Johns", "America/Sao_Paulo", "Atlantic/Azores"],
  ...[
    "UTC",
    "Europe/London",
    "Europe/Berlin",
    "Asia/Kolkata",
    "Asia/Kathmandu",
    "Australia/Lord_Howe",
    "Pacific/Auckland",
  ],
  ...["Pacific/Chatham", "Pacific/Kiritimati", "Africa/Casablanca", "Asia/Beirut"],
];
/** Clocks change in one of them on each of these days or the one before. */
const DAYS = ["2026-03-08", "2026-03-29", "2026-04-05", "2026-10-25", "2026-11-01", "2026-07-01"];

const counter = countingD1(env.DB);
let person: Person;
let tasks: Task[];

beforeAll(async () => {
  const { fetch } = await appWith({ d1: counter.d1 });
  person = await someone(fetch);
  const dues = DAYS.flatMap((day) => {
    const start = Date.parse(day);
    const days = [-2, -1, 0, 1, 2].map((n) => new Date(start + n * 24 * HOUR_MS).toISOString().slice(0, 10));
    const moments = Array.from({ length: 60 }, (_, n) => new Date(start + (n - 20) * HOUR_MS).toISOString());
    return [...days, ...moments, new Date(start + 30 * 60_000).toISOString()];
  });
  const file = { tasks: dues.map((due, n) => ({ title: `${n}`, due })) };
  await ok(await person.call(`${person.path}/import`, { json: file }));
  tasks = [];
  for (let cursor: string | null = ""; cursor !== null; ) {
    const page = await person.list(`?limit=100${cursor && `&cursor=${cursor}`}`);
    tasks.push(...page.data);
    cursor = page.nextCursor;
  }
}, 60_000);

/** All pages of a list. */
async function listed(query: Record<string, string>, limit = 100): Promise<Task[]> {
  const found: Task[] = [];
  for (let cursor: string | null = ""; cursor !== null; ) {
    const search = new URLSearchParams({ ...query, limit: String(limit), ...(cursor && { cursor }) });
    const page = await person.list(`?${search}`);
    found.push(...page.data);
    cursor = page.nextCursor;
  }
  return found;
}

/** The day of a due date where the person is, by the platform's own calendar. */
function dayIn(timeZone: string, due: string): string {
  if (due.length === 10) return due;
  return new Date(due).toLocaleDateString("sv-SE", { timeZone });
}

const ids = (list: Task[]) => list.map(({ id }) => id).sort();
const next = (day: string) => new Date(Date.parse(day) + 24 * HOUR_MS).toISOString().slice(0, 10);

describe("T10 a day as its person sees it", () => {
  it.each(ZONES)("T10 today in %s is right, in every order, also when the clocks change", async (timeZone) => {
    for (const day of DAYS) {
      const wanted = ids(tasks.filter(({ due }) => due !== null && dayIn(timeZone, due) === day));
      expect(wanted.length).toBeGreaterThan(20);
      const query = { timeZone, dueAfter: day, dueBefore: next(day) };
      for (const sort of ["due", "-due", "-createdAt", "title"]) {
        for (const status of ["open", "all"]) {
          expect(ids(await listed({ ...query, sort, status })), `${day} ${sort} ${status}`).toEqual(wanted);
        }
      }
    }
  });

  it("T10 any bounds hold the days that begin between them where the person is, and the instants between them", () => {
    const zones = [undefined, "America/Los_Angeles", "Asia/Tokyo", "Pacific/Apia", "Asia/Kathmandu", "Pacific/Niue"];
    const all = Array.from({ length: 8 }, (_, n) => `2026-03-0${n + 1}`).flatMap((day) => [
      day,
      ...Array.from({ length: 48 }, (_, n) => new Date(Date.parse(day) + n * (HOUR_MS / 2)).toISOString()),
    ]);
    const bound = fc.oneof(
      fc.integer({ min: 1, max: 8 }).map((n) => ({ day: `2026-03-0${n}` })),
      fc
        .record({ halves: fc.integer({ min: 0, max: 380 }), offset: fc.integer({ min: -48, max: 56 }) })
        .map(({ halves, offset }) => ({
          moment: new Date(Date.parse("2026-03-01") + halves * (HOUR_MS / 2)).toISOString(),
          offsetMs: offset * (HOUR_MS / 4),
        })),
    );
    fc.assert(
      fc.property(
        fc.option(bound, { nil: undefined }),
        fc.option(bound, { nil: undefined }),
        fc.constantFrom(...zones),
        (dueAfter, dueBefore, timeZone) => {
          const zone = timeZone === undefined ? undefined : localTimeOf(timeZone);
          const startOf = (day: string, offsetMs: number) =>
            zone ? Date.parse(zone.instantOf(`${day}T00:00:00`) ?? "") : Date.parse(day) - offsetMs;
          const isFrom = (due: string, at: typeof dueAfter): boolean => {
            if (!at) return true;
            if ("day" in at) return due.length === 10 ? due >= at.day : Date.parse(due) >= startOf(at.day, 0);
            return (due.length === 10 ? startOf(due, at.offsetMs) : Date.parse(due)) >= Date.parse(at.moment);
          };
          const range = dueRangeOf({ dueAfter, dueBefore, timeZone });
          const isIn = (due: string) =>
            (due >= range.firstFrom && due < range.firstTo) ||
            (due >= range.dueFrom && due < range.dueTo) ||
            (due >= range.tailFrom && due < range.tailTo);
          expect(all.filter(isIn)).toEqual(
            all.filter((due) => isFrom(due, dueAfter) && (!dueBefore || !isFrom(due, dueBefore))),
          );
        },
      ),
      { numRuns: 3000 },
    );
  });

  it("T10 pages of a divided day continue where they ended", async () => {
    const query = { timeZone: "America/Los_Angeles", dueAfter: "2026-03-07", dueBefore: "2026-03-10", status: "open" };
    for (const sort of ["due", "-due", "createdAt"]) {
      const whole = await listed({ ...query, sort });
      for (const limit of [1, 3, 7]) expect(ids(await listed({ ...query, sort }, limit))).toEqual(ids(whole));
    }
    const dues = (await listed({ ...query, sort: "due" }, 2)).map(({ due }) => due ?? "");
    expect(dues).toEqual(dues.toSorted());
  });

  it("T10 an offset does the same for its instants", async () => {
    const found = async (after: string, before: string) =>
      (await listed({ dueAfter: after, dueBefore: before }))
        .filter(({ due }) => due?.length === 10)
        .map(({ due }) => due);
    expect(await found("2026-07-01T00:00:00-08:00", "2026-07-02T00:00:00-08:00")).toEqual(["2026-07-01"]);
    expect(await found("2026-07-01T00:00:00+14:00", "2026-07-02T00:00:00+14:00")).toEqual(["2026-07-01"]);
    expect(await found("2026-07-01T00:00:00Z", "2026-07-02T00:00:00Z")).toEqual(["2026-07-01"]);
    expect(await found("2026-07-01T10:00:00-08:00", "2026-07-01T20:00:00-08:00")).toEqual([]);
    // A plus sign that is not encoded is a space.
    const path = `${person.path}?dueAfter=2026-07-01T00:00:00+09:00&dueBefore=2026-07-02T00:00:00+09:00&limit=100`;
    const { data } = await ok<{ data: Task[] }>(await person.call(path));
    expect(data.filter(({ due }) => due?.length === 10).map(({ due }) => due)).toEqual(["2026-07-01"]);
  });

  it("T10 bounds without a zone are days and instants in UTC", async () => {
    const wanted = tasks.filter(({ due }) => due !== null && due >= "2026-07-01" && due < "2026-07-02");
    expect(ids(await listed({ dueAfter: "2026-07-01", dueBefore: "2026-07-02" }))).toEqual(ids(wanted));
    expect(ids(await listed({ dueAfter: "2026-07-01T00:00:00.000Z", dueBefore: "2026-07-02" }))).toEqual(ids(wanted));
    expect(await listed({ dueAfter: "2026-07-02", dueBefore: "2026-07-01", timeZone: "America/Los_Angeles" })).toEqual(
      [],
    );
    expect(ids(await listed({ timeZone: "Asia/Tokyo" }))).toEqual(ids(tasks));
    const sides = await Promise.all([
      listed({ dueBefore: "2026-07-01", timeZone: "America/Los_Angeles" }),
      listed({ dueAfter: "2026-07-01", timeZone: "America/Los_Angeles" }),
    ]);
    expect(ids(sides.flat())).toEqual(ids(tasks));
  });

  it("T10 S7 is one query, and reads two rows more at most", async () => {
    const rows = async (query: Record<string, string>) => {
      counter.spent();
      await person.list(`?${new URLSearchParams({ status: "open", sort: "due", limit: "20", ...query })}`);
      const { roundTrips, rowsRead } = counter.spent();
      expect(roundTrips).toBe(1);
      return rowsRead;
    };
    const day = { dueAfter: "2026-07-01", dueBefore: "2026-07-02" };
    const plain = await rows(day);
    for (const timeZone of ZONES) expect(await rows({ ...day, timeZone }), timeZone).toBeLessThanOrEqual(plain + 2);
  });

  it.each(["Mars/Olympus", "", "x".repeat(65), "../etc"])("T10 the zone %j is 400, and named", async (timeZone) => {
    const answer = await person.call(`${person.path}?${new URLSearchParams({ timeZone })}`);
    expect(answer.status).toBe(400);
    expect(await answer.json()).toMatchObject({
      errors: [{ path: "timeZone", message: expect.stringContaining("America") }],
    });
  });
});
