/**
 * What is true of all of a user's tasks: how many there are, how long their text is, how often they changed today. Each
 * change writes the row with the user's newest revision, and that row says what is true after it. So the totals cost no
 * row of their own, cannot differ from the tasks, and the statement that takes the next revision checks the quotas.
 */
import { type SQL, sql } from "drizzle-orm";
import type { Quotas } from "../env.ts";
import { DAY_MS } from "../time.ts";
import { task } from "./table.ts";

/** The totals, with the newest revision. Bytes are those of text as it is stored; the trash has a count of its own. */
export type Totals = { revision: number; live: number; open: number; bytes: number; trash: number; changes: number };

/** What a change adds. `isFree`: it is made even when the day's changes are used up. */
export type Growth = {
  live?: number;
  open?: SQL | number;
  bytes?: SQL | number;
  trash?: SQL | number;
  isFree?: boolean;
};

export type QuotaName = keyof Quotas;

/** A quota that would be exceeded: how much is allowed, how much is used, and when the count begins anew. */
export type ExceededQuota = { name: QuotaName; limit: number; used: number; renewsAt: string | null };

export type TotalsInSql = ReturnType<typeof createTotals>;

export function createTotals(userId: string, quotas: Quotas, now: () => number) {
  const day = () => Math.floor(now() / DAY_MS);
  // Clocks differ, and statements wait: one of yesterday that comes late counts for today.
  const changesToday = () => sql`iif(changes_day in (${day()}, ${day() + 1}), changes_total, 0)`;
  const newest = (): SQL =>
    sql`(select revision, live_total as live, open_total as open, bytes_total as bytes, trash_total as trash,
      ${changesToday()} as changes, changes_day as day from ${task} where user_id = ${userId} order by revision desc limit 1)`;

  return {
    quotas,

    /**
     * A query of one row, for statements that read: the totals. Name it `before`. 1 row read.
     * Beside max() the other columns are those of its row.
     * @see https://www.sqlite.org/lang_select.html#bareagg
     */
    before: (): SQL =>
      sql`(select coalesce(max(revision), 0) as revision, coalesce(live_total, 0) as live,
        coalesce(open_total, 0) as open, coalesce(bytes_total, 0) as bytes, coalesce(trash_total, 0) as trash,
        ${changesToday()} as changes, coalesce(changes_day, 0) as day from ${task} where user_id = ${userId})`,

    /** The same for statements that create: within a write, SQLite finds no maximum without reading all. 2 rows read. */
    beforeCreating: (): SQL =>
      sql`(select coalesce(newest.revision, 0) as revision, coalesce(newest.live, 0) as live,
        coalesce(newest.open, 0) as open, coalesce(newest.bytes, 0) as bytes, coalesce(newest.trash, 0) as trash,
        coalesce(newest.changes, 0) as changes, coalesce(newest.day, 0) as day from (select 1) left join ${newest()} as newest)`,

    /** The same for statements that change a task, whose user has a newest one. 1 row read. */
    beforeChanging: newest,

    /** The columns that hold the totals after a change, from those `before`; `step` counts the changes so far. */
    after: ({ live = 0, open = 0, bytes = 0, trash = 0 }: Growth, step: SQL = sql`1`): [string, SQL][] => [
      ["revision", sql`before.revision + ${step}`],
      ["live_total", sql`before.live + ${live}`],
      ["open_total", sql`before.open + ${open}`],
      ["bytes_total", sql`before.bytes + ${bytes}`],
      ["trash_total", sql`max(0, before.trash + ${trash})`],
      ["changes_total", sql`before.changes + ${step}`],
      ["changes_day", sql`iif(before.day = ${day() + 1}, before.day, ${day()})`],
    ],

    /** Names the quota that a change would exceed, or is null; where `before` can be seen. */
    exceeded({ live = 0, bytes = 0, isFree = false }: Growth): SQL {
      const cases: SQL[] = [];
      if (live > 0) cases.push(sql`when before.live + ${live} > ${quotas.tasks} then 'tasks'`);
      if (bytes !== 0) {
        cases.push(sql`when ${bytes} > 0 and before.bytes + ${bytes} > ${quotas.bytes} then 'bytes'`);
      }
      if (!isFree) cases.push(sql`when before.changes >= ${quotas.changesPerDay} then 'changesPerDay'`);
      return cases.length === 0 ? sql`null` : sql`case ${sql.join(cases, sql` `)} end`;
    },

    describe: (name: QuotaName, totals: Pick<Totals, "live" | "bytes" | "changes">): ExceededQuota =>
      describeQuota(name, totals, quotas, now()),
  };
}

/** Tells of a quota how much is allowed and used, and when the count begins anew. */
export function describeQuota(
  name: QuotaName,
  { live, bytes, changes }: Pick<Totals, "live" | "bytes" | "changes">,
  quotas: Quotas,
  now: number,
): ExceededQuota {
  const used = { tasks: live, bytes, changesPerDay: changes }[name];
  const renewsAt = name === "changesPerDay" ? startOfTomorrow(now) : null;
  return { name, limit: quotas[name], used, renewsAt };
}

/** The midnight of UTC that ends the day. */
export function startOfTomorrow(now: number): string {
  return new Date((Math.floor(now / DAY_MS) + 1) * DAY_MS).toISOString();
}
