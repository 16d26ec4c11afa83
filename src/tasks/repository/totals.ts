/**
 * The totals of a user's tasks: their number, the bytes of their text, and today's changes. Each change writes the row with
 * the user's newest revision anyway, and that row holds the totals after it. So the totals cost no row of their own, cannot
 * differ from the tasks, and the statement that takes the next revision also checks the quotas.
 */
import { type SQL, sql } from "drizzle-orm";
import type { Quotas } from "../../env.ts";
import { DAY_MS } from "../../time.ts";
import type { OverQuota } from "../outcomes.ts";
import { task } from "./table.ts";

/** The totals and the newest revision. Bytes count text as it is stored; the trash is counted apart. */
export type Totals = { revision: number; live: number; open: number; bytes: number; trash: number; changes: number };

/** What a change adds to the totals. `isFree`: it is allowed even when the day's changes are used up. */
export type Growth = {
  live?: number;
  open?: SQL | number;
  bytes?: SQL | number;
  trash?: SQL | number;
  isFree?: boolean;
};

export type QuotaName = keyof Quotas;
type ExceededQuota = OverQuota["quota"];

export type TotalsInSql = ReturnType<typeof createTotals>;

export function createTotals(userId: string, quotas: Quotas, now: () => number) {
  const day = () => Math.floor(now() / DAY_MS);
  // A statement may run after midnight, or on a slow clock: it then counts for today.
  const changesToday = () => sql`iif(changes_day in (${day()}, ${day() + 1}), changes_total, 0)`;
  const newest = (): SQL =>
    sql`(select revision, live_total as live, open_total as open, bytes_total as bytes, trash_total as trash,
      ${changesToday()} as changes, changes_day as day from ${task} where user_id = ${userId} order by revision desc limit 1)`;

  return {
    quotas,

    /**
     * A query for the totals, one row, for statements that read. Name it `before`. 1 row read.
     * Beside max(), SQLite takes the other columns from the same row.
     * @see https://www.sqlite.org/lang_select.html#bareagg
     */
    before: (): SQL =>
      sql`(select coalesce(max(revision), 0) as revision, coalesce(live_total, 0) as live,
        coalesce(open_total, 0) as open, coalesce(bytes_total, 0) as bytes, coalesce(trash_total, 0) as trash,
        ${changesToday()} as changes, coalesce(changes_day, 0) as day from ${task} where user_id = ${userId})`,

    /** The same for statements that create: in a write, SQLite would read all rows to find a maximum. 2 rows read. */
    beforeCreating: (): SQL =>
      sql`(select coalesce(newest.revision, 0) as revision, coalesce(newest.live, 0) as live,
        coalesce(newest.open, 0) as open, coalesce(newest.bytes, 0) as bytes, coalesce(newest.trash, 0) as trash,
        coalesce(newest.changes, 0) as changes, coalesce(newest.day, 0) as day from (select 1) left join ${newest()} as newest)`,

    /** The same for statements that change a task: then a newest row exists. 1 row read. */
    beforeChanging: newest,

    /** The columns of the totals after a change, from those `before`. `step` is the number of changes so far. */
    after: ({ live = 0, open = 0, bytes = 0, trash = 0 }: Growth, step: SQL = sql`1`): [string, SQL][] => [
      ["revision", sql`before.revision + ${step}`],
      ["live_total", sql`before.live + ${live}`],
      ["open_total", sql`before.open + ${open}`],
      ["bytes_total", sql`before.bytes + ${bytes}`],
      ["trash_total", sql`max(0, before.trash + ${trash})`],
      ["changes_total", sql`before.changes + ${step}`],
      ["changes_day", sql`iif(before.day = ${day() + 1}, before.day, ${day()})`],
    ],

    /** An expression that names the quota which a change would exceed, or is null. It refers to `before`. */
    exceeded({ live = 0, bytes = 0, isFree = false }: Growth): SQL {
      const cases: SQL[] = [];
      if (live > 0) cases.push(sql`when before.live + ${live} > ${quotas.tasks} then 'tasks'`);
      if (bytes !== 0) {
        cases.push(sql`when ${bytes} > 0 and before.bytes + ${bytes} > ${quotas.bytes} then 'bytes'`);
      }
      if (!isFree) cases.push(sql`when before.changes >= ${quotas.changesPerDay} then 'changesPerDay'`);
      return cases.length === 0 ? sql`null` : sql`case ${sql.join(cases, sql` `)} end`;
    },

    /** A quota's limit and use, and when its count starts again. */
    exceededQuota(
      name: QuotaName,
      { live, bytes, changes }: Pick<Totals, "live" | "bytes" | "changes">,
    ): ExceededQuota {
      const used = { tasks: live, bytes, changesPerDay: changes }[name];
      const renewsAt = name === "changesPerDay" ? startOfTomorrow(now()) : null;
      return { name, limit: quotas[name], used, renewsAt };
    },
  };
}

/** The next midnight in UTC. */
export function startOfTomorrow(now: number): string {
  return new Date((Math.floor(now / DAY_MS) + 1) * DAY_MS).toISOString();
}
