// What every command needs before it can run: packages, a local secret, a migrated local database.
// Runs on the Node that is there (20 or newer) and needs nothing installed. Safe to run many times, and at once.
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { existsSync, linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";

export const root = fileURLToPath(new URL("..", import.meta.url));

const bin = join(root, "node_modules", ".bin");
/** The exit code of a program that a signal ended, as shells have it. */
export const ENDED_BY_SIGNAL = 130;

const lockFile = join(root, ".wrangler", "setup.lock");

process.on("uncaughtException", (error) => {
  console.error(error.message);
  process.exit(1);
});

/**
 * Runs a program from the project, on the project's own Node.
 * @param {string} command
 * @param {string[]} args
 * @param {{ quiet?: boolean, env?: Record<string, string> }} [options] quiet: its output is shown only when it fails
 * @returns {Promise<number>} its exit code
 */
export async function run(command, args, options = {}) {
  const { code, output } = await finish(start(command, args, options.quiet ? "pipe" : "inherit", options.env));
  if (code !== 0) process.stderr.write(output);
  return code;
}

/**
 * @param {string} command
 * @param {string[]} args
 * @param {"pipe" | "inherit"} output
 * @param {Record<string, string>} [extra]
 */
function start(command, args, output, extra) {
  const PATH = `${bin}${delimiter}${process.env["PATH"] ?? ""}`;
  const env = { ...process.env, WRANGLER_SEND_METRICS: "false", PATH, ...extra };
  const stdin = output === "pipe" ? "ignore" : "inherit";
  return spawn(command, args, { cwd: root, env, stdio: [stdin, output, output], shell: process.platform === "win32" });
}

/** @param {import("node:child_process").ChildProcess} child */
async function finish(child) {
  let output = "";
  child.stdout?.on("data", (chunk) => (output += chunk));
  child.stderr?.on("data", (chunk) => (output += chunk));
  // A terminal sends Ctrl-C to both; this process outlives it, to see its program end in good order.
  const outlive = () => {};
  const pass = () => child.kill("SIGTERM");
  process.on("SIGINT", outlive).on("SIGTERM", pass);
  /** @type {number} */
  const code = await new Promise((resolve, reject) =>
    child.on("error", reject).on("close", (exit) => resolve(exit ?? ENDED_BY_SIGNAL)),
  );
  process.off("SIGINT", outlive).off("SIGTERM", pass);
  return { code, output };
}

/**
 * Runs steps that must not run twice at once in this folder.
 * @param {() => Promise<void>} steps
 */
export async function alone(steps) {
  mkdirSync(join(root, ".wrangler"), { recursive: true });
  while (!claim()) await sleep(200);
  try {
    await steps();
  } finally {
    rmSync(lockFile, { force: true });
  }
}

/** Installs the packages of the lock file, unless they are there already. */
export async function install() {
  if (isInstalled()) return;
  console.log("Installing packages ...");
  const code = await run("npm", ["ci", "--no-audit", "--no-fund", "--loglevel=error"]);
  if (code !== 0) throw new Error("npm ci failed");
}

/** Writes .dev.vars with a random secret and a sender of local mails, unless there is one. */
export function makeVariables() {
  const file = join(root, ".dev.vars");
  if (existsSync(file)) return;
  const lines = [`BETTER_AUTH_SECRET=${randomBytes(32).toString("base64")}`, "EMAIL_FROM=tasks@edge-tasks.localhost"];
  const draft = `${file}.${process.pid}`;
  writeFileSync(draft, `${lines.join("\n")}\n`, { mode: 0o600 });
  linkSync(draft, file);
  rmSync(draft);
  console.log("Wrote .dev.vars with a random secret. Mails will be files; their paths are printed here.");
}

/** Applies the migrations that the local database has not seen. */
export async function migrate() {
  const code = await run("wrangler", ["d1", "migrations", "apply", "DB", "--local"], {
    quiet: true,
    env: { CI: "true" },
  });
  if (code !== 0) throw new Error("the local migrations failed");
}

function isInstalled() {
  const installed = join(root, "node_modules", ".package-lock.json");
  if (!existsSync(installed)) return false;
  const wanted = JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8")).packages;
  const present = JSON.parse(readFileSync(installed, "utf8")).packages;
  return Object.entries(wanted).every(
    ([path, entry]) => path === "" || entry.optional || present[path]?.version === entry.version,
  );
}

function claim() {
  try {
    writeFileSync(lockFile, String(process.pid), { flag: "wx" });
    return true;
  } catch {
    if (isAbandoned()) rmSync(lockFile, { force: true });
    return false;
  }
}

function isAbandoned() {
  try {
    process.kill(Number(readFileSync(lockFile, "utf8")), 0);
    return false;
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "ESRCH";
  }
}
