/**
 * Clears what has run out. It walks each table in bounded chunks, and stops after so many: the next run goes on from there,
 * so that a large table is walked over several runs, and no run holds the database for long. Reading past rows that are
 * still good costs a thousandth of what an index on every expiry would cost in writes.
 */
import { sqliteTable, text } from "drizzle-orm/sqlite-core";
import { KNOWN_SOURCE_DAYS } from "./auth/throttling/source.ts";
import { logEvent } from "./http/request-log.ts";
import { FEED_DAYS } from "./tasks/changes.ts";
import { TRASH_DAYS } from "./tasks/model.ts";
import { FORGOTTEN } from "./tasks/row.ts";
import { DAY_MS } from "./time.ts";

const CHUNK_ROWS = 500;
const MAX_CHUNKS = 40;
/** A day longer than the change feed needs them, for clocks differ. */
export const TOMBSTONE_DAYS = FEED_DAYS + 1;
/** How long a repeated idempotency key is recognized. */
export const RECEIPT_DAYS = 2;

/** Where a chore stopped that was too long for one run. */
export const housekeeping = sqliteTable("housekeeping", {
  chore: text("chore").primaryKey(),
  stoppedAt: text("stopped_at").notNull(),
});

/**
 * A table, the column by which it is walked and where that begins, how old its rows grow, and in SQL which of them go,
 * where `?2` is then, or what else is done to them. `first` is done before, to what belongs to them: `@chunk` are they.
 */
type Chore = {
  table: string;
  key: string;
  start: string | number;
  keepMs: number;
  looksAt?: string;
  goes: string;
  instead?: { name: string; action: string; first: string };
};

const CHORES: Chore[] = [
  { table: "session", key: "id", start: "", keepMs: 0, goes: "expires_at < ?2" },
  { table: "verification", key: "id", start: "", keepMs: 0, goes: "expires_at < ?2" },
  { table: "mailed_link", key: "digest", start: "", keepMs: 0, goes: "expires_at < ?2" },
  { table: "throttle", key: "ends_at", start: 0, keepMs: 0, looksAt: "ends_at < ?2", goes: "true" },
  { table: "known_source", key: "user_id", start: "", keepMs: KNOWN_SOURCE_DAYS * DAY_MS, goes: "used_at < ?2" },
  {
    table: "receipt",
    key: "user_id",
    start: "",
    keepMs: RECEIPT_DAYS * DAY_MS,
    looksAt: "created_at < ?2",
    goes: "true",
  },
  {
    // What can no longer be restored is forgotten; that it was deleted, the change feed still tells.
    table: "task",
    key: "deleted_at",
    start: 0,
    keepMs: TRASH_DAYS * DAY_MS,
    looksAt: "deleted_at < ?2 and title <> ''",
    goes: "true",
    instead: {
      name: "trash",
      action: `update task set ${Object.entries(FORGOTTEN)
        .map(([column, empty]) => `${column} = ${empty}`)
        .join(", ")}`,
      // The trash has room again: the row with the newest revision says how much.
      first: `with gone as materialized (select user_id, bytes from task where @chunk)
        update task set trash_total = max(0, trash_total - (
          select sum(gone.bytes) from gone where gone.user_id = task.user_id))
        where (user_id, revision) in (
          select owner.user_id, (select max(newest.revision) from task as newest where newest.user_id = owner.user_id)
          from (select distinct user_id from gone) as owner)`,
    },
  },
  {
    // The tombstone that holds a user's newest revision stays: the next revision is counted from it.
    table: "task",
    key: "deleted_at",
    start: 0,
    keepMs: TOMBSTONE_DAYS * DAY_MS,
    looksAt: "deleted_at < ?2",
    goes: "revision < (select max(newest.revision) from task as newest where newest.user_id = task.user_id)",
  },
];

type Place = { at: string };

/**
 * Does all chores.
 * @param now Unix milliseconds
 * @returns how many rows went, by table; `trash`: how many deleted tasks lost their contents
 */
export async function keepHouse(d1: D1Database, now: number): Promise<Record<string, number>> {
  const cleared: Record<string, number> = {};
  const failures: unknown[] = [];
  for (const chore of CHORES) {
    const name = chore.instead?.name ?? chore.table;
    // One that fails keeps none of the others from being done.
    try {
      cleared[name] = await clear(d1, name, chore, now - chore.keepMs);
    } catch (error) {
      failures.push(error);
    }
  }
  logEvent("info", "housekeeping", { cleared });
  if (failures.length > 0) throw failures[0];
  return cleared;
}

async function clear(d1: D1Database, name: string, chore: Chore, before: number): Promise<number> {
  const { table, key, start, looksAt, goes } = chore;
  const action = chore.instead?.action ?? `delete from ${table}`;
  const ahead = `${key} > ?1${looksAt ? ` and ${looksAt}` : ""}`;
  const chunk = `select ${key} as at from ${table} where ${ahead} order by ${key} limit ${CHUNK_ROWS}`;
  const chunkEnd = d1.prepare(`select max(at) as at from (${chunk})`);
  const isInChunk = `${ahead} and ${key} <= (select max(at) from (${chunk}))`;
  const removal = d1.prepare(`${action} where ${isInChunk} and ${goes}`);
  const first = chore.instead && d1.prepare(chore.instead.first.replaceAll("@chunk", isInChunk));

  // A run that fails leaves no place, so that the next one begins at the start.
  const place = await d1
    .prepare("delete from housekeeping where chore = ?1 returning stopped_at as at")
    .bind(name)
    .first<Place>();
  let cleared = 0;
  let after = place ? (typeof start === "number" ? Number(place.at) : place.at) : start;
  for (let count = 0; count < MAX_CHUNKS; count += 1) {
    const results: D1Result<{ at: string | number | null }>[] = await d1.batch<{ at: string | number | null }>([
      looksAt ? chunkEnd.bind(after, before) : chunkEnd.bind(after),
      ...(first ? [first.bind(after, before)] : []),
      removal.bind(after, before),
    ]);
    const [ends, gone] = [results[0], results.at(-1)];
    cleared += gone?.meta.changes ?? 0;
    const end = ends?.results[0]?.at ?? null;
    if (end === null) return cleared;
    after = end;
  }
  await d1.prepare("insert or replace into housekeeping values (?1, ?2)").bind(name, String(after)).run();
  return cleared;
}
