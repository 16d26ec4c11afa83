/** Liveness and readiness checks. */
import { createRoute, OpenAPIHono, z } from "@hono/zod-openapi";
import { version } from "../../package.json";
import { isMigrated } from "../db/client.ts";
import { problems } from "./openapi.ts";
import { Problem } from "./problem.ts";

/** Liveness: reads nothing. */
export const health = new OpenAPIHono().openapi(
  createRoute({
    method: "get",
    path: "/health",
    operationId: "health",
    tags: ["Status"],
    summary: "Liveness check, with the version",
    security: [],
    responses: {
      200: {
        description: "The Worker is running",
        content: { "application/json": { schema: z.object({ status: z.literal("ok"), version: z.string() }) } },
      },
    },
  }),
  (c) => c.json({ status: "ok" as const, version }, 200),
);

/** Readiness: D1 answers, and the migrations have been applied. */
export function createReadiness(d1: D1Database) {
  return new OpenAPIHono().openapi(
    createRoute({
      method: "get",
      path: "/ready",
      operationId: "ready",
      tags: ["Status"],
      summary: "Readiness check: the database answers",
      security: [],
      responses: {
        200: {
          description: "The database answers, and its migrations have been applied",
          content: { "application/json": { schema: z.object({ status: z.literal("ready") }) } },
        },
        ...problems(503),
      },
    }),
    async (c) => {
      if (!(await isMigrated(d1))) throw new Problem("database_not_migrated");
      return c.json({ status: "ready" as const }, 200);
    },
  );
}
