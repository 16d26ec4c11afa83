/** Builds and starts the contenders, and knows how each is asked for the same thing. */
import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { build } from "esbuild";
import { unstable_readConfig as readConfig } from "wrangler";
import { cpuMs } from "./cpu.ts";
import { type Call, sendOnce } from "./load.ts";
import { forge, ORIGIN, SECRET, type Someone } from "./people.ts";
import { type Served, startNode, stop } from "./processes.ts";
import { type BuiltWorker, startWorker } from "./workerd.ts";

export const CASES = {
  list: 200,
  unchanged: 304,
  read: 200,
  create: 201,
  complete: 200,
  feed: 200,
  forged: 401,
  missing: 401,
  token: 200,
} as const;
export type CaseName = keyof typeof CASES;

export type Contender = Served & {
  name: string;
  /** The n-th call of a case; without one, the contender has nothing like it. */
  calls: Partial<Record<CaseName, (n: number) => Call>>;
};

const wrangler = readConfig({ config: "wrangler.toml" });
const RUNTIME = {
  compatibilityDate: wrangler.compatibility_date ?? "",
  compatibilityFlags: wrangler.compatibility_flags,
};
const JSON_TYPE = { "content-type": "application/json" };

/** Builds our Worker as a deployment would. */
export function buildOurs(folder: string): BuiltWorker {
  execFileSync("node_modules/.bin/wrangler", ["deploy", "--dry-run", "--outdir", folder], {
    env: { ...process.env, WRANGLER_SEND_METRICS: "false" },
    stdio: "pipe",
  });
  return oursIn(folder);
}

function oursIn(folder: string): BuiltWorker {
  return {
    folder,
    ...RUNTIME,
    variables: { ...(wrangler.vars as Record<string, string>), BETTER_AUTH_SECRET: SECRET, BETTER_AUTH_URL: ORIGIN },
    rateLimits: wrangler.ratelimits.map(({ name }: { name: string }) => name),
    durableObject: { binding: "PASSWORD_HASHER", className: "PasswordHasher" },
  };
}

/** Builds another contender. */
async function buildContender(name: string, folder: string): Promise<BuiltWorker> {
  mkdirSync(folder, { recursive: true });
  await build({
    entryPoints: [`bench/contenders/${name}.ts`],
    outfile: join(folder, "index.js"),
    bundle: true,
    minify: true,
    format: "esm",
    target: "es2024",
    conditions: ["workerd", "worker", "browser"],
    external: ["node:*", "cloudflare:*"],
    logLevel: "error",
  });
  return { folder, ...RUNTIME, variables: { BETTER_AUTH_SECRET: SECRET } };
}

/**
 * Builds and starts all contenders beside one database.
 * @param people each contender has some of its own, so that none finds the changes of another
 */
export async function startContenders(
  folder: string,
  databaseFile: string,
  databasePort: number,
  people: Someone[],
  each: number,
) {
  const workerAt = async (name: string) => startWorker(await buildContender(name, join(folder, name)), databasePort);
  const own = (index: number) => people.slice(index * each, (index + 1) * each);
  const byToken = ({ plainToken }: Someone) => ({ authorization: `Bearer ${plainToken}` });
  const byCookie = ({ cookie }: Someone) => ({ cookie });
  const ours = await startWorker(buildOurs(join(folder, "ours")), databasePort);
  const contenders: Contender[] = [
    { name: "floor", ...(await workerAt("floor")), calls: callsOf(own(0), byToken) },
    { name: "by hand", ...(await workerAt("by-hand")), calls: callsOf(own(1), byToken) },
    { name: "getSession", ...(await workerAt("get-session")), calls: callsOf(own(2), byCookie) },
    {
      name: "Fastify",
      ...(await startNode("bench/contenders/fastify.ts", [databaseFile])),
      calls: callsOf(own(3), byToken),
    },
    { name: "ours", ...ours, calls: await ourCalls(ours.port, own(4)) },
  ];
  return contenders;
}

function callsOf(people: Someone[], credentials: (someone: Someone) => Record<string, string>): Contender["calls"] {
  const by = pick(people);
  const get = (path: (n: number) => string) => (n: number) => ({
    method: "GET",
    path: path(n),
    headers: credentials(by(n)),
  });
  return {
    list: get(() => "/tasks"),
    read: get((n) => `/tasks/${taskOf(by(n), people, n)}`),
    feed: get(() => "/tasks/changes?since=100"),
    create: (n) => ({
      method: "POST",
      path: "/tasks",
      headers: { ...credentials(by(n)), ...JSON_TYPE },
      body: JSON.stringify({ title: "Buy oat milk" }),
    }),
    complete: (n) => ({
      method: "PATCH",
      path: `/tasks/${taskOf(by(n), people, n)}/complete`,
      headers: { ...credentials(by(n)), ...JSON_TYPE },
      body: JSON.stringify({ completed: isCompletedBy(by(n), people, n) }),
    }),
    forged: (n) => ({ method: "GET", path: "/tasks", headers: forgedCredentials(credentials(by(n))) }),
    missing: () => ({ method: "GET", path: "/tasks", headers: {} }),
  };
}

/** The same with another signature. */
function forgedCredentials({ authorization, cookie }: Record<string, string>): Record<string, string> {
  if (authorization) return { authorization: `Bearer ${forge(authorization.slice("Bearer ".length))}` };
  return { cookie: (cookie ?? "").replace(/%3D$|.$/, "A%3D") };
}

export async function ourCalls(port: number, people: Someone[]): Promise<Contender["calls"]> {
  const by = pick(people);
  const base = "/api/v1/users/me/tasks";
  const credentials = ({ accessToken }: Someone) => ({ authorization: `Bearer ${accessToken}` });
  const shared = callsOf(people, credentials);
  const calls = Object.fromEntries(
    Object.entries(shared).map(([name, call]) => [
      name,
      (n: number) => ({ ...call(n), path: call(n).path.replace("/tasks", base) }),
    ]),
  ) as Contender["calls"];
  const tokens = new Map<string, string>();
  for (const someone of people) {
    const path = `${base}/changes?limit=100`;
    const { text } = await sendOnce(port, { method: "GET", path, headers: credentials(someone) });
    tokens.set(someone.id, (JSON.parse(text) as { nextToken: string }).nextToken);
  }
  return {
    ...calls,
    // The newest revision is not known beforehand: `*` matches any.
    unchanged: (n) => ({ method: "GET", path: base, headers: { ...credentials(by(n)), "if-none-match": "*" } }),
    feed: (n) => ({
      method: "GET",
      path: `${base}/changes?limit=20&since=${tokens.get(by(n).id)}`,
      headers: credentials(by(n)),
    }),
    token: (n) => ({ method: "GET", path: "/api/auth/token", headers: { authorization: `Bearer ${by(n).bearer}` } }),
  };
}

function pick(people: Someone[]): (n: number) => Someone {
  const [first] = people;
  if (!first) throw new Error("nobody is there");
  return (n) => people[n % people.length] ?? first;
}

/** A person's turn comes every `people.length` calls; each turn is another task of theirs. */
function taskOf({ taskIds }: Someone, people: Someone[], n: number): string {
  return taskIds[Math.floor(n / people.length) % taskIds.length] ?? "";
}

/** Tasks are open and completed in turn; each round over all of them changes each. */
function isCompletedBy({ taskIds }: Someone, people: Someone[], n: number): boolean {
  const turn = Math.floor(n / people.length);
  const wasCompleted = (turn % taskIds.length) % 2 === 1;
  const isEvenRound = Math.floor(turn / taskIds.length) % 2 === 0;
  return wasCompleted !== isEvenRound;
}

/**
 * The processor time until the first answer, of ours and of those that are compared with it, in turn.
 * @returns milliseconds, by the contender's name
 */
export async function measureStarts(folder: string, databasePort: number, count: number) {
  const built: [string, BuiltWorker][] = [
    ["floor", await buildContender("floor", join(folder, "floor"))],
    ["Better Auth alone", await buildContender("get-session", join(folder, "get-session"))],
    ["ours", oursIn(join(folder, "ours"))],
  ];
  const times = new Map<string, number[]>(built.map(([name]) => [name, []]));
  for (let round = 0; round < count; round += 1) {
    for (const [name, worker] of built) {
      const { pid } = await startWorker(worker, databasePort);
      times.get(name)?.push(cpuMs(pid));
      stop(pid);
    }
  }
  return times;
}

/** The version of an installed package. */
export function versionOf(name: string): string {
  return (JSON.parse(readFileSync(`node_modules/${name}/package.json`, "utf8")) as { version: string }).version;
}
