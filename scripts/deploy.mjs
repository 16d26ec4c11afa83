// npm run deploy: makes the database and the secret when there are none yet, migrates, then deploys.
// Needs a Cloudflare login (`npx wrangler login`) or CLOUDFLARE_API_TOKEN. Arguments go to `wrangler deploy`; those
// that choose an environment, a configuration or an account go to every step. Asks first, and stops in doubt.
import { randomBytes } from "node:crypto";
import { existsSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { ask, inTemporaryFolder, parseNames } from "./ask.mjs";
import { parseArguments, refuseSwallowed } from "./deploy-arguments.mjs";
import { hasSecret, SECRET } from "./deploy-secret.mjs";
import { alone, install, root, run } from "./setup.mjs";

const args = process.argv.slice(2);
refuseSwallowed(args, process.env);
const { deploys, withoutDryRun, shared, sharedButEnv, env, envFiles, cwd = "." } = parseArguments(args);

await alone(install);
if (!deploys) process.exit(await run("wrangler", ["deploy", ...args]));

const worker = await rehearse();
const database = await readDatabase();
const isNewDatabase = database.id === undefined && !(await listDatabases()).includes(database.name);
const isNewSecret = !(await hasSecretThere());

if (isNewDatabase) await must(["d1", "create", database.name], shared);
await must(["d1", "migrations", "apply", database.name], ["--remote", ...shared]);
if (isNewSecret) await deployWithSecret();
else await must(["deploy"], args);

/**
 * Has Wrangler judge the arguments and build the Worker before anything remote happens.
 * @returns {Promise<string>} the name of the Worker that these arguments deploy
 */
async function rehearse() {
  const { ok, output, entries } = await ask("wrangler", ["deploy", "--dry-run=true", ...withoutDryRun]);
  const name = entries.find(({ type }) => type === "deploy")?.worker_name;
  if (!ok || typeof name !== "string") throw new Error(output);
  return name;
}

/** @returns {Promise<{ name: string, id?: string }>} */
async function readDatabase() {
  const { ok, stdout, output } = await ask("node", ["scripts/deploy-database.mjs", ...shared]);
  if (!ok) throw new Error(output);
  return JSON.parse(stdout);
}

async function listDatabases() {
  const { ok, stdout, output } = await ask("wrangler", ["d1", "list", "--json", ...shared]);
  if (!ok) throw new Error(output);
  return parseNames("wrangler d1 list", stdout);
}

function hasSecretThere() {
  if (!env) return hasSecret(worker, shared, {});
  // CLOUDFLARE_ENV stands for --env, but does not choose the .env files. Node fails on one that is not there.
  const files = envFiles.map((file) => resolve(root, cwd, file)).filter((file) => existsSync(file));
  return hasSecret(worker, [...sharedButEnv, ...files.map((file) => `--env-file=${file}`)], { CLOUDFLARE_ENV: env });
}

function deployWithSecret() {
  return inTemporaryFolder(async (folder) => {
    const file = join(folder, "secrets.json");
    writeFileSync(file, JSON.stringify({ [SECRET]: randomBytes(32).toString("base64") }), { mode: 0o600 });
    await must(["deploy"], ["--secrets-file", file, ...args]);
  });
}

/**
 * Throws rather than exits, so that the file with the secret is removed.
 * @param {string[]} command
 * @param {string[]} options
 */
async function must(command, options) {
  const code = await run("wrangler", [...command, ...options]);
  if (code !== 0) throw new Error(`wrangler ${command.join(" ")} failed.`);
}
