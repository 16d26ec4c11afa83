/** What the npm scripts and examples print when something is missing: one sentence, and no stack trace. */
import { type ChildProcess, spawn } from "node:child_process";
import { chmodSync, cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { expect, it as test } from "vitest";

/** A port that nobody listens on, so that a connection is refused at once. */
const NO_SERVER = "http://127.0.0.1:9";
/** Above the largest process id of Linux. */
const DEAD_PROCESS = "4194305";
/** Any port, so that a server of the developer on 8787 does not matter. */
const NPM_START = ["scripts/start.mjs", "--port=0"];

type Result = { code: number | null; output: string };
type Options = { variables?: Record<string, string>; node?: string[] };

/** Each test has a folder of its own, with the scripts and without packages. */
const it = test
  .extend("folder", async ({ task: _ }, { onCleanup }) => {
    const folder = mkdtempSync(join(tmpdir(), "edge-tasks-"));
    onCleanup(() => rmSync(folder, { recursive: true, force: true }));
    for (const path of ["scripts", "package.json", "package-lock.json"]) {
      cpSync(path, join(folder, path), { recursive: true });
    }
    return folder;
  })
  .extend("script", ({ folder }) => (args: string[], { variables = {}, node = [] }: Options = {}) => {
    return resultOf(start(folder, process.execPath, [...node, ...args], variables));
  });

function start(folder: string, command: string, args: string[], variables: Record<string, string>): ChildProcess {
  // In a process group of its own, as in a terminal, where Ctrl-C reaches every process of the group.
  return spawn(command, args, { cwd: folder, env: { ...process.env, ...variables }, detached: true });
}

async function resultOf(child: ChildProcess): Promise<Result> {
  let output = "";
  child.stdout?.on("data", (chunk) => (output += chunk));
  child.stderr?.on("data", (chunk) => (output += chunk));
  const code = await new Promise<number | null>((ended) => child.on("close", ended));
  return { code, output };
}

/** Makes a folder look installed, without a single package. */
function skipInstallation(folder: string): void {
  const lock = JSON.stringify({ packages: {} });
  mkdirSync(join(folder, "node_modules"));
  for (const file of ["package-lock.json", "node_modules/.package-lock.json"]) writeFileSync(join(folder, file), lock);
}

function withProgram(folder: string, name: string, script: string): { PATH: string } {
  const bin = join(folder, "bin");
  mkdirSync(bin);
  writeFileSync(join(bin, name), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  return { PATH: bin };
}

const preload = (code: string) => ["--import", `data:text/javascript,${encodeURIComponent(code)}`];

it.for(["start", "test", "deploy", "build-client"])(
  "R1 scripts/%s.mjs names the Node that it needs on an older one",
  async (name, { script, folder }) => {
    const node = preload(`Object.defineProperty(process, "versions", { value: { node: "18.20.8" } })`);
    const { code, output } = await script([`scripts/${name}.mjs`], { node });
    expect(output).toBe(
      "Node 18.20.8 is too old: install Node 20 or newer from https://nodejs.org and run this command again.\n",
    );
    expect(code).toBe(1);
    expect(existsSync(join(folder, ".wrangler"))).toBe(false);
  },
);

it("R1 npm start without a network says that npm's registry is unreachable", async ({ script, folder }) => {
  const npm = {
    npm_config_registry: NO_SERVER,
    npm_config_fetch_retries: "0",
    npm_config_cache: join(folder, "cache"),
  };
  const { code, output } = await script(NPM_START, { variables: npm });
  expect(output).toBe(
    "Installing packages ...\nnpm cannot reach its registry (ECONNREFUSED): check the network and npm's proxy settings, then run this command again.\n",
  );
  expect(code).toBe(1);
  expect(existsSync(join(folder, ".wrangler/setup.lock"))).toBe(false);
});

it("R1 npm start shows what npm reports when it fails for another reason", async ({ script, folder }) => {
  const variables = withProgram(folder, "npm", "echo 'npm error code EINTEGRITY' >&2; exit 1");
  const { code, output } = await script(NPM_START, { variables });
  expect(output).toBe(
    "Installing packages ...\nnpm error code EINTEGRITY\nnpm ci failed (EINTEGRITY): fix what npm reports above, then run this command again.\n",
  );
  expect(code).toBe(1);
});

it("R1 npm test ends silently at Ctrl-C, and releases the lock", async ({ folder }) => {
  const started = join(folder, "started");
  const variables = withProgram(folder, "npm", `: > "${started}"; exec /bin/sleep 30`);
  const child = start(folder, process.execPath, ["scripts/test.mjs"], variables);
  const result = resultOf(child);
  await expect.poll(() => existsSync(started), { timeout: 10_000 }).toBe(true);
  process.kill(-(child.pid ?? 0), "SIGINT");
  expect(await result).toEqual({ code: 130, output: "Installing packages ...\n" });
  expect(existsSync(join(folder, ".wrangler/setup.lock"))).toBe(false);
});

it("R1 npm start without npm or wrangler names what is missing", async ({ script, folder }) => {
  const variables = { PATH: join(folder, "empty") };
  expect((await script(NPM_START, { variables })).output).toBe(
    "Installing packages ...\nnpm is missing: install Node from https://nodejs.org, which includes npm.\n",
  );
  skipInstallation(folder);
  const { code, output } = await script(NPM_START, { variables });
  expect(output).toContain(
    "\nwrangler is missing: delete the folder node_modules and run npm start, which installs it.\n",
  );
  expect(code).toBe(1);
});

it("R1 npm start names a port that is in use before it prepares anything", async ({ script, folder }) => {
  const server = createServer();
  await new Promise<void>((listening) => server.listen(0, "localhost", listening));
  const address = server.address();
  const port = typeof address === "object" ? (address?.port ?? 0) : 0;
  try {
    for (const args of [["--port", String(port)], [`--port=${port}`]]) {
      const { code, output } = await script(["scripts/start.mjs", ...args]);
      expect(output).toMatch(
        `Port ${port} is in use: stop the program that uses it, or choose another port: npm start -- --port `,
      );
      expect([code, output.trim().split("\n").length]).toEqual([1, 1]);
    }
    expect(existsSync(join(folder, ".wrangler"))).toBe(false);
  } finally {
    server.close();
  }
});

it("R1 npm start names a folder that it may not write to", async ({ script, folder }) => {
  // Permissions do not restrict root, so the script continues as another user.
  const node = preload("if (process.getuid() === 0) { process.setgid(65534); process.setuid(65534); }");
  chmodSync(folder, 0o555);
  const message = (path: string) =>
    `No permission for ${join(folder, path)} (EACCES): change its owner, or copy the project to a folder that you may write to.\n`;
  expect(await script(NPM_START, { node })).toEqual({ code: 1, output: message(".wrangler") });
  chmodSync(folder, 0o755);
  mkdirSync(join(folder, ".wrangler"));
  chmodSync(join(folder, ".wrangler"), 0o555);
  expect(await script(NPM_START, { node })).toEqual({ code: 1, output: message(".wrangler/setup.lock") });
});

it("R1 npm start takes over the lock of a process that no longer runs", async ({ script, folder }) => {
  mkdirSync(join(folder, ".wrangler"));
  writeFileSync(join(folder, ".wrangler/setup.lock"), DEAD_PROCESS);
  const { output } = await script(NPM_START, { variables: { PATH: "" } });
  expect(output).toContain("npm is missing");
  expect(existsSync(join(folder, ".wrangler/setup.lock"))).toBe(false);
});

it.for([
  ["without a secret", "BETTER_AUTH_SECRET=\nEMAIL_FROM=a@example.com\n"],
  ["with a secret that is a comment", "# BETTER_AUTH_SECRET=secret\nBETTER_AUTH_SECRET= # none\n"],
] as const)("R1 npm start rejects a .dev.vars %s, and keeps it", async ([, text], { script, folder }) => {
  skipInstallation(folder);
  writeFileSync(join(folder, ".dev.vars"), text);
  const { code, output } = await script(NPM_START);
  expect(output).toBe(
    ".dev.vars has no value for BETTER_AUTH_SECRET: set one, or delete the file and npm start writes it.\n",
  );
  expect(code).toBe(1);
  expect(readFileSync(join(folder, ".dev.vars"), "utf8")).toBe(text);
});

it("R1 npm start names a damaged package-lock.json", async ({ script, folder }) => {
  writeFileSync(join(folder, "package-lock.json"), "<<<<<<< HEAD\n");
  const { code, output } = await script(NPM_START);
  expect(output).toBe("package-lock.json is missing or damaged: restore it with git checkout package-lock.json.\n");
  expect(code).toBe(1);
});

const TAKEN_BY_NPM =
  "Nothing was deployed: npm keeps options that are not after --, so write npm run deploy -- --env staging.\n";
const OFFLINE = { npm_config_registry: NO_SERVER, npm_config_fetch_retries: "0" };

it.for([[["-e=staging"]], [["-e", "staging"]], [["-e", "prod-1"]], [["staging"]], [["-e"]]] as const)(
  "R2 npm run deploy %j, of which npm passes nothing on or the name alone, is refused with one sentence",
  async ([args], { folder }) => {
    const variables = { ...OFFLINE, npm_config_cache: join(folder, "cache") };
    const { code, output } = await resultOf(start(folder, "npm", ["run", "--silent", "deploy", ...args], variables));
    expect({ code, output }).toEqual({ code: 1, output: TAKEN_BY_NPM });
    expect(existsSync(join(folder, ".wrangler"))).toBe(false);
  },
);

it("R2 npm run deploy does not take an earlier command's -e, nor one after --, for its own", async ({ folder }) => {
  const variables = { ...OFFLINE, npm_config_cache: join(folder, "cache") };
  const deploy = (...args: string[]) => resultOf(start(folder, "npm", ["run", "deploy", ...args], variables));
  expect((await deploy("-e=staging")).output).toContain(TAKEN_BY_NPM);
  for (const args of [[], ["--", "-e", "staging"]]) expect((await deploy(...args)).output).toContain("ECONNREFUSED");
});

it("R3 npm run seed without a server says how to start one", async ({ script }) => {
  const { code, output } = await script([resolve("scripts/seed.ts")], { variables: { API: NO_SERVER } });
  expect(output).toBe(`No answer from ${NO_SERVER}: run npm start in another terminal, or set API to a server.\n`);
  expect(code).toBe(1);
});

it("R3 examples/tasks.ts says that the client is not built", async ({ script, folder }) => {
  cpSync("examples", join(folder, "examples"), { recursive: true });
  const { code, output } = await script(["examples/tasks.ts"]);
  expect(output).toBe("The client is not built: run npm run build:client, then run this program again.\n");
  expect(code).toBe(1);
});

it.for([
  ["without curl", { PATH: "" }, "curl is missing: install curl 7.84 or newer, then run this example again."],
  ["without a server", {}, `No answer from ${NO_SERVER}: run npm start in another terminal, or set API to a server.`],
] as const)("R3 examples/tasks.sh %s says what to do", async ([, variables, sentence], { folder }) => {
  const args = [resolve("examples/tasks.sh")];
  const result = await resultOf(start(folder, "/bin/bash", args, { API: NO_SERVER, ...variables }));
  expect(result).toEqual({ code: 1, output: `${sentence}\n` });
});
