/**
 * The totals of a user's tasks: their number, the bytes of their text, and today's changes. Each change writes the row with
 * the user's newest revision anyway, and that row holds the totals after it. So the totals cost no row of their own, cannot
 * differ from the tasks, and the statement that takes the next revision also checks the quotas.
 */
import { type Placeholder, type SQL, sql } from "drizzle-orm";
import { SessionEnded } from "../../db/session-ended.ts";
import { statement } from "../../db/statement.ts";
import type { Quotas } from "../../env.ts";
import { DAY_MS } from "../../time.ts";
import type { OverQuota } from "../outcomes.ts";
import { maxBytes, maxChanges, maxTasks, today, userId } from "./bindings.ts";
import { hasActiveSession, type TaskQueryContext } from "./context.ts";
import { task } from "./table.ts";

/** The totals and the newest revision. Bytes count text as it is stored; the trash is counted apart. */
export type Totals = { revision: number; live: number; open: number; bytes: number; trash: number; changes: number };

/** What a change adds to the totals. `isFree`: whether it is allowed even when the day's changes are used up. */
export type Growth = {
  live?: 1 | -1;
  open?: SQL;
  bytes?: SQL | Placeholder;
  trash?: SQL;
  isFree?: SQL | Placeholder;
};

export type QuotaName = keyof Quotas;
type ExceededQuota = OverQuota["quota"];

const ONE = sql`1`;
const NONE = sql`0`;

/** A statement may run after midnight, or on a slow clock: it then counts for today. */
const changesToday = sql`iif(changes_day in (${today}, ${today} + 1), changes_total, 0)`;

/** A query for the totals: one row, or none for a user without tasks. 1 row read. */
export const newestTotals = sql`(select revision, live_total as live, open_total as open, bytes_total as bytes,
  trash_total as trash, ${changesToday} as changes, changes_day as day from ${task} where user_id = ${userId}
  order by revision desc limit 1)`;

/** The same, always one row. Name it `before`. 2 rows read. */
export const totalsBefore = sql`(select coalesce(newest.revision, 0) as revision, coalesce(newest.live, 0) as live,
  coalesce(newest.open, 0) as open, coalesce(newest.bytes, 0) as bytes, coalesce(newest.trash, 0) as trash,
  coalesce(newest.changes, 0) as changes, coalesce(newest.day, 0) as day
  from (select 1) left join ${newestTotals} as newest)`;

/**
 * Whether the session is active, and the totals: as one text, of all the user's tasks. Beside max(), SQLite takes the other
 * columns from the same row. 2 rows read.
 * @see https://www.sqlite.org/lang_select.html#bareagg
 */
export const summary = sql`json_array(${hasActiveSession},
  coalesce(max(revision), 0), live_total, open_total, bytes_total, ${changesToday})`;

const SUMMARY = statement<{ summary: string }>(
  sql`select ${summary} as summary from ${task} where user_id = ${userId}`,
);

/** What a summary says of a user's tasks. */
export type Summary = Omit<Totals, "trash">;

/**
 * Reads the newest revision and the totals. 2 rows read.
 * @throws {SessionEnded}
 */
export async function readSummary({ run }: Pick<TaskQueryContext, "run">): Promise<Summary> {
  const [row] = await run({ statement: SUMMARY, values: {} });
  return parseSummary(row);
}

/**
 * Parses the summary that stands in a row.
 * @throws {SessionEnded}
 */
export function parseSummary(row: { summary: string | null } | undefined): Summary {
  const [isActive = 0, revision, live, open, bytes, changes] = JSON.parse(row?.summary ?? "[]") as (number | null)[];
  if (isActive !== 1) throw new SessionEnded();
  return { revision: revision ?? 0, live: live ?? 0, open: open ?? 0, bytes: bytes ?? 0, changes: changes ?? 0 };
}

/** The columns of the totals after a change, from those `before`. `step` is the number of changes so far. */
export function totalsAfter(
  { live, open = NONE, bytes = NONE, trash = NONE }: Growth,
  step: SQL = ONE,
): [string, SQL][] {
  return [
    ["revision", sql`before.revision + ${step}`],
    ["live_total", sql`before.live + ${liveOf(live)}`],
    ["open_total", sql`before.open + ${open}`],
    ["bytes_total", sql`before.bytes + ${bytes}`],
    ["trash_total", sql`max(0, before.trash + ${trash})`],
    ["changes_total", sql`before.changes + ${step}`],
    ["changes_day", sql`iif(before.day = ${today} + 1, before.day, ${today})`],
  ];
}

/** An expression that names the quota which a change would exceed, or is null. It refers to `before`. */
export function exceededBy({ live, bytes, isFree = NONE }: Growth): SQL {
  const cases = [sql`when not ${isFree} and before.changes >= ${maxChanges} then 'changesPerDay'`];
  if (bytes) cases.unshift(sql`when ${bytes} > 0 and before.bytes + ${bytes} > ${maxBytes} then 'bytes'`);
  if (live === 1) cases.unshift(sql`when before.live + 1 > ${maxTasks} then 'tasks'`);
  return sql`case ${sql.join(cases, sql` `)} end`;
}

/** A quota's limit and use, and when its count starts again. */
export function exceededQuota(
  { quotas, now }: Pick<TaskQueryContext, "quotas" | "now">,
  name: QuotaName,
  { live, bytes, changes }: Pick<Totals, "live" | "bytes" | "changes">,
): ExceededQuota {
  const used = { tasks: live, bytes, changesPerDay: changes }[name];
  return { name, limit: quotas[name], used, renewsAt: name === "changesPerDay" ? startOfTomorrow(now()) : null };
}

/** The next midnight in UTC. */
export function startOfTomorrow(now: number): string {
  return new Date((Math.floor(now / DAY_MS) + 1) * DAY_MS).toISOString();
}

function liveOf(live: Growth["live"]): SQL {
  return sql.raw(String(live ?? 0));
}
