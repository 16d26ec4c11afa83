/** Writes RESULTS.md, its charts, and the tables of the README from what was measured. */
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { cpus, totalmem } from "node:os";
import type { Bundle } from "./support/bundle.ts";
import { type Bar, drawChart } from "./support/chart.ts";
import { versionOf } from "./support/contenders.ts";
import type { Range } from "./support/statistics.ts";
import { WORKERD_VERSION } from "./support/workerd.ts";

export type Measured = { cpuUs: Range; perSecond: Range };
export type Results = Map<string, Map<string, Measured>>;

/** What each case is, and the goal for ours: a multiple of the floor. */
export const CASE_NAMES: Record<string, { title: string; goal?: number }> = {
  list: { title: "list 20", goal: 1.5 },
  unchanged: { title: "list, 304", goal: 1.4 },
  read: { title: "read one", goal: 1.6 },
  create: { title: "create", goal: 1.7 },
  complete: { title: "complete" },
  feed: { title: "feed of 20" },
  forged: { title: "forged token", goal: 2 },
  missing: { title: "no token", goal: 2 },
  token: { title: "token of a session" },
};
const CONTENDERS = ["floor", "by hand", "getSession", "Fastify", "ours"];
const IN_README = ["list", "read", "create", "forged", "missing"];

/** The ratio to the floor. What the floor does not have is compared with its list. */
export function ratioOf(results: Results, name: string, who: string): number | undefined {
  const floor = results.get(name)?.get("floor") ?? results.get("list")?.get("floor");
  const measured = results.get(name)?.get(who);
  return floor && measured && measured.cpuUs.median / floor.cpuUs.median;
}

/** Writes all that depends on a run. */
export function writeReport(results: Results, startUps: Map<string, Range>, bundle: Bundle): void {
  writeFileSync("bench/RESULTS.md", describe(results, startUps, bundle));
  for (const theme of ["light", "dark"] as const) writeFileSync(`bench/images/cpu-${theme}.svg`, chart(results, theme));
  replaceInReadme("cpu", ratioTable(results, IN_README));
}

function describe(results: Results, startUps: Map<string, Range>, bundle: Bundle): string {
  const rows = [...results].flatMap(([name, measured]) =>
    [...measured].map(([who, { cpuUs, perSecond }]) => {
      const ratio = ratioOf(results, name, who);
      const { title = name } = CASE_NAMES[name] ?? {};
      return `| ${title} | ${who} | ${spread(cpuUs, 0)} | ${ratio?.toFixed(2)} | ${spread(perSecond, 0)} |`;
    }),
  );
  const starts = [...startUps].map(([who, range]) => `| ${who} | ${spread(range, 0)} |`);
  return `# What a request takes

Written by \`npm run bench\`: ${machine()}.

Each contender runs in a process of its own, and the figure is the processor time of that process for one request, HTTP
included. The Workers are built and minified, and run in workerd without a development server before them. D1 is SQLite in
another process, so its time is not counted; Fastify's is, since it has SQLite in its own. Rate limits count in the
isolate. The contenders take turns; a row has the median of the rounds, with the least and the most.

- **floor**: a bare Worker with \`crypto.subtle\` and one statement.
- **by hand**: \`hono/jwt\` and Drizzle, without asking whether the session has ended.
- **getSession**: Better Auth's \`getSession\` in each request, with Drizzle.
- **Fastify**: Fastify and \`node:sqlite\` in one Node process.
- **ours**: this Worker, which asks for the session in the statement itself.

## Ratios to the floor

${ratioTable(results, [...results.keys()])}

What the floor does not have is compared with its list.

## Goals

${goals(results)}

## All figures

| Request | Contender | CPU, µs | to the floor | requests a second |
|---|---|---|---|---|
${rows.join("\n")}

## Starting

The processor time until the first answer, in milliseconds: workerd itself, loading the Worker, and one request without a
token.

| Worker | CPU, ms |
|---|---|
${starts.join("\n")}

At most 1.5 times Better Auth alone is the goal: ${startRatio(startUps).toFixed(2)}.

## The bundle

${kib(bundle.bytes)} KiB, compressed. At most 250 is the goal.

| Part | KiB, compressed by itself |
|---|---|
${bundle.parts.map(([name, bytes]) => `| ${name} | ${kib(bytes)} |`).join("\n")}

What is over the goal is Better Auth's own: it has no entry without the routes, the linking of accounts and the encryption
that are not used here, and its files cannot be replaced by an alias one by one. iCalendar, CSV, time zones and OpenAPI are
loaded when they are first used, but Wrangler's bundle holds them.
`;
}

function machine(): string {
  const [{ model } = { model: "unknown" }] = cpus();
  const commit = execFileSync("git", ["rev-parse", "--short", "HEAD"], { encoding: "utf8" }).trim();
  const versions = ["hono", "drizzle-orm", "better-auth", "fastify"].map((name) => `${name} ${versionOf(name)}`);
  const memory = Math.round(totalmem() / 2 ** 30);
  return `${new Date().toISOString().slice(0, 10)}, commit ${commit}, ${model.trim()}, ${cpus().length} cores, ${memory} GB, Node ${process.versions.node}, workerd ${WORKERD_VERSION}, ${versions.join(", ")}`;
}

function ratioTable(results: Results, names: string[]): string {
  const header = names.map((name) => CASE_NAMES[name]?.title ?? name);
  const rows = CONTENDERS.map((who) => {
    const cells = names.map((name) => ratioOf(results, name, who)?.toFixed(2) ?? "");
    const bold = who === "ours" ? "**" : "";
    return `| ${bold}${who}${bold} | ${cells.map((cell) => (cell ? bold + cell + bold : "")).join(" | ")} |`;
  });
  return [`| | ${header.join(" | ")} |`, `|---|${names.map(() => "---|").join("")}`, ...rows].join("\n");
}

function goals(results: Results): string {
  const rows = Object.entries(CASE_NAMES).flatMap(([name, { title, goal }]) => {
    const ours = ratioOf(results, name, "ours");
    if (goal === undefined || ours === undefined) return [];
    const byHand = ratioOf(results, name, "by hand");
    const compared = byHand === undefined ? "" : (ours / byHand).toFixed(2);
    return [
      `| ${title} | ${goal.toFixed(1)} | ${ours.toFixed(2)} | ${ours <= goal ? "met" : "missed"} | ${compared} |`,
    ];
  });
  return ["| Request | at most | ours | | to by hand (at most 1.25) |", "|---|---|---|---|---|", ...rows].join("\n");
}

function startRatio(startUps: Map<string, Range>): number {
  return (startUps.get("ours")?.median ?? Number.NaN) / (startUps.get("Better Auth alone")?.median ?? Number.NaN);
}

function kib(bytes: number): number {
  return Math.round(bytes / 1024);
}

function chart(results: Results, theme: "light" | "dark"): string {
  const groups = IN_README.map((name): [string, Bar[]] => [
    CASE_NAMES[name]?.title ?? name,
    CONTENDERS.filter((who) => who !== "Fastify").flatMap((who) => {
      const ratio = ratioOf(results, name, who);
      return ratio === undefined ? [] : [{ label: who, ratio, isOurs: who === "ours" }];
    }),
  ]);
  return drawChart("CPU a request, as a multiple of a bare Worker's (less is better)", groups, theme);
}

/** Replaces what stands between two marks of the README. */
export function replaceInReadme(mark: string, table: string): void {
  const [start, end] = [`<!-- bench:${mark} -->`, `<!-- /bench:${mark} -->`];
  const text = readFileSync("README.md", "utf8");
  const [at, to] = [text.indexOf(start), text.indexOf(end)];
  if (at < 0 || to < 0) throw new Error(`README.md lacks ${start} or ${end}`);
  writeFileSync("README.md", `${text.slice(0, at + start.length)}\n${table}\n${text.slice(to)}`);
}

function spread({ median, least, most }: Range, digits: number): string {
  return `${median.toFixed(digits)} (${least.toFixed(digits)} to ${most.toFixed(digits)})`;
}
