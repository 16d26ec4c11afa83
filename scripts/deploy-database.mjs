// Prints, as JSON, the D1 database that a deployment with these arguments binds as DB.
// Reads the configuration as Wrangler does, and so needs the project's own Node.
import { existsSync } from "node:fs";
import { unstable_readConfig as readConfig } from "wrangler";
import { parseArguments } from "./deploy-arguments.mjs";

const BINDING = "DB";

const { config, cwd, env, envFiles } = parseArguments(process.argv.slice(2));
if (cwd) process.chdir(cwd);
// They may set CLOUDFLARE_ENV. A variable that is there already is kept, so the file that wins comes first.
for (const file of envFiles.toReversed()) if (existsSync(file)) process.loadEnvFile(file);

const { d1_databases: databases } = readConfig({ config, env }, { hideWarnings: true });
const database = databases.find((/** @type {{ binding: string }} */ { binding }) => binding === BINDING);
if (!database?.database_name) {
  console.error(`The configuration names no D1 database for the binding ${BINDING}; give it a database_name.`);
  process.exit(1);
}
console.log(JSON.stringify({ name: database.database_name, id: database.database_id }));
