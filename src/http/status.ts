/** Whether the Worker is alive, and whether it can serve. */
import { Hono } from "hono";
import { version } from "../../package.json";
import { probe } from "../db/client.ts";

/** Alive: asks nobody. */
export const health = new Hono().get("/health", (c) => c.json({ status: "ok", version }));

/** Ready: D1 answers, and the migrations have been applied. */
export function createReadiness(d1: D1Database) {
  return new Hono().get("/ready", async (c) => {
    await probe(d1);
    return c.json({ status: "ready" });
  });
}
