// Runs a program of the project for what it says, and keeps apart what it prints where.
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { root } from "./setup.mjs";

/**
 * What Wrangler records of a run; of `code`, a number is Cloudflare's own.
 * @typedef {{ type: string, code?: unknown, worker_name?: unknown }} Entry
 */

/**
 * @typedef {object} Answer
 * @property {boolean} ok
 * @property {string} stdout
 * @property {string} output all that it printed, for people
 * @property {Entry[]} entries
 */

/**
 * @param {string} command
 * @param {string[]} args
 * @param {Record<string, string>} [extra] environment variables
 * @returns {Promise<Answer>}
 */
export function ask(command, args, extra) {
  return inTemporaryFolder(async (folder) => {
    const record = join(folder, "record.ndjson");
    const PATH = `${join(root, "node_modules", ".bin")}${delimiter}${process.env["PATH"] ?? ""}`;
    const own = { WRANGLER_SEND_METRICS: "false", WRANGLER_OUTPUT_FILE_PATH: record, PATH };
    const child = spawn(command, args, {
      cwd: root,
      env: { ...process.env, ...own, ...extra },
      stdio: ["ignore", "pipe", "pipe"],
      shell: process.platform === "win32",
    });
    let [stdout, output] = ["", ""];
    child.stdout.setEncoding("utf8").on("data", (chunk) => {
      stdout += chunk;
      output += chunk;
    });
    child.stderr.setEncoding("utf8").on("data", (chunk) => (output += chunk));
    const code = await new Promise((resolve, reject) => child.on("error", reject).on("close", resolve));
    return { ok: code === 0, stdout, output, entries: existsSync(record) ? readEntries(record) : [] };
  });
}

/**
 * Runs steps with a folder that only this user can read, and removes it whatever happens.
 * @template T
 * @param {(folder: string) => Promise<T>} steps
 * @returns {Promise<T>}
 */
export async function inTemporaryFolder(steps) {
  const folder = mkdtempSync(join(tmpdir(), "edge-tasks-"));
  try {
    return await steps(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** @param {string} record */
function readEntries(record) {
  const lines = readFileSync(record, "utf8").split("\n");
  return lines.filter((line) => line !== "").map((line) => JSON.parse(line));
}

/**
 * The names in a list that a command printed as JSON.
 * @param {string} command
 * @param {string} json
 * @returns {string[]}
 */
export function parseNames(command, json) {
  const names = parseJson(json)?.map?.((/** @type {{ name?: unknown } | null} */ item) => item?.name);
  const areNames = Array.isArray(names) && names.every((name) => typeof name === "string");
  if (!areNames) throw new Error(`${command} should print a list of names as JSON, but printed: ${json}`);
  return names;
}

/** @param {string} json */
function parseJson(json) {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}
