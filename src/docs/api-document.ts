/** What the task API's document says besides its operations. */
import type { OpenAPIHono } from "@hono/zod-openapi";
import type { Env as HonoEnv } from "hono";
import { version } from "../../package.json";

const BOOKMARK = {
  name: "x-d1-bookmark",
  in: "header",
  required: false,
  schema: { type: "string" },
  description: "That of an earlier answer: whichever replica answers has seen what you had seen then",
};

/** Describes every operation that was declared, in OpenAPI 3.1, once. */
export function describeApi<Environment extends HonoEnv>(app: () => OpenAPIHono<Environment>) {
  let described: object | undefined;
  return (origin: string): object => {
    described ??= describe(app());
    return { ...described, servers: [{ url: origin }] };
  };
}

function describe<Environment extends HonoEnv>(app: OpenAPIHono<Environment>): object {
  app.openAPIRegistry.registerComponent("securitySchemes", "accessToken", {
    type: "http",
    scheme: "bearer",
    bearerFormat: "JWT",
    description: "An access token: `GET /api/auth/token` gives one for a session, and signing in carries one.",
  });
  const document = app.getOpenAPI31Document({
    openapi: "3.1.0",
    info: {
      title: "Edge Tasks",
      version,
      description:
        "Every call reaches the caller's own tasks and nobody else's. Accounts have a document of their own.",
      license: { name: "MIT", url: "https://opensource.org/license/mit" },
    },
    security: [{ accessToken: [] }],
    tags: [
      { name: "Tasks", description: "One at a time" },
      { name: "Sync", description: "Many at once, and what changed" },
      { name: "Transfer", description: "All of them, as files" },
      { name: "Status", description: "Of the Worker" },
    ],
  });
  return { ...document, paths: withBookmark(document.paths ?? {}) };
}

/** Every task operation takes a bookmark; the door looks at it, not the operation. */
function withBookmark(paths: Record<string, object>): Record<string, object> {
  const described = Object.entries(paths).map(([path, methods]) => {
    if (!path.startsWith("/api/v1/")) return [path, methods];
    const operations = Object.entries<{ parameters?: object[] }>({ ...methods }).map(([method, operation]) => {
      return [method, { ...operation, parameters: [...(operation.parameters ?? []), BOOKMARK] }];
    });
    return [path, Object.fromEntries(operations)];
  });
  return Object.fromEntries(described);
}
