/** `hono/jwt` and Drizzle as their documentation shows them. It does not ask whether the session has ended. */
import { Hono } from "hono";
import { createMiddleware } from "hono/factory";
import { type JwtVariables, jwt } from "hono/jwt";
import { type Environment, tasks } from "./tasks.ts";

type Guarded = { Bindings: Environment["Bindings"]; Variables: Environment["Variables"] & JwtVariables };

const guard = createMiddleware<Guarded>((c, next) => jwt({ secret: c.env.BETTER_AUTH_SECRET, alg: "HS256" })(c, next));
const caller = createMiddleware<Guarded>(async (c, next) => {
  c.set("userId", c.get("jwtPayload").sub);
  await next();
});

export default new Hono<Guarded>().use("/tasks/*", guard, caller).route("/tasks", tasks);
