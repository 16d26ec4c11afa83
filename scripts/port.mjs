// Checks that `wrangler dev` can listen where its arguments say. Wrangler itself finds out only after the whole setup.
import { lookup } from "node:dns/promises";
import { createServer } from "node:net";

/** Where `wrangler dev` listens without --ip. */
const DEFAULT_HOST = "localhost";
export const DEFAULT_PORT = "8787";

/**
 * Throws when the port is taken, or when this user may not listen on it. Wrangler judges a value that is no port.
 * @param {string[]} args those of `wrangler dev`
 */
export async function requireFreePort(args) {
  const port = optionOf("--port", args) ?? DEFAULT_PORT;
  if (!/^\d+$/.test(port) || Number(port) < 1 || Number(port) > 65_535) return;
  for (const address of await addressesOf(optionOf("--ip", args) ?? DEFAULT_HOST)) {
    const code = await listen(Number(port), address);
    if (code === "EADDRINUSE") {
      const other = Number(port) + (port === "65535" ? -1 : 1);
      throw new Error(
        `Port ${port} is in use: stop the program that uses it, or choose another port: npm start -- --port ${other}`,
      );
    }
    if (code === "EACCES") {
      throw new Error(`No permission to listen on port ${port}: choose another port: npm start -- --port 8787`);
    }
  }
}

/** @param {string} host */
async function addressesOf(host) {
  if (host === "*") return ["0.0.0.0"];
  try {
    return (await lookup(host, { all: true })).map(({ address }) => address);
  } catch {
    // Wrangler reports a host that it cannot listen on.
    return [];
  }
}

/**
 * @param {number} port
 * @param {string} address
 * @returns {Promise<string | undefined>} the code of the error, if there is one
 */
function listen(port, address) {
  const server = createServer();
  return new Promise((resolve) => {
    server.on("error", (/** @type {NodeJS.ErrnoException} */ error) => resolve(error.code));
    server.listen(port, address, () => server.close(() => resolve(undefined)));
  });
}

/**
 * @param {string} name
 * @param {string[]} args
 * @returns {string | undefined}
 */
function optionOf(name, args) {
  const at = args.findLastIndex((arg) => arg === name || arg.startsWith(`${name}=`));
  if (at === -1) return undefined;
  return args[at] === name ? args[at + 1] : args[at]?.slice(name.length + 1);
}
