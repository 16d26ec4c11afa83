/** Runs a built Worker in workerd as it is: no proxy and no development server stands before it. */
import { readdirSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { createServer } from "node:net";
import { join } from "node:path";
import { type Served, start } from "./processes.ts";

const fromWrangler = createRequire(createRequire(import.meta.url).resolve("wrangler"));
const { default: WORKERD, version: VERSION } = fromWrangler("workerd") as { default: string; version: string };
export const WORKERD_VERSION = VERSION;

const READY_MS = 10_000;
const POLL_MS = 20;

/** Counts in the isolate, as Cloudflare's rate limits do in a location: a call to it is no request. */
const RATE_LIMIT_MODULE = `
  class RateLimit { async limit({ key }) { return { success: key !== "" }; } }
  export default function () { return new RateLimit(); }
`;

/** A built Worker: a folder with `index.js`, and perhaps texts that it imports. */
export type BuiltWorker = {
  folder: string;
  compatibilityDate: string;
  compatibilityFlags: string[];
  variables: Record<string, string>;
  rateLimits?: string[];
  /** A Durable Object class that it exports, and the binding's name. */
  durableObject?: { binding: string; className: string };
};

/** Starts a Worker beside a database, and waits until it answers. */
export async function startWorker(worker: BuiltWorker, databasePort: number, inspector?: string): Promise<Served> {
  const port = await freePort();
  const file = join(worker.folder, "workerd.capnp");
  writeFileSync(file, configuration(worker, port, databasePort));
  const pid = start(WORKERD, [
    "serve",
    ...(inspector ? [`--inspector-addr=${inspector}`] : []),
    file,
    "--experimental",
  ]);
  for (let waited = 0; waited < READY_MS; waited += POLL_MS) {
    if (await answers(port)) return { pid, port };
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  throw new Error(`the Worker in ${worker.folder} does not answer`);
}

function configuration(worker: BuiltWorker, port: number, databasePort: number): string {
  const { folder, compatibilityDate, compatibilityFlags, variables, rateLimits = [], durableObject } = worker;
  const texts = readdirSync(folder).filter((name) => name.endsWith(".txt"));
  const modules = [
    `(name = "index.js", esModule = embed "index.js")`,
    ...texts.map((name) => `(name = "./${name}", text = embed ${JSON.stringify(name)})`),
  ];
  const bindings = [
    `(name = "DB", wrapped = (moduleName = "cloudflare-internal:d1-api", innerBindings = [(name = "fetcher", service = "d1")]))`,
    ...Object.entries(variables).map(([name, value]) => `(name = "${name}", text = ${JSON.stringify(value)})`),
    ...rateLimits.map((name) => `(name = "${name}", wrapped = (moduleName = "bench:rate-limit"))`),
    ...(durableObject
      ? [`(name = "${durableObject.binding}", durableObjectNamespace = "${durableObject.className}")`]
      : []),
  ];
  const objects = durableObject
    ? `durableObjectNamespaces = [(className = "${durableObject.className}", uniqueKey = "bench", enableSql = true)],
       durableObjectStorage = (inMemory = void),`
    : "";
  return `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [(name = "main", worker = .worker), (name = "d1", external = (address = "127.0.0.1:${databasePort}", http = ()))],
  sockets = [(name = "http", address = "127.0.0.1:${port}", http = (forwardedProtoHeader = "x-forwarded-proto"), service = "main")],
  extensions = [(modules = [(name = "bench:rate-limit", internal = true, esModule = ${JSON.stringify(RATE_LIMIT_MODULE)})])],
);
const worker :Workerd.Worker = (
  modules = [${modules.join(", ")}],
  compatibilityDate = "${compatibilityDate}",
  compatibilityFlags = ${JSON.stringify(compatibilityFlags)},
  ${objects}
  bindings = [${bindings.join(",\n    ")}],
);
`;
}

async function answers(port: number): Promise<boolean> {
  const answer = await fetch(`http://127.0.0.1:${port}/health`).catch(() => undefined);
  await answer?.body?.cancel();
  return answer !== undefined;
}

export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.on("error", reject);
    probe.listen(0, "127.0.0.1", () => {
      const address = probe.address();
      probe.close(() =>
        typeof address === "object" && address ? resolve(address.port) : reject(new Error("no port")),
      );
    });
  });
}
