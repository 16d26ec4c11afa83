// Installs the packages of package-lock.json, unless they are there already.
// Runs before anything is installed, and so imports nothing but Node's own modules.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { capture, requireSuccess, root } from "./run.mjs";

/** npm's codes for a registry that it cannot reach. */
const NETWORK_CODES = [
  "EAI_AGAIN",
  "ECONNREFUSED",
  "ECONNRESET",
  "EHOSTUNREACH",
  "EIDLETIMEOUT",
  "ENETUNREACH",
  "ENOTFOUND",
  "ERR_SOCKET_TIMEOUT",
  "ETIMEDOUT",
];

/** Throws one sentence when npm fails. Callers hold the lock of the folder. */
export async function installPackages() {
  if (isInstalled()) return;
  console.log("Installing packages ...");
  const { code, output } = await capture("npm", ["ci", "--no-audit", "--no-fund", "--loglevel=error"]);
  const reason = /^npm (?:error|ERR!) code (\S+)$/m.exec(output)?.[1] ?? `exit code ${code}`;
  const isUnreachable = code !== 0 && NETWORK_CODES.includes(reason);
  requireSuccess(
    code,
    isUnreachable
      ? `npm cannot reach its registry (${reason}): check the network and npm's proxy settings, then run this command again.`
      : `${output}npm ci failed (${reason}): fix what npm reports above, then run this command again.`,
  );
}

function isInstalled() {
  const wanted = readPackages(join(root, "package-lock.json"));
  if (!wanted)
    throw new Error("package-lock.json is missing or damaged: restore it with git checkout package-lock.json.");
  const installed = readPackages(join(root, "node_modules", ".package-lock.json"));
  if (!installed) return false;
  return Object.entries(wanted).every(
    ([path, entry]) => path === "" || entry.optional || installed[path]?.version === entry.version,
  );
}

/**
 * @param {string} lockFile
 * @returns {Record<string, { version?: string, optional?: boolean }> | undefined} undefined when it cannot be read
 */
function readPackages(lockFile) {
  try {
    return JSON.parse(readFileSync(lockFile, "utf8")).packages;
  } catch {
    return undefined;
  }
}
