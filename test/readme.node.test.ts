import { execFileSync } from "node:child_process";
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { copyProject, removeProject, Server } from "./support/node/server.ts";

const readme = readFileSync("README.md", "utf8");
const section = (title: string) => readme.split(`## ${title}\n`)[1]?.split("\n## ")[0] ?? "";
const fenced = (text: string) => /```\w*\n([\s\S]*?)```/.exec(text)?.[1] ?? "";

describe("npm start", () => {
  let folder: string;
  let server: Server;

  beforeAll(async () => {
    folder = copyProject();
    server = await Server.start(folder);
  });
  afterAll(async () => {
    await server.stop();
    removeProject(folder);
  });

  it("R1 makes a local secret, for this user's eyes, and a migrated database", () => {
    const secret = join(folder, ".dev.vars");
    expect(readFileSync(secret, "utf8")).toMatch(/^BETTER_AUTH_SECRET=[A-Za-z0-9+/]{43}=\nEMAIL_FROM=\S+\n$/);
    expect(statSync(secret).mode & 0o077).toBe(0);
  });

  it("R3 the walk-through works as it stands", () => {
    const script = fenced(section("Try it"));
    const run = (shell: string) => {
      const env = { ...process.env, API: server.url };
      return execFileSync(shell, ["-eu", "-c", script], { env, encoding: "utf8" }).trim().split("\n");
    };
    for (const shell of ["bash", "sh"]) {
      const lines = run(shell).map((line) => JSON.parse(line));
      expect(lines).toMatchObject([
        { data: [{ title: "Buy oat milk", completed: false }], nextCursor: null },
        { title: "Buy two", completed: true, revision: 3 },
        { status: 412, code: "precondition_failed" },
        { success: true },
        { status: 401, code: "session_ended" },
      ]);
    }
  });

  it("R1 T1 ends cleanly at Ctrl-C, starts again with the same secret, and has kept accounts and tasks", async () => {
    const secret = readFileSync(join(folder, ".dev.vars"), "utf8");
    const json = { "content-type": "application/json" };
    const account = JSON.stringify({ name: "Kept", email: "kept@example.com", password: "correct horse battery" });
    const signUp = await fetch(`${server.url}/api/auth/sign-up/email`, {
      method: "POST",
      headers: json,
      body: account,
    });
    const session = { authorization: `Bearer ${signUp.headers.get("set-auth-token")}` };
    const tasks = async () => {
      const answer = await fetch(`${server.url}/api/auth/token`, { headers: session });
      const { token } = (await answer.json()) as { token: string };
      const headers = { ...json, authorization: `Bearer ${token}` };
      return (init: RequestInit = {}) => fetch(`${server.url}/api/v1/users/me/tasks`, { headers, ...init });
    };
    await (await tasks())({ method: "POST", body: JSON.stringify({ title: "Kept" }) });
    expect(await server.stop()).toBe(true);
    expect(server.output).not.toMatch(/npm error|ELIFECYCLE|Unhandled/i);
    expect(await server.isReady()).toBe(false);
    server = await Server.start(folder);
    expect(readFileSync(join(folder, ".dev.vars"), "utf8")).toBe(secret);
    const list = await (await (await tasks())()).json();
    expect(list).toMatchObject({ data: [{ title: "Kept" }] });
  });
});

describe("what the README says of the code", () => {
  it("R3 the code tour is the tree", () => {
    const path: string[] = [];
    const listed = fenced(section("Code tour"))
      .split("\n")
      .filter((line) => line.trim() !== "")
      .flatMap((line) => {
        const depth = (/^ */.exec(line)?.[0].length ?? 0) / 2;
        const name = line.trim().split(/\s{2,}/)[0] ?? "";
        path.splice(depth, path.length, name.replace("/", ""));
        return name.endsWith("/") ? [] : [path.join("/")];
      });
    const tracked = execFileSync("git", ["ls-files", "--cached", "--others", "--exclude-standard", "src"], {
      encoding: "utf8",
    });
    expect(listed.sort()).toEqual(tracked.trim().split("\n").sort());
  });

  it("R3 every file, folder and script that it names is there", () => {
    const { scripts } = JSON.parse(readFileSync("package.json", "utf8"));
    for (const [, name = ""] of readme.matchAll(/npm run ([\w:-]+)/g)) expect(scripts).toHaveProperty([name]);
    for (const [, file = ""] of readme.matchAll(
      /`((?:src|test|migrations|scripts|docs)\/[\w./-]*|biome\.json|wrangler\.toml)`/g,
    )) {
      expect(() => statSync(file), file).not.toThrow();
    }
  });

  it("R3 the variables and their defaults are those of wrangler.toml", () => {
    const toml = readFileSync("wrangler.toml", "utf8").split("[vars]")[1]?.split("\n[")[0] ?? "";
    for (const [, name, value] of toml.matchAll(/^(\w+) = "(.*)"/gm)) {
      const row = new RegExp(`\\| \`${name}\` +\\| variable +\\| ${value === "" ? "" : `${value} `}`);
      expect(section("Configuration")).toMatch(row);
    }
  });
});

describe("what docs/security.md says", () => {
  it("R3 every line of its table names a test that is there", () => {
    const tests = execFileSync("git", ["ls-files", "--cached", "--others", "--exclude-standard", "test"], {
      encoding: "utf8",
    })
      .split("\n")
      .filter((file) => file.endsWith(".test.ts"))
      .map((file) => readFileSync(file, "utf8"))
      .join("\n");
    const rows = [
      ...readFileSync("docs/security.md", "utf8").matchAll(/^\| \d+\.\d+\.\d+ +\| \d +\| .* \| (.+?) +\|$/gm),
    ];
    expect(rows.length).toBeGreaterThan(70);
    for (const [row, proof = ""] of rows) {
      if (proof === "this page" || proof === "platform") continue;
      const named = proof.split("`, `").map((name) => name.replaceAll("`", ""));
      for (const name of named) expect(tests, row).toContain(name);
    }
  });
});
