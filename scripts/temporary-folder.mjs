import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/**
 * Runs steps with a new folder that only this user can read, and deletes the folder when they end or fail.
 * @template T
 * @param {(folder: string) => Promise<T>} steps
 * @returns {Promise<T>}
 */
export async function withTemporaryFolder(steps) {
  const folder = mkdtempSync(join(tmpdir(), "edge-tasks-"));
  try {
    return await steps(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
