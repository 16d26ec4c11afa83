// npm run deploy: creates the database and the secret when they do not exist, migrates, then deploys.
// Needs a Cloudflare login (`npx wrangler login`) or CLOUDFLARE_API_TOKEN. Arguments go to `wrangler deploy`; those that
// choose an environment, a configuration or an account go to every step. All checks run before the first change.
import { randomBytes } from "node:crypto";
import { existsSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { parseArguments, rejectOptionsTakenByNpm } from "./deploy-arguments.mjs";
import { hasSecret, SECRET } from "./deploy-secret.mjs";
import { installPackages } from "./install-packages.mjs";
import { withLock } from "./lock.mjs";
import { readNpmArguments } from "./npm-log.mjs";
import { capture, requireSuccess, root, run } from "./run.mjs";
import { withTemporaryFolder } from "./temporary-folder.mjs";
import { captureWrangler, parseNames } from "./wrangler.mjs";

const NOTHING_DEPLOYED =
  "Nothing was deployed: log in with npx wrangler login, or fix what Wrangler reports above, then run this command again.";

const args = process.argv.slice(2);
rejectOptionsTakenByNpm(args, process.env, readNpmArguments(process.env));
const { deploys, withoutDryRun, shared, sharedWithoutEnv, env, envFiles, cwd = "." } = parseArguments(args);

await withLock(installPackages);
if (!deploys) process.exit(await run("wrangler", ["deploy", ...args]));

const worker = await readWorkerName();
const database = await readDatabase();
const isNewDatabase = database.id === undefined && !(await listDatabases()).includes(database.name);
const isNewSecret = !(await hasDeployedSecret());

if (isNewDatabase) await runWrangler(["d1", "create", database.name], shared);
await runWrangler(["d1", "migrations", "apply", database.name], ["--remote", ...shared]);
if (isNewSecret) await deployWithNewSecret();
else await runWrangler(["deploy"], args);

/**
 * Lets Wrangler check the arguments and build the Worker, before any remote change.
 * @returns {Promise<string>} the name of the Worker that these arguments deploy
 */
async function readWorkerName() {
  const { code, output, entries } = await captureWrangler(["deploy", "--dry-run=true", ...withoutDryRun]);
  requireSuccess(code, explain(output));
  const name = entries.find(({ type }) => type === "deploy")?.worker_name;
  if (typeof name !== "string") throw new Error(explain(output));
  return name;
}

/** @returns {Promise<{ name: string, id?: string }>} */
async function readDatabase() {
  const { code, stdout, output } = await capture("node", ["scripts/deploy-database.mjs", ...shared]);
  requireSuccess(code, output.trimEnd());
  return JSON.parse(stdout);
}

async function listDatabases() {
  const { code, stdout, output } = await captureWrangler(["d1", "list", "--json", ...shared]);
  requireSuccess(code, explain(output));
  return parseNames("wrangler d1 list", stdout);
}

function hasDeployedSecret() {
  if (!env) return hasSecret(worker, shared, {});
  // CLOUDFLARE_ENV replaces --env, but does not choose the .env files, and Wrangler fails on a file that does not exist.
  const files = envFiles.map((file) => resolve(root, cwd, file)).filter((file) => existsSync(file));
  const options = [...sharedWithoutEnv, ...files.map((file) => `--env-file=${file}`)];
  return hasSecret(worker, options, { CLOUDFLARE_ENV: env });
}

function deployWithNewSecret() {
  return withTemporaryFolder(async (folder) => {
    const file = join(folder, "secrets.json");
    writeFileSync(file, JSON.stringify({ [SECRET]: randomBytes(32).toString("base64") }), { mode: 0o600 });
    await runWrangler(["deploy"], ["--secrets-file", file, ...args]);
  });
}

/**
 * Throws on failure instead of exiting, so that the file with the secret is deleted.
 * @param {string[]} command
 * @param {string[]} options
 */
async function runWrangler(command, options) {
  const code = await run("wrangler", [...command, ...options]);
  const message = `wrangler ${command.join(" ")} failed: fix what it reports above, then run this command again.`;
  requireSuccess(code, message);
}

/** @param {string} output */
function explain(output) {
  return `${output.trimEnd()}\n${NOTHING_DEPLOYED}`;
}
