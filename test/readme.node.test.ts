import { execFileSync } from "node:child_process";
import { globSync, readFileSync, statSync } from "node:fs";
import { basename, dirname, join } from "node:path";
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

  it("R1 creates a local secret that only this user can read, and a migrated database", () => {
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
      // The sample above it shows the same refusal, at another revision.
      expect(readme).toContain(`"detail":"${lines[2].detail.replace("revision 3", "revision 8")}"`);
    }
  });

  it("R1 T1 ends cleanly at Ctrl-C, and starts again with the same secret, accounts and tasks", async () => {
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

const PAGES = ["README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md", ...globSync("docs/*.md")];
const pages = PAGES.map((page) => [page, readFileSync(page, "utf8")] as const);

/** The id that a forge gives a heading. */
const anchorOf = (heading: string) =>
  heading
    .toLowerCase()
    .replaceAll(/[^\w\s-]/g, "")
    .replaceAll(" ", "-");

describe("the pages", () => {
  it("R3 the README has at most 160 lines, and links to what it is built on", () => {
    expect(readme.trimEnd().split("\n").length).toBeLessThanOrEqual(160);
    for (const link of ["hono.dev", "better-auth.com", "developers.cloudflare.com/d1", "orm.drizzle.team"]) {
      expect(readme).toContain(`https://${link}`.replace("https://better-auth", "https://www.better-auth"));
    }
  });

  it.each(pages)("R3 %s names only files, scripts and headings that exist", (page, text) => {
    const { scripts } = JSON.parse(readFileSync("package.json", "utf8"));
    for (const [, name = ""] of text.matchAll(/npm run ([\w:-]+)/g)) expect(scripts).toHaveProperty([name]);
    const named = /`((?:src|test|migrations|scripts|docs|bench|examples)\/[\w./-]*|biome\.json|wrangler\.toml)`/g;
    for (const [, file = ""] of text.matchAll(named)) expect(() => statSync(file), file).not.toThrow();
    for (const [, target = ""] of text.matchAll(/\]\((?!https?:)([^)]+)\)/g)) {
      const [path = "", anchor] = target.split("#");
      const file = path === "" ? page : join(dirname(page), path);
      expect(() => statSync(file), target).not.toThrow();
      if (anchor === undefined) continue;
      const headings = [...readFileSync(file, "utf8").matchAll(/^#+ (.+)$/gm)].map(([, heading = ""]) => heading);
      expect(headings.map(anchorOf), target).toContain(anchor);
    }
  });

  it("R3 docs/architecture.md names every folder of src", () => {
    const architecture = readFileSync("docs/architecture.md", "utf8");
    const folders = globSync("src/*/**/*.ts", { exclude: ["src/client/dist/**"] }).map((file) => dirname(file));
    for (const folder of new Set(folders)) {
      const isNamed = architecture.includes(`\`${folder}\``) || architecture.includes(`\`${basename(folder)}\``);
      expect(isNamed, folder).toBe(true);
    }
  });

  it("R3 docs/operating.md has every variable of wrangler.toml, with its default", () => {
    const toml = readFileSync("wrangler.toml", "utf8").split("[vars]")[1]?.split("\n[")[0] ?? "";
    const operating = readFileSync("docs/operating.md", "utf8");
    for (const [, name, value] of toml.matchAll(/^(\w+) = "(.*)"/gm)) {
      expect(operating).toMatch(new RegExp(`\\| \`${name}\` +\\| variable +\\| ${value === "" ? "" : `${value} `}`));
    }
  });
});

const testFiles = globSync("test/**/*.test.ts");
const testTexts = testFiles.map((file) => readFileSync(file, "utf8")).join("\n");

describe("docs/requirements.md", () => {
  const [current = "", planned = ""] = readFileSync("docs/requirements.md", "utf8").split("\n## Planned\n");
  const rowsOf = (text: string) => [...text.matchAll(/^- ([A-Z]\d+) /gm)].map(([, row = ""]) => row);
  /** A row in the name of a test, also where one name carries several rows. */
  const isTested = (row: string) => new RegExp(`["\`](?:[A-Z]\\d+ )*${row} `).test(testTexts);

  it("R3 every row is named by a test, or is planned", () => {
    expect(rowsOf(current).length).toBeGreaterThanOrEqual(40);
    expect(rowsOf(current).filter((row) => !isTested(row))).toEqual([]);
    expect(new Set([...rowsOf(current), ...rowsOf(planned)]).size).toBe(rowsOf(current + planned).length);
  });

  it("R3 every test is named by a row", () => {
    const named = [...testTexts.matchAll(/\b(?:it|describe)(?:\.\w+)?(?:\([^"`]*\))?\(\s*["`]((?:[STULPRKW]\d+ )+)/g)];
    const known = [...rowsOf(current), ...rowsOf(planned)];
    expect(named.length).toBeGreaterThan(300);
    expect(named.flatMap(([, rows = ""]) => rows.trim().split(" ")).filter((row) => !known.includes(row))).toEqual([]);
  });
});

describe("docs/security.md", () => {
  it("R3 every line of its table names a test that exists", () => {
    const rows = [
      ...readFileSync("docs/security.md", "utf8").matchAll(/^\| \d+\.\d+\.\d+ +\| \d +\| .* \| (.+?) +\|$/gm),
    ];
    expect(rows.length).toBeGreaterThan(70);
    for (const [row, proof = ""] of rows) {
      if (proof === "this page" || proof === "platform") continue;
      const named = proof.split("`, `").map((name) => name.replaceAll("`", ""));
      for (const name of named) expect(testTexts, row).toContain(name);
    }
  });
});
