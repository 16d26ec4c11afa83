/** The app's own route table, so that a sweep reaches routes nobody has written yet. */

import { env } from "cloudflare:workers";
import { createApp } from "../../src/app.ts";
import { settingsWith } from "./apps.ts";

const app = await createApp(settingsWith({}), env);

/** Every route under /api/v1, with `:userId` and `:id` filled in. */
export function guardedRoutes(user: string, id: string): { method: string; path: string }[] {
  const routes = app.routes.filter(({ method, path }) => path.startsWith("/api/v1/") && method !== "ALL");
  const seen = new Set(routes.map(({ method, path }) => `${method} ${path}`));
  return [...seen].map((route) => {
    const [method = "", pattern = ""] = route.split(" ");
    return { method, path: pattern.replace(":userId", user).replace(/:\w+/g, id) };
  });
}
