/**
 * Deletes expired rows of a table, in bounded chunks. A run stops after some chunks and stores its place; the next run
 * continues there. So no run holds the database for long. Reading rows that are still good costs a thousandth of what an
 * index on every expiry would cost in writes.
 */
import { sqliteTable, text } from "drizzle-orm/sqlite-core";

const CHUNK_ROWS = 500;
const MAX_CHUNKS = 40;

/** Where a rule stopped whose table was too long for one run. */
export const housekeeping = sqliteTable("housekeeping", {
  /** The rule's name. */
  chore: text("chore").primaryKey(),
  stoppedAt: text("stopped_at").notNull(),
});

/** What a feature keeps in one table, and for how long. Conditions are SQL; `?2` stands for now minus `keepMs`. */
export type CleanupRule = {
  /** Unique. It names the rule in the log and in the table above. */
  name: string;
  table: string;
  /** The column by which the table is walked, and a value below its first. */
  key: string;
  start: string | number;
  keepMs: number;
  /** Which rows are read. All, if left out. */
  candidateWhere?: string;
  /** Which of the rows that were read expire. All, if left out. */
  deleteWhere?: string;
  /** Updates expired rows in place of deleting them. `first` runs before, where `@chunk` stands for those rows. */
  update?: { set: string; first: string };
};

/**
 * Applies one rule.
 * @param now Unix milliseconds
 * @returns how many rows were deleted or updated
 */
export async function cleanUp(d1: D1Database, rule: CleanupRule, now: number): Promise<number> {
  const { name, table, key, start, keepMs, candidateWhere, deleteWhere = "true", update } = rule;
  const before = now - keepMs;
  const action = update ? `update ${table} set ${update.set}` : `delete from ${table}`;
  const ahead = `${key} > ?1${candidateWhere ? ` and ${candidateWhere}` : ""}`;
  const chunk = `select ${key} as at from ${table} where ${ahead} order by ${key} limit ${CHUNK_ROWS}`;
  const chunkEnd = d1.prepare(`select max(at) as at from (${chunk})`);
  const isInChunk = `${ahead} and ${key} <= (select max(at) from (${chunk}))`;
  const removal = d1.prepare(`${action} where ${isInChunk} and ${deleteWhere}`);
  const first = update && d1.prepare(update.first.replaceAll("@chunk", isInChunk));

  let after = await takePlace(d1, name, start);
  let cleared = 0;
  for (let count = 0; count < MAX_CHUNKS; count += 1) {
    const results: D1Result<{ at: string | number | null }>[] = await d1.batch<{ at: string | number | null }>([
      candidateWhere ? chunkEnd.bind(after, before) : chunkEnd.bind(after),
      ...(first ? [first.bind(after, before)] : []),
      removal.bind(after, before),
    ]);
    const [end, removed] = [results[0]?.results[0]?.at ?? null, results.at(-1)];
    cleared += removed?.meta.changes ?? 0;
    if (end === null) return cleared;
    after = end;
  }
  await d1.prepare("insert or replace into housekeeping values (?1, ?2)").bind(name, String(after)).run();
  return cleared;
}

/** Where the last run stopped. The place is deleted, so that the run after one that fails begins at the start. */
async function takePlace(d1: D1Database, name: string, start: string | number): Promise<string | number> {
  const place = await d1
    .prepare("delete from housekeeping where chore = ?1 returning stopped_at as at")
    .bind(name)
    .first<{ at: string }>();
  if (!place) return start;
  return typeof start === "number" ? Number(place.at) : place.at;
}
