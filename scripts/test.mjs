// npm test: installs what is missing, then checks types and style and runs every test. Arguments go to vitest.
import { EXIT_CODE_OF_SIGNAL } from "./failure.mjs";
import { installPackages } from "./install-packages.mjs";
import { withLock } from "./lock.mjs";
import { run } from "./run.mjs";

await withLock(installPackages);

const steps = [
  { name: "types of the bindings", command: ["npm", "run", "--silent", "types", "--", "--check"], quiet: true },
  { name: "types", command: ["npm", "run", "--silent", "typecheck"] },
  { name: "style", command: ["npm", "run", "--silent", "lint"] },
  { name: "tests", command: ["vitest", "run", ...process.argv.slice(2)] },
];

for (const { name, command, quiet = false } of steps) {
  console.log(`\n== ${name}`);
  const [program = "", ...args] = command;
  const code = await run(program, args, { quiet });
  if (code === 0) continue;
  if (code !== EXIT_CODE_OF_SIGNAL) console.error(`\nnpm test failed: ${name}`);
  process.exit(code);
}
console.log("\nnpm test passed");
