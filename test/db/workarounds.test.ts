/** Faults of Drizzle that src/db/workarounds works around. A test that turns red says that its file can go. */
import { env } from "cloudflare:workers";
import { sql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import { expect, it } from "vitest";
import { rawQuery } from "../../src/db/workarounds/raw-query.ts";

const db = drizzle(env.DB);

it("S8 raw-query.ts: without it, a written-out query with a parameter throws in a batch", async () => {
  await expect((async () => db.batch([db.all(sql`select ${1} as one`)]))()).rejects.toThrow();
  expect(await db.batch([rawQuery(db, sql`select ${1} as one`)])).toEqual([[{ one: 1 }]]);
});
