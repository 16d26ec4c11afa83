/** Better Auth's `getSession` in each request, with Drizzle: what Better Auth's documentation shows for Hono. */

import { env } from "cloudflare:workers";
import { betterAuth } from "better-auth";
import { drizzleAdapter } from "better-auth/adapters/drizzle";
import { drizzle } from "drizzle-orm/d1";
import { Hono } from "hono";
import { createMiddleware } from "hono/factory";
import * as schema from "../../src/auth/tables.ts";
import { type Bindings, type Environment, tasks } from "./tasks.ts";

const bindings = env as unknown as Bindings;
const auth = betterAuth({
  secret: bindings.BETTER_AUTH_SECRET,
  baseURL: "https://tasks.bench",
  database: drizzleAdapter(drizzle(bindings.DB, { schema }), { provider: "sqlite", schema }),
  emailAndPassword: { enabled: true },
});

const guard = createMiddleware<Environment>(async (c, next) => {
  const found = await auth.api.getSession({ headers: c.req.raw.headers });
  if (!found) return c.json({ error: "unauthorized" }, 401);
  c.set("userId", found.user.id);
  return next();
});

export default new Hono<Environment>().use("/tasks/*", guard).route("/tasks", tasks);
