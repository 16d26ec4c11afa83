/** The package as somebody else gets it: packed from an unbuilt clone, unpacked beside a program, type-checked and run. */
import { execFile } from "node:child_process";
import {
  existsSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { copyProject, removeProject } from "../support/node/server.ts";
import { PROGRAM, startApi, TYPES_OF } from "./package-consumer.ts";

const run = promisify(execFile);
const RUN_WITHIN_MS = 20_000;

let clone: string;
let consumer: string;
let packed: string[];
let api: Server;

beforeAll(async () => {
  clone = copyProject();
  consumer = mkdtempSync(join(tmpdir(), "edge-tasks-consumer-"));
  const cwd = join(clone, "src/client");
  expect(existsSync(join(cwd, "dist"))).toBe(false);
  await run("npm", ["pack", "--pack-destination", consumer], { cwd });
  const [tarball = ""] = readdirSync(consumer);
  const files = (await run("tar", ["-tzf", tarball], { cwd: consumer })).stdout;
  packed = files.trim().split("\n").toSorted();
  const installed = join(consumer, "node_modules/edge-tasks-client");
  mkdirSync(installed, { recursive: true });
  await run("tar", ["-xzf", tarball, "--strip-components=1", "-C", installed], { cwd: consumer });
  writeFileSync(join(consumer, "package.json"), '{ "type": "module" }');
  writeFileSync(join(consumer, "program.js"), PROGRAM);
  api = await startApi();
});
afterAll(() => {
  api.close();
  removeProject(clone);
  rmSync(consumer, { recursive: true });
});

describe("P1 the package of the client", () => {
  it("P1 npm pack builds it from an unbuilt clone: scripts, declarations, manifest, README and licence, nothing else", () => {
    const modules = globSync(["*.ts", "replica/*.ts"], { cwd: "src/client" });
    const built = modules.flatMap((file) => [".js", ".d.ts"].map((end) => `dist/${file.replace(".ts", end)}`));
    expect(packed).toEqual(
      ["LICENSE", "README.md", "package.json", ...built].map((file) => `package/${file}`).toSorted(),
    );
    const installed = join(consumer, "node_modules/edge-tasks-client");
    expect(readFileSync(join(installed, "LICENSE"), "utf8")).toBe(readFileSync("LICENSE", "utf8"));
    const manifest = JSON.parse(readFileSync(join(installed, "package.json"), "utf8"));
    expect(Object.keys(manifest.dependencies)).toEqual(["idb", "uuidv7"]);
    // Only the replica needs them: the client itself imports no package.
    for (const file of globSync("*.js", { cwd: join(installed, "dist") })) {
      expect(readFileSync(join(installed, "dist", file), "utf8"), file).not.toMatch(/from "[^.]/);
    }
  });

  it("P1 its README has at most 100 lines, and its programs have the right types", async () => {
    const readme = readFileSync("src/client/README.md", "utf8");
    expect(readme.trimEnd().split("\n").length).toBeLessThanOrEqual(100);
    const [program = "", ...parts] = [...readme.matchAll(/```ts\n(.*?)```/gs)].map(([, code = ""]) => code);
    expect(program.trim().split("\n").length).toBeLessThanOrEqual(10);
    const [page = "", replica = "", failing = ""] = parts;
    const more = `import { isTasksError } from "edge-tasks-client";\n${program}${failing}`;
    await typecheck(
      "readme",
      { lib: ["es2022", "dom"] },
      {
        "program.ts": more,
        "page.ts": head(program) + page,
        "replica.ts": `${head(program)}const client = createTasksClient({ baseUrl: "" });\ndeclare const userId: string;\n${replica}`,
      },
    );
  });

  it.each(Object.entries(TYPES_OF))(
    "P1 its declarations compile with %s",
    async (name, { packages, code, ...options }) => {
      for (const each of packages) {
        const target = join(consumer, "node_modules", each);
        mkdirSync(dirname(target), { recursive: true });
        if (!existsSync(target)) symlinkSync(resolve("node_modules", each), target);
      }
      await typecheck(name.replaceAll(/\W+/g, "-"), options, { "program.ts": code });
    },
  );

  it("P1 the compiler meets the declarations: a wrong program is refused", async () => {
    const code = 'import { createTasksClient } from "edge-tasks-client";\ncreateTasksClient({ baseUrl: 1 });\n';
    await expect(typecheck("wrong", { lib: ["es2022"] }, { "program.ts": code })).rejects.toMatchObject({
      stdout: expect.stringContaining("TS2322"),
    });
  });

  it("P1 runs on the project's Node", () => expectToRun(process.execPath));

  it.skipIf(!existsSync("/usr/bin/node"))("P1 runs on the system's Node", () => expectToRun("/usr/bin/node"));
});

async function expectToRun(node: string): Promise<void> {
  const { port } = api.address() as AddressInfo;
  const args = ["program.js", `http://127.0.0.1:${port}`];
  // A timer that a call leaves behind would keep the process running.
  const { stdout } = await run(node, args, { cwd: consumer, timeout: RUN_WITHIN_MS });
  expect(JSON.parse(stdout)).toEqual({
    signedIn: "ada@example.com",
    titles: ["Buy oat milk"],
    file: "title\nBuy oat milk\n",
    aborted: "aborted",
    ended: "session_ended",
  });
}

async function typecheck(name: string, options: object, files: Record<string, string>): Promise<void> {
  const folder = join(consumer, name);
  mkdirSync(folder);
  for (const [file, text] of Object.entries(files)) writeFileSync(join(folder, file), text);
  const compilerOptions = {
    ...{ target: "es2022", module: "nodenext", types: [], strict: true, noEmit: true, skipLibCheck: false },
    ...options,
  };
  writeFileSync(join(folder, "tsconfig.json"), JSON.stringify({ compilerOptions, include: ["*.ts"] }));
  await run(resolve("node_modules/.bin/tsc"), ["-p", folder]);
}

/** The import of a program. */
function head(program: string): string {
  return `${program.split("\n")[0]}\n`;
}
