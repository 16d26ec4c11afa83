// Checks whether a deployed Worker has a secret that signs tokens.
// Only Cloudflare's own code counts as "this Worker does not exist". Any other failure stops the deployment, because a
// new secret for an existing Worker would sign everybody out.
import { failureOf } from "./run.mjs";
import { captureWrangler, parseNames } from "./wrangler.mjs";

export const SECRET = "BETTER_AUTH_SECRET";
/** Either is enough; the second is the list that rotates the secret. */
const SECRETS = [SECRET, "BETTER_AUTH_SECRETS"];
/** Cloudflare's codes for "no such Worker" and "no such environment of it"; Wrangler accepts the same two. */
const WORKER_NOT_FOUND_CODES = [10007, 10090];

/**
 * @param {string} worker
 * @param {string[]} options for Wrangler; not --env, because `secret list --env E --name N` reads the Worker N-E
 * @param {Record<string, string>} variables
 */
export async function hasSecret(worker, options, variables) {
  const command = ["secret", "list", "--format", "json", "--name", worker, ...options];
  const { code, stdout, output, entries } = await captureWrangler(command, variables);
  if (code === 0) return parseNames("wrangler secret list", stdout).some((name) => SECRETS.includes(name));
  // For a Worker that does not exist, `secret list` drops Cloudflare's code, so that `deployments list` has to confirm it.
  const failure = findFailure(entries);
  const mayNotExist = failure !== undefined && failure.code === undefined;
  if (mayNotExist && (await doesNotExist(worker, options, variables))) return false;
  throw failureOf(
    code,
    `${output.trimEnd()}\nNothing was deployed, because the secrets of the Worker ${worker} are unknown: log in with npx wrangler login, or fix what Wrangler reports above, then run this command again.`,
  );
}

/**
 * @param {string} worker
 * @param {string[]} options
 * @param {Record<string, string>} variables
 */
async function doesNotExist(worker, options, variables) {
  const command = ["deployments", "list", "--json", "--name", worker, ...options];
  const failure = findFailure((await captureWrangler(command, variables)).entries);
  return WORKER_NOT_FOUND_CODES.some((code) => code === failure?.code);
}

/** @param {import("./wrangler.mjs").Entry[]} entries */
function findFailure(entries) {
  return entries.find(({ type }) => type === "command-failed");
}
