/** What the task API's document says besides its operations. */
import type { OpenAPIHono } from "@hono/zod-openapi";
import type { Env as HonoEnv } from "hono";
import { version } from "../../package.json";

/** Describes every operation that was declared, in OpenAPI 3.1. */
export function describeApi<Environment extends HonoEnv>(app: OpenAPIHono<Environment>, origin: string) {
  app.openAPIRegistry.registerComponent("securitySchemes", "accessToken", {
    type: "http",
    scheme: "bearer",
    bearerFormat: "JWT",
    description: "An access token: `GET /api/auth/token` gives one for a session, and signing in carries one.",
  });
  return app.getOpenAPI31Document({
    openapi: "3.1.0",
    info: {
      title: "Edge Tasks",
      version,
      description:
        "Every call reaches the caller's own tasks and nobody else's. Accounts have a document of their own.",
      license: { name: "MIT", url: "https://opensource.org/license/mit" },
    },
    servers: [{ url: origin }],
    security: [{ accessToken: [] }],
    tags: [
      { name: "Tasks", description: "One at a time" },
      { name: "Sync", description: "Many at once, and what changed" },
      { name: "Transfer", description: "All of them, as files" },
      { name: "Status", description: "Of the Worker" },
    ],
  });
}
