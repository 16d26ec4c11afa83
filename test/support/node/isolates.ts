/** The built Worker in two isolates over one database, over HTTP. */
import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { inject } from "vitest";
import { createTestHarness, type TestHarness, unstable_readConfig } from "wrangler";

export const SECRET = "Rw5yq0Zr8nG1sUe4Kx7TbVfJdL2hCpMa";
export const PASSWORD = "correct horse battery";

type Init = {
  method?: string;
  headers?: Record<string, string>;
  json?: unknown;
  body?: string;
  /** Whether the test reads the answer. Otherwise it is read here: one that nobody reads keeps the isolate from closing. */
  streams?: boolean;
};
/** What Miniflare's own fetch answers with. */
export type Answer = Awaited<ReturnType<TestHarness["fetch"]>>;
export type Isolate = (path: string, init?: Init) => Promise<Answer>;
export type Isolates = { first: Isolate; second: Isolate; harness: TestHarness };

type Vars = Record<string, string>;

const WITH_SECRET: Vars = { BETTER_AUTH_SECRET: SECRET };

/** Calls that a user of the task API has in a window here: few, so that a test reaches them within one. */
export const TASK_CALLS = 30;

/**
 * Starts two isolates over one database.
 * @param vars the Worker's variables and secrets; `others` are those of the second isolate, where they differ
 */
export async function startIsolates(vars: Vars = WITH_SECRET, others: Vars = vars): Promise<Isolates> {
  const harness = await start({ first: vars, second: others });
  return { first: isolate(harness, "first"), second: isolate(harness, "second"), harness };
}

/**
 * Starts one isolate.
 * @param root the folder whose `.dev.vars` counts; by default one without
 */
export async function startIsolate(vars: Vars = WITH_SECRET, root?: string): Promise<Omit<Isolates, "second">> {
  const harness = await start({ first: vars }, root);
  return { first: isolate(harness, "first"), harness };
}

async function start(workers: Record<string, Vars>, root: string = import.meta.dirname): Promise<TestHarness> {
  const project = unstable_readConfig({ config: "wrangler.toml" });
  const {
    assets,
    compatibility_date,
    compatibility_flags,
    durable_objects,
    migrations,
    secrets,
    send_email,
    triggers,
  } = project;
  const ratelimits = project.ratelimits.map((binding: { name: string; simple: { limit: number; period: 10 | 60 } }) =>
    binding.name === "TASKS_RATE_LIMIT" ? { ...binding, simple: { ...binding.simple, limit: TASK_CALLS } } : binding,
  );
  const shared = { database_id: "shared", migrations_dir: resolve("migrations") };
  const config = {
    main: join(inject("builtWorker"), "index.js"),
    no_bundle: true,
    compatibility_date: String(compatibility_date),
    compatibility_flags,
    assets: { ...assets, directory: resolve(String(assets?.directory)) },
    ...{ durable_objects, migrations, ratelimits, secrets, send_email, triggers },
    d1_databases: project.d1_databases.map((database: object) => ({ ...database, ...shared })),
  };
  const named = Object.entries(workers).map(([name, vars]) => ({ config: { ...config, name, vars } }));
  const harness = createTestHarness({ root, workers: named });
  await harness.listen();
  await harness.getWorker("first").applyD1Migrations("DB");
  return harness;
}

function isolate(harness: TestHarness, name: string): Isolate {
  return async (path, { json, streams, ...init } = {}) => {
    const headers = {
      "cf-connecting-ip": nextAddress(),
      ...(json !== undefined && { "content-type": "application/json" }),
    };
    const text = json === undefined ? init.body : JSON.stringify(json);
    const body = text === undefined ? {} : { body: text };
    const method = init.method ?? (text === undefined ? "GET" : "POST");
    const url = new URL(path, "https://tasks.test").href;
    const sent = { method, ...body, headers: { ...headers, ...init.headers } };
    const answer = await harness.getWorker(name).fetch(url, sent);
    if (streams || answer.body === null) return answer;
    const read = new Response(await answer.arrayBuffer(), { status: answer.status, headers: [...answer.headers] });
    return read as unknown as Answer;
  };
}

/**
 * Waits until `seconds` of the platform's present window are left. Its windows begin at fixed times of the clock:
 * calls on either side of such a time are counted apart.
 * @param period - the window's length in seconds, as wrangler.toml gives it
 */
export async function leftInWindow(seconds: number, period: number): Promise<void> {
  const left = period - ((Date.now() / 1000) % period);
  if (left < seconds) await sleep(left * 1000 + 50);
}

/** Signs up somebody new through one isolate. */
export async function someone(isolate: Isolate) {
  const email = `${crypto.randomUUID()}@example.com`;
  const answer = await isolate("/api/auth/sign-up/email", { json: { name: "Someone", email, password: PASSWORD } });
  if (answer.status !== 200) throw new Error(`sign-up: ${answer.status} ${await answer.text()}`);
  return { email, ...credentials(answer) };
}

/** The headers that carry what a sign-up or sign-in gave. */
export function credentials(answer: Answer) {
  const cookie = answer.headers.getSetCookie()[0]?.split(";")[0] ?? "";
  return {
    access: { authorization: `Bearer ${answer.headers.get("set-auth-jwt")}` },
    session: { authorization: `Bearer ${answer.headers.get("set-auth-token")}` },
    cookie: { cookie, origin: "https://tasks.test" },
  };
}

let addresses = 0;

function nextAddress(): string {
  addresses += 1;
  return `10.1.${(addresses >> 8) & 255}.${addresses & 255}`;
}
