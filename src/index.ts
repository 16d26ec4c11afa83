/** The Worker's entry: fetch hands to the app, scheduled to housekeeping. */
import { env } from "cloudflare:workers";
import { createApp, createUnconfiguredApp } from "./app.ts";
import { readConfiguration } from "./env.ts";
import { keepHouse } from "./housekeeping.ts";

export { PasswordHasher } from "./auth/passwords/hasher.ts";

const configuration = readConfiguration(env);
const app = configuration.ok
  ? await createApp(configuration.settings, env)
  : createUnconfiguredApp(configuration.problems);

export default {
  fetch: (request, _env, context) => app.fetch(request, {}, context),
  scheduled: async ({ scheduledTime }) => {
    await keepHouse(env.DB, scheduledTime);
  },
} satisfies ExportedHandler<Env>;
