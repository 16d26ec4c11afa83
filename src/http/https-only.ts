/** Credentials are accepted over https only. */
import type { Context } from "hono";
import { createMiddleware } from "hono/factory";
import { isLoopback } from "../origin.ts";

/** Refuses plain http, except on this machine. */
export function requireHttps(refuse: (c: Context) => Response) {
  return createMiddleware(async (c, next) => {
    if (c.req.url.startsWith("http:") && !isLoopback(c.req.url)) return refuse(c);
    return next();
  });
}
