/** Thousands of random histories, and the same without what makes the replica exact: those have to fail. */
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, describe, expect, it } from "vitest";
import { openReplica } from "../../../src/client/replica/replica.ts";
import { type Options, runHistory } from "./simulation.ts";

/** `HISTORIES=100000 npx vitest run test/client/replica` tries more; `FIRST_SEED` begins elsewhere. */
const HISTORIES = Number(process.env["HISTORIES"] ?? 2000);
const FIRST_SEED = Number(process.env["FIRST_SEED"] ?? 1);
const LANES = 4;
const MINUTES = 10;

const folders: string[] = [];
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true });
});

/** The seeds that fail, with what went wrong. Stops at the first few. */
async function failures(histories: number, options: Options, enough = 3): Promise<string[]> {
  const failed: string[] = [];
  for (let seed = FIRST_SEED; seed < FIRST_SEED + histories && failed.length < enough; seed += 1) {
    const faults = await runHistory(seed, options);
    if (faults.length > 0) failed.push(`seed ${seed}: ${faults.join("; ")}`);
  }
  return failed;
}

/** The replica with one text of its source replaced. */
async function replicaWithout(file: string, text: string, without: string): Promise<typeof openReplica> {
  const folder = mkdtempSync(join(tmpdir(), "replica-"));
  folders.push(folder);
  cpSync("src/client", folder, { recursive: true, filter: (path) => !/dist|node_modules/.test(path) });
  const path = join(folder, "replica", file);
  const source = readFileSync(path, "utf8");
  expect(source.split(text)).toHaveLength(2);
  writeFileSync(path, source.replace(text, without));
  return (await import(/* @vite-ignore */ pathToFileURL(join(folder, "replica/replica.ts")).href)).openReplica;
}

describe("P7 devices that edit the same tasks", () => {
  it.each(Array.from({ length: LANES }, (_, lane) => lane))(
    "P6 P7 converge, lose nothing and do nothing twice (lane %i)",
    async (lane) => {
      const failed: string[] = [];
      for (let seed = FIRST_SEED + lane; seed < FIRST_SEED + HISTORIES; seed += LANES) {
        const faults = await runHistory(seed, { openReplica });
        if (faults.length > 0) failed.push(`seed ${seed}: ${faults.join("; ")}`);
      }
      expect(failed).toEqual([]);
    },
    MINUTES * 60_000,
  );

  it.each([
    ["without keys, something is done twice", { withoutKeys: true }, /twice/],
    ["without the stored outbox, something is lost", { withoutOutbox: true }, /lost/],
  ] as const)("P7 control: %s", async (_, sabotage, fault) => {
    expect((await failures(400, { openReplica, ...sabotage }, 3)).join()).toMatch(fault);
  });

  it.each([
    ["without rebase", "rebase.ts", "  rebase(draft, id, theirs);\n}", "}", /overwritten/],
    [
      "without the base of an edit",
      "rebase.ts",
      "isKept = (name: Field) => isSame(name, theirs[name], entry.base[name])",
      "isKept = (_: Field) => true",
      /overwritten/,
    ],
    ["without conditions", "batches.ts", "id, ifMatch, task: fields", "id, task: fields", /overwritten/],
    [
      "without looking at what another tab stored",
      "copy.ts",
      "next && !(await store(next, entries))",
      "next && !(await store(next, entries)) && false",
      /lost|not equal|twice/,
    ],
    ["without starting over on 410", "sync.ts", "      await commit(startOver);\n", "", /not equal/],
  ] as const)("P7 control: %s, it fails", async (_, file, text, without, fault) => {
    const broken = await replicaWithout(file, text, without);
    expect((await failures(400, { openReplica: broken }, 1)).join()).toMatch(fault);
  });
});
