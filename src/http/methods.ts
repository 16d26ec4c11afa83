/** Refuses methods and paths that do not exist. */
import type { Context, Env, Hono } from "hono";
import { methodNotAllowed } from "hono/method-not-allowed";
import { Problem, problemResponse, refuse } from "./problem.ts";

/** Answers 405 with the methods that the path supports. */
export function refuseMethod(c: Context, allowed: string[]): Response {
  return problemResponse(c, new Problem("method_not_allowed", { allowed }, { Allow: allowed.join(", ") }));
}

/** Answers 404; or 405 where the path exists with another method. */
export function refusePath<E extends Env>(app: Hono<E>) {
  const tellMethods = methodNotAllowed({ app, onMethodNotAllowed: refuseMethod });
  return async (c: Context): Promise<Response> => {
    c.res = refuse(c, "not_found");
    await tellMethods(c, async () => {});
    return c.res;
  };
}
