// npm run seed: installs what is missing, then runs seed.ts with the project's own Node. Arguments go to seed.ts.
import { installPackages } from "./install-packages.mjs";
import { withLock } from "./lock.mjs";
import { run } from "./run.mjs";

await withLock(installPackages);
process.exit(await run("node", ["scripts/seed.ts", ...process.argv.slice(2)]));
