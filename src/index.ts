/** The Worker's entry: requests go to the app, the cron trigger to housekeeping. */
import { env } from "cloudflare:workers";
import { createApp, createUnconfiguredApp } from "./app.ts";
import { readConfiguration } from "./env.ts";
import { runCleanup } from "./housekeeping.ts";

export { PasswordHasher } from "./auth/passwords/durable-object.ts";

const configuration = readConfiguration(env);
const app = configuration.ok
  ? await createApp(configuration.settings, env)
  : createUnconfiguredApp(configuration.problems);

export default {
  fetch: (request, _env, context) => app.fetch(request, {}, context),
  scheduled: async ({ scheduledTime }) => {
    await runCleanup(env.DB, scheduledTime);
  },
} satisfies ExportedHandler<Env>;
