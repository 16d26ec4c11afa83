/**
 * Measures the processor time of a request, side by side, and writes RESULTS.md: `npm run bench`. With `--short` it takes a
 * minute and prints ratios only.
 */
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Measured, type Results, ratioOf, writeReport } from "./report.ts";
import { weighBundle } from "./support/bundle.ts";
import { CASES, type CaseName, type Contender, measureStarts, startContenders } from "./support/contenders.ts";
import { cpuMs } from "./support/cpu.ts";
import { send } from "./support/load.ts";
import { seed } from "./support/people.ts";
import { startNode, stopAll } from "./support/processes.ts";
import { type Range, rangeOf } from "./support/statistics.ts";

const isShort = process.argv.includes("--short");
const [ROUNDS, REQUESTS, STARTS] = isShort ? [3, 300, 3] : [9, 1500, 9];
const PEOPLE_EACH = 20;
const CONTENDERS = 5;

const folder = mkdtempSync(join(tmpdir(), "edge-tasks-bench-"));
try {
  const file = join(folder, "tasks.sqlite");
  const people = seed(file, PEOPLE_EACH * CONTENDERS);
  const database = await startNode("bench/support/database.ts", [file]);
  const contenders = await startContenders(folder, file, database.port, people, PEOPLE_EACH);
  const results: Results = new Map();
  for (const name of Object.keys(CASES) as CaseName[]) {
    results.set(name, await measureCase(name, contenders));
    print(results, name);
  }
  const startUps = new Map<string, Range>();
  for (const [who, values] of await measureStarts(folder, database.port, STARTS)) startUps.set(who, rangeOf(values));
  for (const [who, { median }] of startUps) console.log(`start of ${who}: ${median.toFixed(0)} ms`);
  const bundle = weighBundle(join(folder, "ours"));
  console.log(`bundle: ${Math.round(bundle.bytes / 1024)} KiB, compressed`);
  if (!isShort) {
    mkdirSync("bench/images", { recursive: true });
    writeReport(results, startUps, bundle);
  }
} finally {
  stopAll();
  rmSync(folder, { recursive: true, force: true });
}

/** Contenders take turns in each round, so that what else the machine does meets all of them. */
async function measureCase(name: CaseName, contenders: Contender[]): Promise<Map<string, Measured>> {
  const rounds = new Map<string, { cpuUs: number[]; perSecond: number[] }>();
  for (let round = 0; round <= ROUNDS; round += 1) {
    for (const { name: who, pid, port, calls } of contenders) {
      const call = calls[name];
      if (!call) continue;
      const before = cpuMs(pid);
      const elapsedMs = await send(port, REQUESTS, CASES[name], (n) => call(round * REQUESTS + n));
      const entry = rounds.get(who) ?? { cpuUs: [], perSecond: [] };
      rounds.set(who, entry);
      // The first round warms up.
      if (round === 0) continue;
      entry.cpuUs.push(((cpuMs(pid) - before) / REQUESTS) * 1000);
      entry.perSecond.push((REQUESTS / elapsedMs) * 1000);
    }
  }
  return new Map(
    [...rounds].map(([who, { cpuUs, perSecond }]) => [who, { cpuUs: rangeOf(cpuUs), perSecond: rangeOf(perSecond) }]),
  );
}

function print(results: Results, name: string): void {
  const cells = [...(results.get(name) ?? [])].map(([who, { cpuUs }]) => {
    return `${who} ${ratioOf(results, name, who)?.toFixed(2)} (${cpuUs.median.toFixed(0)} µs)`;
  });
  console.log(`${name}: ${cells.join(", ")}`);
}
