/** Builds the Worker once for all tests in Node, as a deployment would. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestProject } from "vitest/node";

declare module "vitest" {
  interface ProvidedContext {
    /** The folder with the built Worker. */
    builtWorker: string;
  }
}

export default function build({ provide }: TestProject): () => void {
  const folder = mkdtempSync(join(tmpdir(), "edge-tasks-built-"));
  execFileSync("node_modules/.bin/wrangler", ["deploy", "--dry-run", "--outdir", folder], {
    env: { ...process.env, WRANGLER_SEND_METRICS: "false" },
    stdio: "pipe",
  });
  provide("builtWorker", folder);
  return () => rmSync(folder, { recursive: true });
}
