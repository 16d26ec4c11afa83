// Creates .dev.vars, the file with the secrets of a local server, and never overwrites one.
import { randomBytes } from "node:crypto";
import { existsSync, linkSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "./run.mjs";

const file = join(root, ".dev.vars");

/** Creates the file with a random secret and a sender for local mails; throws when an existing file has no secret. */
export function createDevVars() {
  if (existsSync(file)) {
    requireSecret();
    return;
  }
  const lines = [`BETTER_AUTH_SECRET=${randomBytes(32).toString("base64")}`, "EMAIL_FROM=tasks@edge-tasks.localhost"];
  const draft = `${file}.${process.pid}`;
  writeFileSync(draft, `${lines.join("\n")}\n`, { mode: 0o600 });
  // Linking fails when the file exists, where renaming would overwrite it.
  linkSync(draft, file);
  rmSync(draft);
  console.log("Wrote .dev.vars with a random secret. Mails become local files; the server prints their paths.");
}

/** Without a secret the server would start, refuse every request, and tell the reason in its log only. */
function requireSecret() {
  if (/^\s*(?:export\s+)?BETTER_AUTH_SECRETS?\s*[=:][^\S\n]*[^\s#]/m.test(readDevVars())) return;
  throw new Error(
    ".dev.vars has no value for BETTER_AUTH_SECRET: set one, or delete the file and npm start writes it.",
  );
}

function readDevVars() {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    const isFolder = error instanceof Error && "code" in error && error.code === "EISDIR";
    throw isFolder ? new Error(`${file} is a folder: delete it, and npm start writes the file.`) : error;
  }
}
