// Ends a script on a Node that is too old for it.
// Without this check, an old Node fails later, on syntax or a function that it does not have, and prints a stack trace.
import { readFileSync } from "node:fs";

const manifest = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"));
const required = firstNumber(manifest.engines.node);

if (firstNumber(process.versions.node) < required) {
  console.error(
    `Node ${process.versions.node} is too old: install Node ${required} or newer from https://nodejs.org and run this command again.`,
  );
  process.exit(1);
}

/** @param {string} text such as ">=20" or "18.20.8" */
function firstNumber(text) {
  return Number.parseInt(text.replace(/^\D+/, ""), 10);
}
