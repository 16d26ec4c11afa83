/** The route table: every prefix, and the guards before it. */
import type { Context } from "hono";
import { createAccessTokenVerifier } from "./access-tokens/verify.ts";
import { authFailure } from "./auth/failure.ts";
import { type AuthBindings, createAuthRoutes } from "./auth/routes.ts";
import { createDocs } from "./docs/routes.ts";
import { describeTasks } from "./docs/tasks-document.ts";
import type { Settings } from "./env.ts";
import { importBody, limitBodiesExcept } from "./http/body.ts";
import { limitConcurrency } from "./http/concurrency.ts";
import { createAppWithDefaults } from "./http/defaults.ts";
import { requireHttps } from "./http/https-only.ts";
import { refusePath } from "./http/methods.ts";
import { refuse } from "./http/problem.ts";
import { createReadiness, health } from "./http/status.ts";
import { logEvent } from "./log.ts";
import { namedPaths } from "./tasks/named-paths.ts";
import { taskRoutes } from "./tasks/routes.ts";
import { syncRoutes } from "./tasks/sync-routes.ts";
import { transferRoutes } from "./tasks/transfer/routes.ts";
import { usageRoutes } from "./tasks/usage-routes.ts";
import {
  type Authenticated,
  limitCallsPerUser,
  limitSearches,
  openUserScope,
  requireAccessToken,
} from "./user-scope.ts";

const TASKS = "/api/v1/users/:userId/tasks";
const IMPORT = `${TASKS}/import`;
const EXPORT = `${TASKS}/export`;
const USAGE = "/api/v1/users/:userId/usage";

/** The longest files that fit into the 128 MB of an isolate together (test/tasks/import-memory.node.test.ts). */
const [IMPORTS_AT_ONCE, IMPORTS_AT_ONCE_A_USER] = [3, 2];
const [EXPORTS_AT_ONCE, EXPORTS_AT_ONCE_A_USER] = [8, 3];

export type Bindings = AuthBindings & Pick<Env, "TASKS_RATE_LIMIT" | "SEARCH_RATE_LIMIT" | "TRANSFER_RATE_LIMIT">;

export type AppType = Awaited<ReturnType<typeof createApp>>;

/** Creates the application. It holds the bindings itself, so that no handler can reach them through its context. */
export async function createApp(settings: Settings, bindings: Bindings) {
  const app = createAppWithDefaults(settings.trustedOrigins);
  const verifyAccessToken = await createAccessTokenVerifier(settings.keys);
  const accounts = await createAuthRoutes(settings, bindings);
  const documents = { api: describeTasks(() => app), accounts: accounts.describe };

  // Account endpoints have Better Auth's shape of errors.
  app.use(
    requireHttps((c) => (isAccountPath(c.req.path) ? authFailure(c, "https_required") : refuse(c, "https_required"))),
  );
  app.use(
    "/api/v1/*",
    requireAccessToken(verifyAccessToken, settings.publicOrigin),
    limitCallsPerUser(bindings.TASKS_RATE_LIMIT),
    limitBodiesExcept(/^\/api\/v1\/users\/[^/]+\/tasks\/import$/),
  );
  app.notFound(refusePath(app));
  const callerOf = (c: Context<Authenticated>) => c.var.caller.userId;
  app.use(
    IMPORT,
    limitCallsPerUser(bindings.TRANSFER_RATE_LIMIT),
    limitConcurrency(IMPORTS_AT_ONCE, IMPORTS_AT_ONCE_A_USER, callerOf),
    importBody,
  );
  app.use(
    EXPORT,
    limitCallsPerUser(bindings.TRANSFER_RATE_LIMIT),
    limitConcurrency(EXPORTS_AT_ONCE, EXPORTS_AT_ONCE_A_USER, callerOf),
  );
  app.use(TASKS, limitSearches(bindings.SEARCH_RATE_LIMIT));
  app.use("/api/v1/users/:userId/*", await openUserScope(bindings.DB, settings));

  return app
    .route("/", health)
    .route("/", createReadiness(bindings.DB))
    .route("/", createDocs(documents))
    .route("/api/auth", accounts.routes)
    .route(USAGE, usageRoutes)
    .route(TASKS, syncRoutes)
    .route(TASKS, transferRoutes)
    .route(TASKS, namedPaths)
    .route(TASKS, taskRoutes);
}

function isAccountPath(path: string): boolean {
  return path === "/api/auth" || path.startsWith("/api/auth/");
}

/** The application while a variable or secret is invalid: only `/health` works. */
export function createUnconfiguredApp(problems: readonly string[]) {
  logEvent("error", "not configured", { problems });
  return createAppWithDefaults([])
    .route("/", health)
    .all("/api/auth/*", (c) => authFailure(c, "not_configured"))
    .all("*", (c) => refuse(c, "not_configured"));
}
