/** The app's own route table, so that a sweep reaches routes nobody has written yet. */

import { env } from "cloudflare:workers";
import { createApp } from "../../src/app.ts";
import { exampleBody } from "./contract.ts";
import { settingsWith } from "./settings.ts";

const app = await createApp(settingsWith({}), env);

export type Route = { method: string; path: string; json?: object };

/** Every route under /api/v1, with `:userId` and `:id` filled in, and the body that the document gives as an example. */
export function guardedRoutes(user: string, id: string): Route[] {
  const routes = app.routes.filter(({ method, path }) => path.startsWith("/api/v1/") && method !== "ALL");
  const seen = new Set(routes.map(({ method, path }) => `${method} ${path}`));
  return [...seen].map((route) => {
    const [method = "", pattern = ""] = route.split(" ");
    const json = exampleBody(method, pattern.replaceAll(/:(\w+)/g, "{$1}"));
    return { method, path: pattern.replace(":userId", user).replace(/:\w+/g, id), ...(json && { json }) };
  });
}
