/** Measures the processor time of a request, side by side: `npm run bench`; `npm run bench -- --short` takes a minute. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CASES, type CaseName, type Contender, startContenders } from "./support/contenders.ts";
import { cpuMs } from "./support/cpu.ts";
import { send } from "./support/load.ts";
import { seed } from "./support/people.ts";
import { startNode, stopAll } from "./support/processes.ts";

const isShort = process.argv.includes("--short");
const [ROUNDS, REQUESTS] = isShort ? [3, 300] : [9, 1500];
const only = process.argv
  .find((argument) => argument.startsWith("--only="))
  ?.slice(7)
  .split(",");

const PEOPLE_EACH = 20;
const CONTENDERS = 5;

export type Measured = { cpuUs: number[]; perSecond: number[] };

const folder = mkdtempSync(join(tmpdir(), "edge-tasks-bench-"));
try {
  const file = join(folder, "tasks.sqlite");
  const people = seed(file, PEOPLE_EACH * CONTENDERS);
  const database = await startNode("bench/support/database.ts", [file]);
  const contenders = await startContenders(folder, file, database.port, people, PEOPLE_EACH);
  const results = new Map<CaseName, Map<string, Measured>>();
  for (const name of Object.keys(CASES) as CaseName[]) {
    if (only && !only.includes(name)) continue;
    results.set(name, await measureCase(name, contenders));
    print(name, results.get(name) ?? new Map());
  }
} finally {
  stopAll();
  rmSync(folder, { recursive: true, force: true });
}

/** Contenders take turns in each round, so that what else the machine does meets all of them. */
async function measureCase(name: CaseName, contenders: Contender[]): Promise<Map<string, Measured>> {
  const measured = new Map<string, Measured>();
  for (let round = 0; round <= ROUNDS; round += 1) {
    for (const { name: who, pid, port, calls } of contenders) {
      const call = calls[name];
      if (!call) continue;
      const before = cpuMs(pid);
      const elapsedMs = await send(port, REQUESTS, CASES[name], (n) => call(round * REQUESTS + n));
      const entry = measured.get(who) ?? { cpuUs: [], perSecond: [] };
      measured.set(who, entry);
      // The first round warms up.
      if (round === 0) continue;
      entry.cpuUs.push(((cpuMs(pid) - before) / REQUESTS) * 1000);
      entry.perSecond.push((REQUESTS / elapsedMs) * 1000);
    }
  }
  return measured;
}

function print(name: string, measured: Map<string, Measured>) {
  const base = median(measured.get("floor")?.cpuUs ?? []);
  for (const [who, { cpuUs, perSecond }] of measured)
    console.log(
      name,
      who,
      median(cpuUs).toFixed(1),
      "us",
      Math.min(...cpuUs).toFixed(1),
      Math.max(...cpuUs).toFixed(1),
      "ratio",
      (median(cpuUs) / base).toFixed(2),
      median(perSecond).toFixed(0),
      "/s",
    );
}

function median(values: number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}
