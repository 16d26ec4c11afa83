/** How much of each quota is used. */
import { createRoute, z } from "@hono/zod-openapi";
import { headers, problems } from "../http/openapi.ts";
import { Operations } from "../http/operations.ts";
import { usageSchema } from "./model.ts";
import { userPath } from "./parameters.ts";
import type { TaskVariables } from "./repository/repository.ts";

export const usageRoutes = new Operations<TaskVariables>().openapi(
  createRoute({
    method: "get",
    path: "/",
    operationId: "readUsage",
    tags: ["Tasks"],
    summary: "Read how much of each quota is used",
    request: { params: userPath, query: z.strictObject({}) },
    responses: {
      200: {
        description: "Each quota: used, limit, and when the daily count starts again",
        headers: headers({}),
        content: { "application/json": { schema: usageSchema } },
      },
      ...problems(400, 401, 403, 429, 503),
    },
  }),
  async (c) => c.json(await c.var.tasks.usage(), 200),
);
