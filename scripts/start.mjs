// npm start: prepares what is missing, then serves on 127.0.0.1:8787. Arguments go to `wrangler dev`.
import { createDevVars } from "./dev-vars.mjs";
import { EXIT_CODE_OF_SIGNAL } from "./failure.mjs";
import { installPackages } from "./install-packages.mjs";
import { withLock } from "./lock.mjs";
import { DEFAULT_PORT, requireFreePort } from "./port.mjs";
import { requireSuccess, run } from "./run.mjs";

const args = process.argv.slice(2);
const asksForHelp = args.some((arg) => ["--help", "-h", "--version", "-v"].includes(arg));

if (!asksForHelp) await requireFreePort(args);
await withLock(async () => {
  await installPackages();
  createDevVars();
  await migrateLocalDatabase();
});

const port = args.some((arg) => arg.startsWith("--port")) ? [] : ["--port", DEFAULT_PORT];
const code = await run("wrangler", ["dev", ...port, ...args]);
// Ctrl-C is how a server is meant to end.
process.exit(code === EXIT_CODE_OF_SIGNAL ? 0 : code);

async function migrateLocalDatabase() {
  const command = ["d1", "migrations", "apply", "DB", "--local"];
  // Without CI, Wrangler asks for a confirmation that nobody could answer.
  const code = await run("wrangler", command, { quiet: true, env: { CI: "true" } });
  requireSuccess(
    code,
    "Local migrations failed: fix what Wrangler reports above, or delete .wrangler/state to start with an empty database.",
  );
}
