/** The OpenAPI document of the task API. */
import type { OpenAPIHono } from "@hono/zod-openapi";
import type { Env as HonoEnv } from "hono";
import { version } from "../../package.json";
import { BOOKMARK_HEADER } from "../http/headers.ts";

const BOOKMARK_PARAMETER = {
  name: BOOKMARK_HEADER,
  in: "header",
  required: false,
  schema: { type: "string" },
  description: "The bookmark of an earlier answer; guarantees data that is at least as recent",
};

/** Returns a function that describes all operations in OpenAPI 3.1. They are collected once. */
export function describeTasks<Environment extends HonoEnv>(app: () => OpenAPIHono<Environment>) {
  let described: object | undefined;
  return (origin: string): object => {
    described ??= describeOperations(app());
    return { ...described, servers: [{ url: origin }] };
  };
}

function describeOperations<Environment extends HonoEnv>(app: OpenAPIHono<Environment>): object {
  app.openAPIRegistry.registerComponent("securitySchemes", "accessToken", {
    type: "http",
    scheme: "bearer",
    bearerFormat: "JWT",
    description:
      "An access token. `GET /api/auth/token` returns one for a session; signing in returns one in `set-auth-jwt`.",
  });
  const document = app.getOpenAPI31Document({
    openapi: "3.1.0",
    info: {
      title: "Edge Tasks",
      version,
      description: "Every call reaches the caller's own tasks only. Account endpoints have their own document.",
      license: { name: "MIT", url: "https://opensource.org/license/mit" },
    },
    security: [{ accessToken: [] }],
    tags: [
      { name: "Tasks", description: "Single tasks" },
      { name: "Sync", description: "Batches and the change feed" },
      { name: "Transfer", description: "Import and export" },
      { name: "Status", description: "Health" },
    ],
  });
  return withDefaultsDescribed({ ...document, paths: withBookmark(document.paths ?? {}) });
}

/**
 * Says in words what a field is when it is left out of a body: generators take a `default` for a field that is always there.
 */
function withDefaultsDescribed<Document extends { components?: object }>(document: Document): Document {
  const components = JSON.parse(JSON.stringify(document.components ?? {}), (_, schema: unknown) => {
    if (typeof schema !== "object" || schema === null || !("default" in schema)) return schema;
    const { default: value, ...others } = schema as { default: unknown; description?: string };
    const left = `Left out: \`${JSON.stringify(value)}\``;
    return { ...others, description: others.description === undefined ? left : `${others.description}. ${left}` };
  });
  return { ...document, components };
}

/** Adds the bookmark, which the guard reads, to every task operation. */
function withBookmark(paths: Record<string, object>): Record<string, object> {
  const described = Object.entries(paths).map(([path, methods]) => {
    if (!path.startsWith("/api/v1/")) return [path, methods];
    const operations = Object.entries<{ parameters?: object[] }>({ ...methods }).map(([method, operation]) => {
      return [method, { ...operation, parameters: [...(operation.parameters ?? []), BOOKMARK_PARAMETER] }];
    });
    return [path, Object.fromEntries(operations)];
  });
  return Object.fromEntries(described);
}
