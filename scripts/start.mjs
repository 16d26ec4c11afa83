// npm start: sets up what is missing, then serves on 127.0.0.1:8787. Arguments go to `wrangler dev`.
import { alone, ENDED_BY_SIGNAL, install, makeVariables, migrate, run } from "./setup.mjs";

await alone(async () => {
  await install();
  makeVariables();
  await migrate();
});

const args = process.argv.slice(2);
const port = args.some((arg) => arg.startsWith("--port")) ? [] : ["--port", "8787"];
const code = await run("wrangler", ["dev", ...port, ...args]);
process.exit(code === ENDED_BY_SIGNAL ? 0 : code);
