// Runs Wrangler and reads its results: what it prints, and the record of its run, which has Cloudflare's error codes.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { capture } from "./run.mjs";
import { withTemporaryFolder } from "./temporary-folder.mjs";

/**
 * A line of the record. In an entry of type `command-failed`, a number as `code` is Cloudflare's own.
 * @typedef {{ type: string, code?: unknown, worker_name?: unknown }} Entry
 */

/**
 * @param {string[]} args
 * @param {Record<string, string>} [variables] environment variables besides those of this process
 * @returns {Promise<{ code: number, stdout: string, output: string, entries: Entry[] }>}
 */
export function captureWrangler(args, variables) {
  return withTemporaryFolder(async (folder) => {
    const record = join(folder, "record.ndjson");
    const result = await capture("wrangler", args, { WRANGLER_OUTPUT_FILE_PATH: record, ...variables });
    return { ...result, entries: existsSync(record) ? readEntries(record) : [] };
  });
}

/**
 * Reads the names in a list that a command printed as JSON.
 * @param {string} command for the error message
 * @param {string} json
 * @returns {string[]}
 */
export function parseNames(command, json) {
  const names = parseJson(json)?.map?.((/** @type {{ name?: unknown } | null} */ item) => item?.name);
  const areNames = Array.isArray(names) && names.every((name) => typeof name === "string");
  if (!areNames) throw new Error(`${command} must print a list of names as JSON, but printed: ${json}`);
  return names;
}

/** @param {string} record */
function readEntries(record) {
  const lines = readFileSync(record, "utf8").split("\n");
  return lines.filter((line) => line !== "").map((line) => JSON.parse(line));
}

/** @param {string} json */
function parseJson(json) {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}
