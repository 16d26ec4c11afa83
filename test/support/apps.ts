/** Apps built for one test: the same code on the same database, with one thing different. */

import { createExecutionContext } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { type Bindings, createApp } from "../../src/app.ts";
import type { Settings, Variables } from "../../src/env.ts";
import type { Fetch } from "./client.ts";
import { quickHasher } from "./quick-hasher.ts";
import { settingsWith } from "./settings.ts";

type Differences = { vars?: Variables; settings?: Partial<Settings>; d1?: D1Database; bindings?: Partial<Bindings> };

/** The app with other variables, another database or other bindings. */
export async function appWith({ vars = {}, settings = {}, d1 = env.DB, bindings = {} }: Differences) {
  const app = await createApp({ ...settingsWith(vars), ...settings }, { ...env, DB: d1, ...bindings });
  const fetch: Fetch = (request) => app.fetch(request, {}, createExecutionContext());
  return { app, fetch };
}

/** The app without what makes signing in slow: for tests that are about something else and sign in a lot. */
export function hastyApp({ settings, bindings, ...differences }: Differences = {}) {
  return appWith({
    ...differences,
    settings: { evenAnswerMs: 0, ...settings },
    bindings: { PASSWORD_HASHER: quickHasher, ...bindings },
  });
}

/** The platform's limit, counted here: so many calls of each key. test/isolates.node.test.ts meets the real one. */
export function limitOf(calls: number): RateLimit {
  const counts = new Map<string, number>();
  const limit = async ({ key }: { key: string }) => {
    counts.set(key, (counts.get(key) ?? 0) + 1);
    return { success: (counts.get(key) ?? 0) <= calls };
  };
  return { limit } as RateLimit;
}
