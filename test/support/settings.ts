/** The Worker's own settings, with other variables. */
import { env } from "cloudflare:workers";
import { readConfiguration, type Settings, type Variables } from "../../src/env.ts";

export function settingsWith(vars: Variables): Settings {
  const configuration = readConfiguration({ ...env, ...vars });
  if (!configuration.ok) throw new Error(configuration.problems.join(", "));
  return configuration.settings;
}
