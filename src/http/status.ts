/** Whether the Worker is alive, and whether it can serve. */
import { createRoute, OpenAPIHono, z } from "@hono/zod-openapi";
import { version } from "../../package.json";
import { probe } from "../db/client.ts";
import { problems } from "./openapi.ts";

/** Alive: asks nobody. */
export const health = new OpenAPIHono().openapi(
  createRoute({
    method: "get",
    path: "/health",
    operationId: "health",
    tags: ["Status"],
    summary: "Tell whether the Worker is alive, and its version",
    security: [],
    responses: {
      200: {
        description: "Alive",
        content: { "application/json": { schema: z.object({ status: z.literal("ok"), version: z.string() }) } },
      },
    },
  }),
  (c) => c.json({ status: "ok" as const, version }, 200),
);

/** Ready: D1 answers, and the migrations have been applied. */
export function createReadiness(d1: D1Database) {
  return new OpenAPIHono().openapi(
    createRoute({
      method: "get",
      path: "/ready",
      operationId: "ready",
      tags: ["Status"],
      summary: "Tell whether the Worker can serve",
      security: [],
      responses: {
        200: {
          description: "D1 answers, and is migrated",
          content: { "application/json": { schema: z.object({ status: z.literal("ready") }) } },
        },
        ...problems(503),
      },
    }),
    async (c) => {
      await probe(d1);
      return c.json({ status: "ready" as const }, 200);
    },
  );
}
