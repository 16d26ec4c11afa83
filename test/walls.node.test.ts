/** The walls between the parts of src: the table in CONTRIBUTING.md, tried on the linter pair by pair. */
import { spawnSync } from "node:child_process";
import { copyFileSync, globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, relative, resolve } from "node:path";
import { afterAll, describe, expect, it } from "vitest";

const project = mkdtempSync(join(tmpdir(), "edge-tasks-walls-"));
afterAll(() => rmSync(project, { recursive: true }));

type Row = { part: string; files: string[]; packages: string[] };

const names = (cell = "") => [...cell.matchAll(/`([^`]+)`/g)].map(([, name = ""]) => name);

const rows: Row[] = readFileSync("CONTRIBUTING.md", "utf8")
  .split("\n")
  .filter((line) => line.startsWith("| `"))
  .flatMap((line) => {
    const [, parts, files, packages] = line.split("|");
    return names(parts).map((part) => ({ part, files: names(files), packages: names(packages) }));
  });

const sources = globSync("src/**/*.{ts,tsx}", { exclude: ["src/client/dist/**"] }).map((file) =>
  file.slice("src/".length),
);
const folders = [...new Set(sources.map((file) => (file.includes("/") ? dirname(file) : file)))];
const manifest = JSON.parse(readFileSync("package.json", "utf8"));
const packages = [
  ...Object.keys(manifest.dependencies),
  ...["hono/factory", "hono/jwt", "drizzle-orm/d1", "better-auth/api", "cloudflare:workers"],
  ...["node:crypto", "node:async_hooks", "node:fs"],
];

/** The row of a folder or file: its own, or that of the folder around it. */
function rowOf(place: string): Row | undefined {
  return rows.find(({ part }) => part === place) ?? (place.includes("/") ? rowOf(dirname(place)) : undefined);
}

/** Lints files with these texts, and returns what was refused as `file:line`. */
function lint(files: Record<string, string>): Set<string> {
  copyFileSync("biome.json", join(project, "biome.json"));
  for (const [file, text] of Object.entries(files)) {
    mkdirSync(dirname(join(project, file)), { recursive: true });
    writeFileSync(join(project, file), text);
  }
  const args = ["lint", "--vcs-enabled=false", "--reporter=github", "--max-diagnostics=none", "src"];
  const { stdout } = spawnSync(resolve("node_modules/.bin/biome"), args, {
    cwd: project,
    encoding: "utf8",
    maxBuffer: 100_000_000,
  });
  rmSync(join(project, "src"), { recursive: true });
  const refused = stdout.matchAll(/noRestrictedImports,file=([^,]+),line=(\d+)/g);
  return new Set([...refused].map(([, file = "", line]) => `${relative(project, resolve(project, file))}:${line}`));
}

describe("the walls", () => {
  it("S6 every part has a row, and every name in a row exists", () => {
    expect(folders.filter((folder) => !rowOf(folder))).toEqual([]);
    const known = [...sources, ...folders];
    const named = rows.flatMap(({ part, files }) => [part, ...files]);
    expect(named.filter((name) => !known.includes(name))).toEqual([]);
  });

  it("S6 each part may import what its row names, and nothing else", () => {
    const probes: Record<string, string> = {};
    const expected = new Map<string, boolean>();
    for (const place of folders) {
      const row = rowOf(place);
      const isFile = place.endsWith(".ts");
      const probe = `src/${isFile ? place : `${place}/probe.ts`}`;
      const root = row?.part.endsWith(".ts") ? undefined : row?.part;
      const mayImport = (file: string) =>
        row?.files.some((name) => name === file || name === dirname(file)) ||
        (root === "auth" || root === "web" ? file.startsWith(`${root}/`) : !isFile && dirname(file) === place);
      const specifiers = [
        ...sources
          .filter((file) => file !== place)
          .map((file) => [relative(dirname(probe), `src/${file}`), mayImport(file)]),
        ...packages.map((name) => [name, row?.packages.some((known) => isOf(name, known)) ?? false]),
      ] as [string, boolean][];
      probes[probe] = specifiers.map(([specifier], n) => `import { x${n} } from "${local(specifier)}";\n`).join("");
      specifiers.forEach(([specifier, isAllowed], n) => {
        expected.set(`${probe}:${n + 1} ${specifier}`, isAllowed);
      });
    }
    const refused = lint(probes);
    const wrong = [...expected].filter(([pair, isAllowed]) => refused.has(pair.split(" ")[0] ?? "") === isAllowed);
    expect(wrong.map(([pair, isAllowed]) => `${isAllowed ? "refused" : "accepted"}: ${pair}`)).toEqual([]);
    expect(expected.size).toBeGreaterThan(2000);
  });

  it.each([
    ["src/tasks/routes.ts", "./repository/repository.ts"],
    ["src/tasks/transfer/routes.ts", "../repository/repository.ts"],
  ])("S6 %s may name the repository's type, and not create one", (file, from) => {
    expect(lint({ [file]: `import { createTaskRepository } from "${from}";\n` }).size).toBe(1);
    expect(lint({ [file]: `import type { TaskVariables } from "${from}";\n` }).size).toBe(0);
  });

  it("S6 a dynamic import and a re-export are imports", () => {
    const text = 'await import("../db/client.ts");\nexport { x } from "../db/client.ts";\n';
    expect(lint({ "src/tasks/routes.ts": text }).size).toBe(2);
  });
});

/** Whether a package is the one that a row names, or a part of it. `drizzle-orm/d1` opens databases and is named by itself. */
function isOf(name: string, known: string): boolean {
  return name === known || (name !== "drizzle-orm/d1" && name.startsWith(`${known}/`));
}

function local(specifier: string): string {
  return /^[a-z@]/.test(specifier) && /\.tsx?$/.test(specifier) ? `./${specifier}` : specifier;
}
