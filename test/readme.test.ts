import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { AUTH_ENDPOINTS } from "../src/auth/endpoints.ts";
import { taskRoutes } from "../src/tasks/routes.ts";
import { syncRoutes } from "../src/tasks/sync-routes.ts";
import { transferRoutes } from "../src/tasks/transfer/routes.ts";

/** The rows of the table under a heading, as "METHOD path". */
function endpoints(heading: string): string[] {
  const section = env.README.split(`### ${heading}`)[1]?.split("\n##")[0] ?? "";
  return [...section.matchAll(/^\| ([A-Z]+) +\| `([^`]+)` +\|/gm)].map(([, method, path]) => `${method} ${path}`);
}

describe("the README's tables of endpoints", () => {
  it("R3 list every account endpoint, and no other", () => {
    expect(endpoints("Accounts")).toEqual(AUTH_ENDPOINTS.map(({ method, path }) => `${method} ${path}`));
  });

  it("R3 list every task operation, and no other", () => {
    const definitions = [taskRoutes, syncRoutes, transferRoutes].flatMap((each) => each.openAPIRegistry.definitions);
    const routes = definitions.flatMap((definition) =>
      definition.type === "route" ? [`${definition.route.method.toUpperCase()} ${definition.route.path}`] : [],
    );
    expect(endpoints("Tasks")).toEqual(routes);
  });
});
