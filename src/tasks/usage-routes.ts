/** How much of what one user may have and do is used. */
import { createRoute, OpenAPIHono, z } from "@hono/zod-openapi";
import type { UserScope } from "../access/user-scope.ts";
import { headers, problems } from "../http/openapi.ts";
import { refuseInvalid } from "../http/validation.ts";
import { usageSchema } from "./model.ts";
import { userPath } from "./parameters.ts";

export const usageRoutes = new OpenAPIHono<UserScope>({ defaultHook: refuseInvalid }).openapi(
  createRoute({
    method: "get",
    path: "/",
    operationId: "readUsage",
    tags: ["Tasks"],
    summary: "Read how much of each quota is used",
    request: { params: userPath, query: z.strictObject({}) },
    responses: {
      200: {
        description: "What is used, what is allowed, and when the day's count begins anew",
        headers: headers({}),
        content: { "application/json": { schema: usageSchema } },
      },
      ...problems(400, 401, 403, 429, 503),
    },
  }),
  async (c) => c.json(await c.var.tasks.usage(), 200),
);
