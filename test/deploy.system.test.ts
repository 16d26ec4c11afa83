import { spawn } from "node:child_process";
import { appendFileSync, mkdtempSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it as test } from "vitest";
import { parseArguments } from "../scripts/deploy-arguments.mjs";
import { hasSecret } from "../scripts/deploy-secret.mjs";
import { CloudflareApi } from "./support/node/cloudflare-api.ts";
import { copyProject, removeProject } from "./support/node/server.ts";

const STAGING = `
[env.staging]
name = "edge-tasks-staging"
[[env.staging.d1_databases]]
binding = "DB"
database_name = "edge-tasks-staging"
migrations_dir = "migrations"
`;
const MIGRATIONS = readdirSync("migrations").sort();

const SECRETS = "GET /workers/scripts/edge-tasks/secrets";
const DEPLOYMENTS = "GET /workers/scripts/edge-tasks/deployments";
const STOPPED = "Nothing was deployed, because the secrets of the Worker edge-tasks are unknown";

type Run = { code: number | null; output: string };
type Deploy = (args: string[], variables?: Record<string, string>) => Promise<Run>;

let project: string;

beforeAll(() => {
  project = copyProject();
  const config = join(project, "wrangler.toml");
  if (!readFileSync(config, "utf8").includes("[env.staging]")) appendFileSync(config, STAGING);
});
afterAll(() => removeProject(project));

/** Each test has an account of its own. */
const it = test
  .extend("api", async ({ task: _ }, { onCleanup }) => {
    const api = new CloudflareApi();
    onCleanup(() => api.close());
    return api;
  })
  .extend("account", ({ api }) => api.listen())
  .extend("deploy", ({ account }): Deploy => {
    return (args, variables = {}) => run(args, { ...account, CI: "true", ...variables });
  });

const run = (args: string[], variables: Record<string, string>): Promise<Run> =>
  start(process.execPath, ["scripts/deploy.mjs", ...args], variables);

async function start(command: string, args: string[], variables: Record<string, string>): Promise<Run> {
  const env = { ...process.env, ...variables };
  const child = spawn(command, args, { cwd: project, env });
  let output = "";
  child.stdout.on("data", (chunk) => (output += chunk));
  child.stderr.on("data", (chunk) => (output += chunk));
  const code = await new Promise<number | null>((resolve) => child.on("close", resolve));
  return { code, output };
}

/** An error without a code, whose message looks like one with Cloudflare's code. */
function withoutCode(message: string): string {
  return JSON.stringify({ success: false, errors: [{ message }], messages: [], result: null });
}

function migrationsOf(api: CloudflareApi, database: string) {
  const applied = api.databases.get(database)?.sqlite.prepare("select name from d1_migrations order by name").all();
  return applied?.map(({ name }) => name);
}

function secretsOf(api: CloudflareApi, worker: string) {
  return Object.fromEntries(api.workers.get(worker)?.secrets ?? []);
}

/** The names of the Workers in the paths of the calls. */
function workersIn(calls: string[]): string[] {
  const names = calls.flatMap((call) => /\/workers\/(?:scripts|services|workers)\/([^/]+)/.exec(call)?.[1] ?? []);
  return [...new Set(names)];
}

describe("npm run deploy", () => {
  it("R2 creates the database and the secret, migrates, then uploads; the next deployment keeps both", async ({
    api,
    deploy,
  }) => {
    const first = await deploy([]);
    expect(first.code, first.output).toBe(0);
    expect(migrationsOf(api, "edge-tasks")).toEqual(MIGRATIONS);
    const { BETTER_AUTH_SECRET = "", ...others } = secretsOf(api, "edge-tasks");
    expect(Buffer.from(BETTER_AUTH_SECRET, "base64")).toHaveLength(32);
    expect(others).toEqual({});
    expect(first.output).not.toContain(BETTER_AUTH_SECRET);
    const migrated = api.calls.findLastIndex((call) => call.endsWith("/query"));
    const uploaded = api.calls.findIndex((call) => call.startsWith("PUT /workers/scripts/edge-tasks"));
    expect(uploaded).toBeGreaterThan(migrated);

    expect(api.paths).toEqual(expect.arrayContaining(["/index.html", "/docs.html", "/service-worker.js"]));
    expect(api.paths.filter((path) => /_headers|\.map$|\.tsx?$/.test(path))).toEqual([]);
    const uploads = () => api.calls.filter((call) => call === "POST /workers/assets/upload").length;
    const uploadedFiles = uploads();
    expect(uploadedFiles).toBeGreaterThan(0);

    const next = await deploy(["--dry-run=false"]);
    expect(next.code, next.output).toBe(0);
    expect(secretsOf(api, "edge-tasks")).toEqual({ BETTER_AUTH_SECRET });
    expect(api.writes.filter((call) => call === "POST /d1/database")).toHaveLength(1);
    expect(api.workers.get("edge-tasks")?.deployments).toBe(2);
    expect(uploads()).toBe(uploadedFiles);
  });

  it("R2 makes no API call with --dry-run or --help", async ({ api, deploy }) => {
    for (const args of [["--dry-run"], ["--dryRun=true", "--env", "staging"], ["-h"]]) {
      const { code, output } = await deploy(args);
      expect(code, output).toBe(0);
      expect(output).toContain(args[0]?.includes("ry") ? "--dry-run: exiting now." : "wrangler deploy [path]");
    }
    expect(api.calls).toEqual([]);
  });

  it("R2 --env chooses the database, the migrations, the Worker and its secret", async ({ api, deploy }) => {
    api.createDatabase("edge-tasks");
    api.createWorker("edge-tasks", { BETTER_AUTH_SECRET: "production" });
    const { code, output } = await deploy(["-e=staging"]);
    expect(code, output).toBe(0);
    expect([...api.databases.keys()]).toEqual(["edge-tasks", "edge-tasks-staging"]);
    expect(migrationsOf(api, "edge-tasks-staging")).toEqual(MIGRATIONS);
    expect(Object.keys(secretsOf(api, "edge-tasks-staging"))).toEqual(["BETTER_AUTH_SECRET"]);
    expect(api.databases.get("edge-tasks")?.sqlite.prepare("select name from sqlite_schema").all()).toEqual([]);
    expect(workersIn(api.calls)).toEqual(["edge-tasks-staging"]);
    expect(secretsOf(api, "edge-tasks")).toEqual({ BETTER_AUTH_SECRET: "production" });
  });

  it("R2 CLOUDFLARE_ENV chooses as --env does, --config chooses the configuration; an existing database and secret are kept", async ({
    api,
    deploy,
  }) => {
    const config = "elsewhere.toml";
    const text = readFileSync(join(project, "wrangler.toml"), "utf8");
    writeFileSync(join(project, config), text.replaceAll("edge-tasks", "elsewhere"));
    // Ten make a page.
    for (let other = 1; other <= 12; other += 1) api.createDatabase(`other-${other}`);
    api.createDatabase("elsewhere-staging");
    api.createWorker("elsewhere-staging", { BETTER_AUTH_SECRET: "kept" });
    const { code, output } = await deploy(["--config", config], { CLOUDFLARE_ENV: "staging" });
    expect(code, output).toBe(0);
    expect(api.writes).not.toContain("POST /d1/database");
    expect(migrationsOf(api, "elsewhere-staging")).toEqual(MIGRATIONS);
    expect([...api.workers.keys()]).toEqual(["elsewhere-staging"]);
    expect(secretsOf(api, "elsewhere-staging")).toEqual({ BETTER_AUTH_SECRET: "kept" });
    expect(api.workers.get("elsewhere-staging")?.deployments).toBe(2);
  });

  it("R2 --name reads the secrets of that Worker, with --env too", async ({ api, deploy }) => {
    api.createDatabase("edge-tasks-staging");
    api.createWorker("other", { BETTER_AUTH_SECRET: "kept" });
    const { code, output } = await deploy(["--name", "other", "--env", "staging"]);
    expect(code, output).toBe(0);
    expect(secretsOf(api, "other")).toEqual({ BETTER_AUTH_SECRET: "kept" });
    expect([...api.workers.keys()]).toEqual(["other"]);
    expect(migrationsOf(api, "edge-tasks-staging")).toEqual(MIGRATIONS);
    expect(workersIn(api.calls)).toEqual(["other"]);
  });

  it("R2 the file with the secret is private, and deleted even when the upload fails", async ({ api, deploy }) => {
    const TMPDIR = mkdtempSync(join(project, "tmp-"));
    const files = () => readdirSync(TMPDIR, { recursive: true }).map((name) => join(TMPDIR, String(name)));
    const secretFiles = () => files().filter((file) => file.endsWith("secrets.json"));
    const upload = "PUT /workers/scripts/edge-tasks";
    let modes: number[] = [];
    api.onCall = (call) => {
      if (call === upload) modes = secretFiles().map((file) => statSync(file).mode & 0o777);
    };
    api.failures.set(upload, { status: 400, code: 10021, message: "The script is refused." });
    const { code, output } = await deploy([], { TMPDIR });
    expect(code).not.toBe(0);
    expect(output).toContain("The script is refused. [code: 10021]");
    expect(modes).toEqual([0o600]);
    expect(secretFiles()).toEqual([]);
  });

  it.for([
    ["an unknown environment", ["--env", "nowhere"], 'No environment found in configuration with name "nowhere"'],
    ["an unknown argument", ["--dryrun"], "Unknown argument: dryrun"],
    ["an unclear argument", ["--dry-run=yes"], "--dry-run=yes: the value must be true or false."],
  ] as const)("R2 %s is an error before the first API call", async ([, args, message], { api, deploy }) => {
    const { code, output } = await deploy([...args]);
    expect(code).not.toBe(0);
    expect(output).toContain(message);
    expect(api.calls).toEqual([]);
  });

  it.for([
    ["--dry-run"],
    ["--env=staging"],
    ["--env", "staging"],
    ["--name", "other"],
    ["-c", "elsewhere.toml"],
    ["-e=staging"],
    ["-e", "staging"],
    ["-estaging"],
    ["--dryRun"],
    ["--keep-vars"],
    ["--var=A:b"],
  ])(
    "R2 %j without -- before it, which npm takes, is an error and makes no API call",
    async (args, { api, account }) => {
      const { code, output } = await start("npm", ["run", "deploy", ...args], { ...account, CI: "true" });
      expect(code).not.toBe(0);
      expect(output).toContain("so write npm run deploy -- --env staging.");
      expect(api.calls).toEqual([]);
    },
  );

  it("R2 npm's own options before -- and -e after it are no error", async ({ api, account }) => {
    const args = ["run", "deploy", "--silent", "--", "-e", "staging", "--dry-run"];
    const { code, output } = await start("npm", args, { ...account, CI: "true" });
    expect(code, output).toBe(0);
    expect(api.calls).toEqual([]);
  });

  it("R2 an error that says not found but has another code stops it before the first change", async ({
    api,
    deploy,
  }) => {
    api.createWorker("edge-tasks", { BETTER_AUTH_SECRET: "kept" });
    api.failures.set(SECRETS, { status: 404, code: 7003, message: "Not found: it does not exist." });
    const { code, output } = await deploy([]);
    expect(code).not.toBe(0);
    expect(output).toContain("Not found: it does not exist. [code: 7003]");
    expect(api.writes).toEqual([]);
    expect(secretsOf(api, "edge-tasks")).toEqual({ BETTER_AUTH_SECRET: "kept" });
  });
});

describe("hasSecret", () => {
  it.for([
    ["BETTER_AUTH_SECRET", true],
    ["BETTER_AUTH_SECRETS", true],
    ["NOT_BETTER_AUTH_SECRET", false],
  ] as const)("R2 with %s alone: %j", async ([name, expected], { api, account }) => {
    api.createWorker("edge-tasks", { [name]: "value" });
    expect(await hasSecret("edge-tasks", [], account)).toBe(expected);
  });

  it("R2 a Worker that does not exist has none", async ({ api, account }) => {
    expect(await hasSecret("edge-tasks", [], account)).toBe(false);
    expect(api.calls).toEqual([SECRETS, DEPLOYMENTS]);
  });

  it.for([
    ["no permission", [SECRETS], { status: 403, code: 10000, message: "Authentication error" }, "[code: 10000]"],
    ["a longer code", [SECRETS], { status: 404, code: 100071, message: "10007 not found" }, "[code: 100071]"],
    [
      "another code for its deployments",
      [DEPLOYMENTS],
      { status: 404, code: 7003, message: "10007 not found" },
      STOPPED,
    ],
    ["a failure for its deployments", [DEPLOYMENTS], { status: 500, code: 10013, message: "not found" }, STOPPED],
    ["HTML", [SECRETS, DEPLOYMENTS], { status: 502, text: "<h1>10007 not found</h1>" }, "malformed response"],
    ["no code", [SECRETS, DEPLOYMENTS], { status: 404, text: withoutCode("[code: 10007]") }, "[code: 10007]"],
    ["no list", [SECRETS], { status: 200, text: '{"success":true,"result":"not found"}' }, 'printed: "not found"'],
    ["no names", [SECRETS], { status: 200, text: '{"success":true,"result":[{"key":"A"}]}' }, "a list of names"],
  ] as const)("R2 throws when Cloudflare answers %s", async ([, calls, failure, message], { api, account }) => {
    for (const call of calls) api.failures.set(call, failure);
    await expect(hasSecret("edge-tasks", [], account)).rejects.toThrow(message);
  });
});

describe("the arguments of npm run deploy", () => {
  it.for([
    [["--dry-run"], false],
    [["--env", "staging", "--dryRun"], false],
    [["--dry-run=true"], false],
    [["--version"], false],
    [["--help", "--dry-run=false"], false],
    [["--dry-run=false"], true],
    [["--no-dry-run"], true],
    [["--", "--dry-run"], true],
    [["--message", "no --dry-run"], true],
    [[], true],
  ] as const)("R2 %j deploys: %j", ([args, deploys]) => {
    expect(parseArguments([...args]).deploys).toBe(deploys);
  });

  it.for([
    [["--env", "staging"]],
    [["--env=staging"]],
    [["-e", "staging"]],
    [["-e=staging"]],
    [["--var", "A:1", "-e", "staging", "index.ts"]],
  ])("R2 %j is the environment staging", ([args = []]) => {
    expect(parseArguments(args)).toMatchObject({ env: "staging", shared: ["--env=staging"] });
  });

  it("R2 every step takes the folder, the configuration, the environment and the account; no other", () => {
    const args = ["--minify", "-c", "a.toml", "--env=", "--env-file", "a.env", "b.env", "--profile=p", "--tag", "t"];
    const { shared, env, config, envFiles } = parseArguments([...args, "--no-dry-run", "--cwd", "c"]);
    const expected = ["--config=a.toml", "--env=", "--env-file=a.env", "--env-file=b.env", "--profile=p", "--cwd=c"];
    expect(shared).toEqual(expected);
    expect({ env, config, envFiles }).toEqual({ env: "", config: "a.toml", envFiles: ["a.env", "b.env"] });
  });

  it.for([
    [["--env"], "--env needs a value."],
    [["--env", "--minify"], "--env needs a value."],
    [["-estaging"], "-estaging: write short options separately, as in -e staging -h."],
    [["-e", "a", "--env=b"], "Give --env once."],
    [["--dry-run", "--no-dry-run"], "Give --dry-run once."],
    [["--dry-run", "false"], "--dry-run false: write --dry-run=false."],
    [["--dispatch-namespace", "n"], "--dispatch-namespace: not supported here, use npx wrangler deploy."],
  ] as const)("R2 %j is an error", ([args, message]) => {
    expect(() => parseArguments([...args])).toThrow(message);
  });
});
