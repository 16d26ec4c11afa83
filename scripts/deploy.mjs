// npm run deploy: makes the database and the secret when there are none yet, migrates, then deploys.
// Needs a Cloudflare login (`npx wrangler login`) or CLOUDFLARE_API_TOKEN. Arguments go to `wrangler deploy`.
import { randomBytes } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { alone, ask, install, root, run } from "./setup.mjs";

const SECRET = "BETTER_AUTH_SECRET";
/** What the API answers about a Worker that has never been deployed. */
const NO_SUCH_WORKER = /\b10007\b|\b10090\b|does not exist|not found/i;

const database = /database_name = "(.+)"/.exec(readFileSync(join(root, "wrangler.toml"), "utf8"))?.[1] ?? "";

await alone(install);
await ensureDatabase();
await must("wrangler", ["d1", "migrations", "apply", database, "--remote"]);
await deploy(process.argv.slice(2));

async function ensureDatabase() {
  const { code, output } = await ask("wrangler", ["d1", "list", "--json"]);
  if (code !== 0) throw new Error(output);
  const names = JSON.parse(output.slice(output.indexOf("["))).map((/** @type {{ name: string }} */ { name }) => name);
  if (!names.includes(database)) await must("wrangler", ["d1", "create", database]);
}

/** @param {string[]} args */
async function deploy(args) {
  if (await hasSecret()) return must("wrangler", ["deploy", ...args]);
  const folder = mkdtempSync(join(tmpdir(), "edge-tasks-"));
  try {
    const file = join(folder, "secrets.json");
    writeFileSync(file, JSON.stringify({ [SECRET]: randomBytes(32).toString("base64") }), { mode: 0o600 });
    await must("wrangler", ["deploy", "--secrets-file", file, ...args]);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Whether the deployed Worker has its secret. Doubt is an error: a new secret would sign everybody out. */
async function hasSecret() {
  const { code, output } = await ask("wrangler", ["secret", "list", "--format", "json"]);
  if (code === 0) return output.includes(`"${SECRET}"`);
  if (NO_SUCH_WORKER.test(output)) return false;
  throw new Error(output);
}

/**
 * @param {string} command
 * @param {string[]} args
 */
async function must(command, args) {
  const code = await run(command, args);
  if (code !== 0) process.exit(code);
}
