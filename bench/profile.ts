/** Tells where the Worker's time goes in a request: `npm run bench:profile -- list`. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { decode } from "@jridgewell/sourcemap-codec";
import { buildOurs, CASES, type CaseName, ourCalls } from "./support/contenders.ts";
import { send } from "./support/load.ts";
import { seed } from "./support/people.ts";
import { startNode, stopAll } from "./support/processes.ts";
import { freePort, startWorker } from "./support/workerd.ts";

const WARM_UP = 500;
const REQUESTS = 3000;
const SAMPLE_US = 100;
const ROWS = 30;

type Node = { id: number; callFrame: { functionName: string; url: string; lineNumber: number; columnNumber: number } };
type Profile = { nodes: Node[]; samples: number[] };

const name = (process.argv[2] ?? "list") as CaseName;
const folder = mkdtempSync(join(tmpdir(), "edge-tasks-profile-"));
try {
  const file = join(folder, "tasks.sqlite");
  const people = seed(file, 20);
  const database = await startNode("bench/support/database.ts", [file]);
  const built = join(folder, "ours");
  const inspector = `127.0.0.1:${await freePort()}`;
  const { port } = await startWorker(buildOurs(built), database.port, inspector);
  const call = (await ourCalls(port, people))[name];
  if (!call) throw new Error(`${name} is none of ${Object.keys(CASES).join(", ")}`);
  await send(port, WARM_UP, CASES[name], call);
  const debug = await connect(inspector);
  await debug("Profiler.enable");
  await debug("Profiler.setSamplingInterval", { interval: SAMPLE_US });
  await debug("Profiler.start");
  await send(port, REQUESTS, CASES[name], (n) => call(WARM_UP + n));
  const { profile } = (await debug("Profiler.stop")) as { profile: Profile };
  print(profile, sourceOf(built));
} finally {
  stopAll();
  rmSync(folder, { recursive: true, force: true });
}
process.exit(0);

/** Opens the Worker's inspector. */
async function connect(address: string) {
  const targets = (await (await fetch(`http://${address}/json`)).json()) as { webSocketDebuggerUrl: string }[];
  const url = targets.map((target) => target.webSocketDebuggerUrl).find((each) => each.endsWith("main")) ?? "";
  const socket = new WebSocket(url);
  const waiting = new Map<number, (result: unknown) => void>();
  socket.addEventListener("message", ({ data }) => {
    const { id, result } = JSON.parse(String(data)) as { id: number; result: unknown };
    waiting.get(id)?.(result);
  });
  await new Promise((resolve, reject) => {
    socket.addEventListener("open", resolve);
    socket.addEventListener("error", () => reject(new Error(`the inspector at ${url} does not answer`)));
  });
  let last = 0;
  return (method: string, params = {}) =>
    new Promise<unknown>((resolve) => {
      last += 1;
      waiting.set(last, resolve);
      socket.send(JSON.stringify({ id: last, method, params }));
    });
}

/** Returns the file of a position in the built Worker. */
function sourceOf(built: string): (line: number, column: number) => string {
  const map = JSON.parse(readFileSync(join(built, "index.js.map"), "utf8")) as { mappings: string; sources: string[] };
  const lines = decode(map.mappings);
  return (line, column) => {
    const segment = lines[line]?.findLast(([at]) => at <= column);
    if (segment === undefined || segment.length === 1) return "";
    const source = map.sources[segment[1]] ?? "";
    return `${source.replace(/^.*(?:node_modules\/|(?=src\/))/, "")}:${segment[2] + 1}`;
  };
}

/** Prints the share of the samples of each function, and of each package or folder. */
function print({ nodes, samples }: Profile, sourceAt: (line: number, column: number) => string) {
  const counts = new Map<number, number>();
  for (const id of samples) counts.set(id, (counts.get(id) ?? 0) + 1);
  const [functions, groups] = [new Map<string, number>(), new Map<string, number>()];
  let total = 0;
  for (const { id, callFrame } of nodes) {
    const count = counts.get(id) ?? 0;
    const { functionName, url, lineNumber, columnNumber } = callFrame;
    if (count === 0 || functionName === "(idle)" || functionName === "(root)") continue;
    total += count;
    const where = url.endsWith("index.js") ? sourceAt(lineNumber, columnNumber) : url || functionName;
    add(functions, `${functionName || "(anonymous)"} ${where}`, count);
    const [first = "", second = ""] = where.replace(/:\d+$/, "").split("/");
    add(groups, first.startsWith("@") || first === "src" ? `${first}/${second}` : first, count);
  }
  for (const shares of [groups, functions]) {
    console.log(`share of ${total} samples, ${name}`);
    const rows = [...shares].sort(([, a], [, b]) => b - a).slice(0, ROWS);
    for (const [what, count] of rows) console.log(`${((100 * count) / total).toFixed(1).padStart(5)} %  ${what}`);
  }
}

function add(counts: Map<string, number>, key: string, count: number) {
  counts.set(key, (counts.get(key) ?? 0) + count);
}
