/** `/batch` and other names would otherwise match `/{id}` with a wrong method: answer 405 with their own Allow. */
import { Hono } from "hono";
import { refuseMethod } from "../http/methods.ts";
import { syncRoutes } from "./sync-routes.ts";
import { transferRoutes } from "./transfer/routes.ts";

export const namedPaths = new Hono();

for (const { method, path } of [...syncRoutes.routes, ...transferRoutes.routes]) {
  namedPaths.all(path, (c) => refuseMethod(c, method === "GET" ? ["GET", "HEAD"] : [method]));
}
