// npm run build:client: builds src/client into its dist folder, with types, and prints its size. `npm pack` in src/client
// runs it as well. It then links the package into node_modules, so that this project's programs import it by its name.
import { copyFileSync, existsSync, readdirSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { installPackages } from "./install-packages.mjs";
import { withLock } from "./lock.mjs";
import { requireSuccess, root, run } from "./run.mjs";

const folder = join(root, "src/client");
const dist = join(folder, "dist");
const link = join(root, "node_modules/edge-tasks-client");

await withLock(async () => {
  await installPackages();
  rmSync(dist, { recursive: true, force: true });
  const code = await run("tsc", ["-p", "tsconfig.client-build.json"]);
  requireSuccess(code, "The client is not built: fix what tsc reports above, then run this command again.");
  copyFileSync(join(root, "LICENSE"), join(folder, "LICENSE"));
  if (!existsSync(link)) symlinkSync("../src/client", link, "junction");
});

// npm reads what `npm pack` prints, so this goes to the other stream.
for (const part of ["", "replica"]) console.error(`src/client/dist/${part}: ${sizeOf(join(dist, part))}`);

/** @param {string} part */
function sizeOf(part) {
  const scripts = readdirSync(part).filter((file) => file.endsWith(".js"));
  const bytes = Buffer.concat(scripts.map((file) => readFileSync(join(part, file))));
  return `${bytes.length} bytes of JavaScript, ${gzipSync(bytes).length} compressed`;
}
