// npm run build:client: builds src/client into dist/client, with types, and prints its size.
import { readdirSync, readFileSync, rmSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { run } from "./setup.mjs";

rmSync("dist/client", { recursive: true, force: true });
const code = await run("tsc", ["-p", "tsconfig.client.json"]);
if (code !== 0) process.exit(code);

const scripts = readdirSync("dist/client").filter((file) => file.endsWith(".js"));
const bytes = Buffer.concat(scripts.map((file) => readFileSync(`dist/client/${file}`)));
console.log(`dist/client: ${bytes.length} bytes of JavaScript, ${gzipSync(bytes).length} compressed`);
