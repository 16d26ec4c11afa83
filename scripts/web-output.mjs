// Puts built files in place. Other processes read the folder meanwhile, and others build into it.
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";

const ATTEMPTS = 20;

/**
 * Replaces a folder by one with these files, unless it has them already.
 * @param {import("./web-bundle.mjs").Files} files
 * @param {string} folder
 */
export function putInPlace(files, folder) {
  if (has(folder, files)) return;
  mkdirSync(dirname(folder), { recursive: true });
  // Beside the folder, because a rename works within one file system only.
  const temporary = mkdtempSync(join(dirname(folder), ".web-"));
  try {
    const built = join(temporary, "built");
    for (const [name, contents] of files) {
      mkdirSync(dirname(join(built, name)), { recursive: true });
      writeFileSync(join(built, name), contents);
    }
    for (let attempt = 1; !swap(built, folder, join(temporary, `former-${attempt}`)); attempt += 1) {
      if (attempt === ATTEMPTS) throw new Error(`${folder} keeps being replaced: end the other builds of this folder.`);
    }
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
}

/**
 * @param {string} built
 * @param {string} folder
 * @param {string} former where the folder goes
 * @returns {boolean} whether it was done; another build may put its own folder there in between
 */
function swap(built, folder, former) {
  try {
    if (existsSync(folder)) renameSync(folder, former);
    renameSync(built, folder);
    return true;
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    if (code === "ENOENT" || code === "ENOTEMPTY" || code === "EEXIST") return false;
    throw error;
  }
}

/**
 * @param {string} folder
 * @param {import("./web-bundle.mjs").Files} files
 */
function has(folder, files) {
  try {
    const present = readdirSync(folder, { recursive: true }).filter((name) =>
      statSync(join(folder, String(name))).isFile(),
    );
    if (present.length !== files.size) return false;
    return [...files].every(([name, contents]) => readFileSync(join(folder, name)).equals(Buffer.from(contents)));
  } catch {
    return false;
  }
}
