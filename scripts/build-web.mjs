// Builds the pages, src/web, into dist/web. Wrangler runs this before it serves, deploys or tests (wrangler.toml).
// Several may run at once: a build is put in place whole, and only where it differs from what is there.
// Usage: node scripts/build-web.mjs [folder, in place of dist/web]
import "./failure.mjs";
import { join, resolve } from "node:path";
import { gzipSync } from "node:zlib";
import { root } from "./run.mjs";
import { bundleWeb } from "./web-bundle.mjs";
import { putInPlace } from "./web-output.mjs";

const { files, firstView } = await bundleWeb({ sourceMaps: process.env["WRANGLER_COMMAND"] === "dev" });
putInPlace(files, resolve(process.argv[2] ?? join(root, "dist/web")));

const loaded = firstView.map((name) => Buffer.from(files.get(name) ?? ""));
const bytes = loaded.reduce((sum, file) => sum + file.length, 0);
const compressed = loaded.reduce((sum, file) => sum + gzipSync(file, { level: 9 }).length, 0);
console.log(`dist/web: the first view loads ${bytes} bytes of script and style, ${compressed} compressed`);
