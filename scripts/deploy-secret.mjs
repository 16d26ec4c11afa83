// Whether a deployed Worker has a secret to sign with, by what Cloudflare says.
// Doubt is an error: a new secret would sign everybody out.
import { ask, parseNames } from "./ask.mjs";

export const SECRET = "BETTER_AUTH_SECRET";
/** Either will do; the second is the list that rolls the secret. */
const SECRETS = [SECRET, "BETTER_AUTH_SECRETS"];
/** Cloudflare's codes for a Worker that does not exist. */
const NO_SUCH_WORKER = [10007, 10090];

/**
 * @param {string} worker
 * @param {string[]} options for Wrangler; not --env, with which `secret list --name N` looks at N-<env>
 * @param {Record<string, string>} variables
 */
export async function hasSecret(worker, options, variables) {
  const command = ["secret", "list", "--format", "json", "--name", worker, ...options];
  const { ok, stdout, output, entries } = await ask("wrangler", command, variables);
  if (ok) return parseNames("wrangler secret list", stdout).some((name) => SECRETS.includes(name));
  // Of a Worker that does not exist, `secret list` tells everything but the code.
  const isMissing = failureCode(entries) === undefined && (await lacksDeployments(worker, options, variables));
  if (!isMissing) throw new Error(output);
  return false;
}

/**
 * Whether Cloudflare says that there is no such Worker.
 * @param {string} worker
 * @param {string[]} options
 * @param {Record<string, string>} variables
 */
async function lacksDeployments(worker, options, variables) {
  const command = ["deployments", "list", "--json", "--name", worker, ...options];
  const code = failureCode((await ask("wrangler", command, variables)).entries);
  return NO_SUCH_WORKER.some((known) => known === code);
}

/** @param {import("./ask.mjs").Entry[]} entries */
function failureCode(entries) {
  return entries.find(({ type }) => type === "command-failed")?.code;
}
