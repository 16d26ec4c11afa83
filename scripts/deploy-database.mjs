// Prints, as JSON, the D1 database that a deployment with these arguments binds as DB.
// A process of its own, because it imports Wrangler: that needs the installed packages and the project's own Node.
import { existsSync } from "node:fs";
import { unstable_readConfig as readConfig } from "wrangler";
import { parseArguments } from "./deploy-arguments.mjs";

const BINDING = "DB";

const { config, cwd, env, envFiles } = parseArguments(process.argv.slice(2));
if (cwd) process.chdir(cwd);
// These files may set CLOUDFLARE_ENV. Node keeps a variable that is already set, so the file that wins is loaded first.
for (const file of envFiles.toReversed()) if (existsSync(file)) process.loadEnvFile(file);

const { d1_databases: databases } = readConfig({ config, env }, { hideWarnings: true });
const database = databases.find((/** @type {{ binding: string }} */ { binding }) => binding === BINDING);
if (!database?.database_name) {
  console.error(
    `The binding ${BINDING} has no database_name in the Wrangler configuration: add one, then run this command again.`,
  );
  process.exit(1);
}
console.log(JSON.stringify({ name: database.database_name, id: database.database_id }));
