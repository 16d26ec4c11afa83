/** Apps built for one test: the same code on the same database, with one thing different. */

import { createExecutionContext } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { createApp } from "../../src/app.ts";
import { readConfiguration, type Settings } from "../../src/env.ts";
import type { Fetch } from "./client.ts";

/** The app with other variables, another database, or both. */
export async function appWith({ vars = {}, d1 = env.DB }: { vars?: Partial<Env>; d1?: D1Database }) {
  const app = await createApp(settingsWith(vars), d1);
  const fetch: Fetch = (request) => app.fetch(request, {}, createExecutionContext());
  return { app, fetch };
}

export function settingsWith(vars: Partial<Env>): Settings {
  const configuration = readConfiguration({ ...env, ...vars });
  if (!configuration.ok) throw new Error(configuration.problems.join(", "));
  return configuration.settings;
}
