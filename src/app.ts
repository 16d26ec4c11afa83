/** The map: every prefix, who guards it, and the edge around it all. */
import type { Context } from "hono";
import { except } from "hono/combine";
import { methodNotAllowed } from "hono/method-not-allowed";
import {
  type Authenticated,
  limitCallsPerUser,
  limitSearches,
  openUserScope,
  requireAccessToken,
} from "./access/user-scope.ts";
import { authFailure } from "./auth/failure.ts";
import { type AuthBindings, createAuthRoutes } from "./auth/routes.ts";
import { describeApi } from "./docs/api-document.ts";
import { createDocs } from "./docs/routes.ts";
import type { Settings } from "./env.ts";
import { limitAtOnce } from "./http/at-once.ts";
import { importBody, jsonBody } from "./http/body.ts";
import { createEdge } from "./http/edge.ts";
import { requireHttps } from "./http/origin.ts";
import { Problem, problemResponse } from "./http/problem.ts";
import { logMisconfiguration } from "./http/request-log.ts";
import { createReadiness, health } from "./http/status.ts";
import { deriveCursorKeys } from "./tasks/cursor.ts";
import { taskRoutes } from "./tasks/routes.ts";
import { syncRoutes } from "./tasks/sync-routes.ts";
import { transferRoutes } from "./tasks/transfer/routes.ts";
import { usageRoutes } from "./tasks/usage-routes.ts";
import { linkPages } from "./web/link-pages.ts";

const TASKS = "/api/v1/users/:userId/tasks";
const IMPORT = `${TASKS}/import`;
const EXPORT = `${TASKS}/export`;
const USAGE = "/api/v1/users/:userId/usage";

/** So many of the longest fit into the 128 MB of an isolate: test/tasks/import-memory.node.test.ts. */
const [IMPORTS_AT_ONCE, IMPORTS_AT_ONCE_A_USER] = [3, 2];
const [EXPORTS_AT_ONCE, EXPORTS_AT_ONCE_A_USER] = [8, 3];

export type Bindings = AuthBindings &
  Pick<Env, "ASSETS" | "TASKS_RATE_LIMIT" | "SEARCH_RATE_LIMIT" | "TRANSFER_RATE_LIMIT">;

export type AppType = Awaited<ReturnType<typeof createApp>>;

/** The application. It holds its bindings itself: requests are handled without any. */
export async function createApp(settings: Settings, bindings: Bindings) {
  const app = createEdge(settings.trustedOrigins);
  const cursorKeys = await deriveCursorKeys(settings.keys);
  const accounts = await createAuthRoutes(settings, bindings);
  const documents = { api: describeApi(() => app), accounts: accounts.describe };

  // Accounts answer in their own shape.
  app.use(
    except(
      "/api/auth/*",
      requireHttps((c) => problemResponse(c, new Problem("https_required"))),
    ),
  );
  app.use(
    "/api/v1/*",
    requireAccessToken(settings),
    limitCallsPerUser(bindings.TASKS_RATE_LIMIT),
    wrongMethod(),
    except(IMPORT, jsonBody),
  );
  const callerOf = (c: Context<Authenticated>) => c.var.caller.userId;
  app.use(
    IMPORT,
    limitCallsPerUser(bindings.TRANSFER_RATE_LIMIT),
    limitAtOnce(IMPORTS_AT_ONCE, IMPORTS_AT_ONCE_A_USER, callerOf),
    importBody,
  );
  app.use(
    EXPORT,
    limitCallsPerUser(bindings.TRANSFER_RATE_LIMIT),
    limitAtOnce(EXPORTS_AT_ONCE, EXPORTS_AT_ONCE_A_USER, callerOf),
  );
  app.use(TASKS, limitSearches(bindings.SEARCH_RATE_LIMIT));
  app.use("/api/v1/users/:userId/*", openUserScope(bindings.DB, cursorKeys, settings.quotas));

  const named = app
    .route("/", health)
    .route("/", createReadiness(bindings.DB))
    .route("/", linkPages)
    .route("/", createDocs(documents, bindings.ASSETS))
    .route("/api/auth", accounts.routes)
    .route(USAGE, usageRoutes)
    .route(TASKS, syncRoutes)
    .route(TASKS, transferRoutes);
  // What has a name of its own is no task's id, whatever the method.
  for (const { method, path } of [...syncRoutes.routes, ...transferRoutes.routes]) {
    app.all(TASKS + path, (c) => refuseMethod(c, method === "GET" ? ["GET", "HEAD"] : [method]));
  }
  return named.route(TASKS, taskRoutes);

  function wrongMethod() {
    return methodNotAllowed({ app, onMethodNotAllowed: refuseMethod });
  }
}

function refuseMethod(c: Context, methods: string[]): Response {
  return problemResponse(c, new Problem("method_not_allowed", {}, { Allow: methods.join(", ") }));
}

/** The application while a variable or secret is bad: alive, and otherwise of no use. */
export function createUnconfiguredApp(problems: readonly string[]) {
  logMisconfiguration(problems);
  return createEdge([])
    .route("/", health)
    .all("/api/auth/*", (c) => authFailure(c, "not_configured"))
    .all("*", (c) => problemResponse(c, new Problem("not_configured")));
}
