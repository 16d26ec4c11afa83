/** Every database is migrated, and no test meets a rate limit by accident. */
import { applyD1Migrations } from "cloudflare:test";
import { env } from "cloudflare:workers";

await applyD1Migrations(env.DB, env.MIGRATIONS);

// Asking the simulated binding takes longer than everything else that a refused request does.
const unlimited = { limit: async () => ({ success: true }) };
for (const name of Object.keys(env)) {
  if (name.endsWith("_RATE_LIMIT")) Object.defineProperty(env, name, { value: unlimited });
}
