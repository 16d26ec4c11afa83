// Reads from npm's log which arguments the running `npm run deploy` was given.
// npm reads -e as its own option --before, and drops a value that is no date: neither arguments nor variables show it.
// Without a log (`logs-max=0`, or a folder that npm cannot write to), nothing does.
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";

/** npm begins its log just before it starts the script: an older one belongs to an earlier command. */
const MAX_AGE_MS = 60_000;
const TITLE = /^\d+ verbose title npm (?:run|run-script|rum|urn) deploy\b/m;
const ARGUMENTS = /^\d+ verbose argv (.*)$/m;

/**
 * @param {Record<string, string | undefined>} variables the environment that npm sets
 * @returns {string[]} as npm understood them; empty when they are unknown
 */
export function readNpmArguments({ npm_lifecycle_event, npm_config_logs_dir, npm_config_cache = "" }) {
  const folder = npm_config_logs_dir || join(npm_config_cache, "_logs");
  if (npm_lifecycle_event !== "deploy" || !existsSync(folder)) return [];
  // Their names begin with the time.
  const newestFirst = readdirSync(folder).sort().reverse();
  const logs = newestFirst.map((name) => join(folder, name)).filter(isRecent);
  const log = logs.map((file) => readFileSync(file, "utf8")).find((text) => TITLE.test(text)) ?? "";
  const [, written = ""] = ARGUMENTS.exec(log) ?? [];
  return [...written.matchAll(/"(?:[^"\\]|\\.)*"/g)].map(([text]) => JSON.parse(text));
}

/** @param {string} file one that another npm may have deleted by now */
function isRecent(file) {
  const { mtimeMs = 0 } = statSync(file, { throwIfNoEntry: false }) ?? {};
  return performance.timeOrigin - mtimeMs < MAX_AGE_MS;
}
