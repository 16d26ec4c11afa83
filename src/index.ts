/** The Worker's entry: fetch hands to the app. */
import { env } from "cloudflare:workers";
import { createApp, createUnconfiguredApp } from "./app.ts";
import { readConfiguration } from "./env.ts";

const configuration = readConfiguration(env);
const app = configuration.ok
  ? await createApp(configuration.settings, env.DB)
  : createUnconfiguredApp(configuration.problems);

export default {
  fetch: (request, _env, context) => app.fetch(request, {}, context),
} satisfies ExportedHandler<Env>;
