/**
 * What others make of the documents: linters find no fault, and programs with generated clients compile and work. The tools
 * are installed beside this file, since they need another TypeScript.
 */
import { execFile } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { build } from "esbuild";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";

const run = promisify(execFile);
const here = resolve("test/generators");
const bin = join(here, "node_modules/.bin");
const DOCUMENTS = [
  ["tasks", "/api/openapi.json"],
  ["accounts", "/api/openapi-accounts.json"],
] as const;

let folder: string;

beforeAll(async () => {
  await run("npm", ["ci", "--ignore-scripts"], { cwd: here });
  folder = mkdtempSync(join(tmpdir(), "edge-tasks-generators-"));
  for (const name of ["programs", "tsconfig.json", "spectral.yaml"])
    cpSync(join(here, name), join(folder, name), { recursive: true });
  symlinkSync(join(here, "node_modules"), join(folder, "node_modules"));
  for (const [name, path] of DOCUMENTS) {
    const file = join(folder, `${name}.json`);
    writeFileSync(file, await (await fetch(inject("servedApp").url + path)).text());
    await run(join(bin, "openapi-typescript"), [
      file,
      "-o",
      join(folder, "generated/openapi-typescript", `${name}.ts`),
    ]);
    const into = join(folder, "generated/hey-api", name);
    await run(join(bin, "openapi-ts"), ["-i", file, "-o", into, "-c", "@hey-api/client-fetch", "--silent"], {
      cwd: folder,
    });
  }
});
afterAll(() => rmSync(folder, { recursive: true }));

describe("R3 the documents in others' hands", () => {
  it.each(DOCUMENTS)("R3 Spectral finds no fault in the document of %s", async (name) => {
    const args = ["lint", "-r", "spectral.yaml", "--fail-severity", "warn", `${name}.json`];
    const { stdout } = await run(join(bin, "spectral"), args, { cwd: folder }).catch((error) => error);
    expect(stdout).toContain("No results");
  });

  it("R3 programs with generated clients compile", async () => {
    const { stdout } = await run(join(bin, "tsc"), ["-p", ".", "--pretty", "false"], { cwd: folder }).catch(
      (error) => error,
    );
    expect(stdout).toBe("");
  });

  it.each(["openapi-fetch", "hey-api"])("R3 a program with %s does what it was written for", async (name) => {
    const outfile = join(folder, "built", `${name}.mjs`);
    const define = { API: JSON.stringify(inject("servedApp").url) };
    await build({
      entryPoints: [join(folder, "programs", `${name}.ts`)],
      bundle: true,
      format: "esm",
      platform: "node",
      define,
      outfile,
    });
    await run(process.execPath, [outfile]);
    expect(readFileSync(outfile, "utf8")).toContain(inject("servedApp").url);
  });
});
