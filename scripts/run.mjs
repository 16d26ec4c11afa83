// Runs programs of the project on the project's own Node, in its folder.
import "./node-version.mjs";
import { spawn } from "node:child_process";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";
import { EXIT_CODE_OF_SIGNAL, Interrupted } from "./failure.mjs";

export const root = fileURLToPath(new URL("..", import.meta.url));

/** @typedef {{ quiet?: boolean, env?: Record<string, string> | undefined }} RunOptions */

/**
 * Runs a program until it ends.
 * @param {string} command
 * @param {string[]} args
 * @param {RunOptions} [options] quiet: its output is shown only when it fails
 * @returns {Promise<number>} its exit code
 */
export async function run(command, args, { quiet = false, env } = {}) {
  if (!quiet) return waitFor(command, spawnProgram(command, args, "inherit", env));
  const { code, output } = await capture(command, args, env);
  if (code !== 0 && code !== EXIT_CODE_OF_SIGNAL) process.stderr.write(output);
  return code;
}

/**
 * Runs a program until it ends, and returns what it prints.
 * @param {string} command
 * @param {string[]} args
 * @param {Record<string, string>} [env] variables besides those of this process
 * @returns {Promise<{ code: number, stdout: string, output: string }>} output: stdout and stderr in the order of printing
 */
export async function capture(command, args, env) {
  const child = spawnProgram(command, args, "pipe", env);
  let [stdout, output] = ["", ""];
  child.stdout?.setEncoding("utf8").on("data", (chunk) => {
    stdout += chunk;
    output += chunk;
  });
  child.stderr?.setEncoding("utf8").on("data", (chunk) => (output += chunk));
  const code = await waitFor(command, child);
  return { code, stdout, output };
}

/**
 * Throws when an exit code says that a program failed.
 * @param {number} code
 * @param {string} message what failed, and as its last sentence what to do
 */
export function requireSuccess(code, message) {
  if (code !== 0) throw failureOf(code, message);
}

/**
 * The error for a program that failed: without a message when the user interrupted it.
 * @param {number} code not 0
 * @param {string} message
 */
export function failureOf(code, message) {
  return code === EXIT_CODE_OF_SIGNAL ? new Interrupted() : new Error(message);
}

/**
 * @param {string} command
 * @param {string[]} args
 * @param {"pipe" | "inherit"} output
 * @param {Record<string, string>} [extra]
 */
function spawnProgram(command, args, output, extra) {
  const PATH = `${join(root, "node_modules", ".bin")}${delimiter}${process.env["PATH"] ?? ""}`;
  const env = { ...process.env, WRANGLER_SEND_METRICS: "false", PATH, ...extra };
  const stdin = output === "pipe" ? "ignore" : "inherit";
  return spawn(command, args, { cwd: root, env, stdio: [stdin, output, output], shell: process.platform === "win32" });
}

/**
 * @param {string} command
 * @param {import("node:child_process").ChildProcess} child
 * @returns {Promise<number>} the exit code; that of a signal when the user pressed Ctrl-C and the program failed
 */
async function waitFor(command, child) {
  let isInterrupted = false;
  // A terminal sends Ctrl-C to both processes. This one waits, so that the program can finish its cleanup.
  const onInterrupt = () => {
    isInterrupted = true;
  };
  const onTerminate = () => child.kill("SIGTERM");
  process.on("SIGINT", onInterrupt).on("SIGTERM", onTerminate);
  try {
    /** @type {number | null} */
    const code = await new Promise((resolve, reject) => child.on("error", reject).on("close", resolve));
    return code === null || (isInterrupted && code !== 0) ? EXIT_CODE_OF_SIGNAL : code;
  } catch (error) {
    throw error instanceof Error && "code" in error && error.code === "ENOENT" ? missingProgram(command) : error;
  } finally {
    process.off("SIGINT", onInterrupt).off("SIGTERM", onTerminate);
  }
}

/** @param {string} command */
function missingProgram(command) {
  if (command === "npm") return new Error("npm is missing: install Node from https://nodejs.org, which includes npm.");
  return new Error(`${command} is missing: delete the folder node_modules and run npm start, which installs it.`);
}
