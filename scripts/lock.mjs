// Keeps npm start, npm test and npm run deploy from setting up the same folder at the same time.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { root } from "./run.mjs";

const RETRY_AFTER_MS = 200;
const lockFile = join(root, ".wrangler", "setup.lock");

/**
 * Runs steps while this process holds the lock of the folder, and waits for the lock first.
 * @param {() => Promise<void>} steps
 */
export async function withLock(steps) {
  mkdirSync(join(root, ".wrangler"), { recursive: true });
  for (let attempt = 1; !acquire(); attempt += 1) {
    if (attempt === 2) console.log(`Waiting for another command in this folder. If none runs, delete ${lockFile}.`);
    await sleep(RETRY_AFTER_MS);
  }
  try {
    await steps();
  } finally {
    rmSync(lockFile, { force: true });
  }
}

function acquire() {
  try {
    writeFileSync(lockFile, String(process.pid), { flag: "wx" });
    return true;
  } catch (error) {
    // Retrying cannot help against any other error, such as a missing permission.
    if (codeOf(error) !== "EEXIST") throw error;
    if (isAbandoned()) rmSync(lockFile, { force: true });
    return false;
  }
}

/** Whether the process that holds the lock ended without releasing it. */
function isAbandoned() {
  try {
    process.kill(Number(readFileSync(lockFile, "utf8")), 0);
    return false;
  } catch (error) {
    return codeOf(error) === "ESRCH";
  }
}

/** @param {unknown} error */
function codeOf(error) {
  return error instanceof Error && "code" in error ? error.code : undefined;
}
