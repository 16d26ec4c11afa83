/** Every example is run as it stands, against `npm start`. They need bash, curl, Python and Debian's python3-jwt. */
import { execFile } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { copyProject, removeProject, Server } from "./support/node/server.ts";

const run = promisify(execFile);

/** A port that nobody listens on. */
const NO_SERVER = "http://127.0.0.1:9";
const NO_ANSWER = /^No answer from http:\/\/127\.0\.0\.1:9 \(.*\): run npm start in another terminal, .*\n$/;
const NOT_OURS = /^localhost is not a server of Edge Tasks: set API to the address of one, .*\n$/;
const PYJWT_IS_MISSING = /^PyJWT is missing: install it with apt-get install python3-jwt or pip install pyjwt\.\n$/;
const USAGE = /^Usage: .*\n$/;

let folder: string;
let server: Server;

beforeAll(async () => {
  await run("npm", ["run", "--silent", "build:client"]);
  folder = copyProject();
  server = await Server.start(folder);
});
afterAll(async () => {
  await server.stop();
  removeProject(folder);
});

async function example(command: string, ...args: string[]): Promise<string> {
  return (await run(command, args, { env: { ...process.env, API: server.url } })).stdout;
}

async function signUp(): Promise<Response> {
  const account = { name: "Ada", email: `${crypto.randomUUID()}@example.com`, password: "correct horse battery" };
  const headers = { "content-type": "application/json" };
  return fetch(`${server.url}/api/auth/sign-up/email`, { method: "POST", headers, body: JSON.stringify(account) });
}

describe("R3 the examples", () => {
  it("R3 examples/tasks.sh", async () => {
    const said = await example("examples/tasks.sh");
    expect(said.split("\n")).toEqual([
      "By due date:",
      ...['"title":"Buy oat milk"', '"title":"Call the bank"', '"title":"Write to Grace"'],
      "With the word milk:",
      '"title":"Buy oat milk"',
      "Changed since the first sync:",
      '"title":"Later"',
      "As CSV:",
      ...[
        "title,priority,due",
        "Buy oat milk,none,2026-03-01",
        "Call the bank,high,",
        "Write to Grace,none,",
        "Later,none,",
      ],
      "",
    ]);
  });

  it("R3 P1 examples/tasks.ts", async () => {
    expect(await example("node", "examples/tasks.ts")).toBe(
      "The task has changed: revision 1 is now 2\ndone Buy oat milk\n",
    );
  });

  it("R3 P1 the README's program, as it stands; and its other example has the right types", async () => {
    const [program = "", other = ""] = [...readFileSync("README.md", "utf8").matchAll(/```ts\n(.*?)```/gs)].map(
      ([, code]) => code,
    );
    expect(program.trim().split("\n").length).toBeLessThanOrEqual(10);
    mkdirSync("dist/readme", { recursive: true });
    writeFileSync("dist/readme/program.ts", program);
    writeFileSync("dist/readme/other.ts", other);
    expect(await example("node", "dist/readme/program.ts")).toBe("Buy oat milk\n");
    const tsconfig = { extends: "../../tsconfig.node.json", include: ["*.ts"], exclude: [] };
    writeFileSync("dist/readme/tsconfig.json", JSON.stringify(tsconfig));
    await run("tsc", ["-p", "dist/readme"]);
  });

  it("R3 examples/tasks.py", async () => {
    expect(await example("/usr/bin/python3", "examples/tasks.py")).toBe(
      "412 precondition_failed revision 2\nhigh Buy oat milk\n",
    );
  });

  it("R3 S2 examples/verify_token.py takes our access token, and no other token", async () => {
    const secret = /BETTER_AUTH_SECRET="?([^"\n]+)/.exec(readFileSync(`${folder}/.dev.vars`, "utf8"))?.[1] ?? "";
    const answer = await signUp();
    const { user } = (await answer.json()) as { user: { id: string; email: string } };
    const token = answer.headers.get("set-auth-jwt") ?? "";
    const verify = (value: string, change: Record<string, string> = {}) =>
      run("/usr/bin/python3", ["examples/verify_token.py", value], {
        env: { ...process.env, API: server.url, BETTER_AUTH_SECRET: secret, ...change },
      });
    expect((await verify(token)).stdout).toBe(`${user.id} ${user.email}\n`);
    const [head, body] = token.split(".");
    for (const [bad, change] of [
      [`${head}.${body}.${"A".repeat(43)}`, {}],
      [answer.headers.get("set-auth-token") ?? "", {}],
      [token, { BETTER_AUTH_SECRET: "x".repeat(32) }],
      [token, { API: "https://elsewhere.test" }],
    ] as const) {
      await expect(verify(bad, change)).rejects.toThrow("Token rejected: ");
    }
  });

  it.each([
    ["tasks.py without a server", ["examples/tasks.py"], { API: NO_SERVER }, NO_ANSWER],
    ["tasks.py with an address of something else", ["examples/tasks.py"], { API: "localhost" }, NOT_OURS],
    ["verify_token.py without PyJWT", ["-S", "examples/verify_token.py"], {}, PYJWT_IS_MISSING],
    ["verify_token.py without a token", ["examples/verify_token.py"], {}, USAGE],
  ])("R3 examples/%s prints one sentence", async (_, args, variables, sentence) => {
    const env = { ...process.env, ...variables };
    const failure = await run("/usr/bin/python3", args, { env }).catch((error) => error);
    expect(failure).toMatchObject({ code: 1, stdout: "" });
    expect(failure.stderr).toMatch(sentence);
  });

  it("R3 examples/tasks.http", async () => {
    const answers = new Map<string, { headers: Headers; body: Record<string, unknown> }>();
    const variables = new Map<string, string>();
    const guid = crypto.randomUUID();
    const fill = (text: string): string =>
      text.replaceAll(/\{\{(.+?)\}\}/g, (_, name: string) => {
        if (name === "$guid") return guid;
        const [, request = "", part, key = ""] = /^(\w+)\.response\.(headers|body)\.(?:\$\.)?(.+)$/.exec(name) ?? [];
        const answer = answers.get(request);
        if (part === "headers") return answer?.headers.get(key) ?? "";
        return part === "body" ? String(answer?.body[key]) : fill(variables.get(name) ?? "");
      });
    const [preamble = "", ...requests] = readFileSync("examples/tasks.http", "utf8").split(/^###.*$/m);
    for (const [, name = "", value = ""] of preamble.matchAll(/^@(\w+) = (.*)$/gm)) variables.set(name, value);
    variables.set("api", server.url);

    const statuses = [];
    for (const text of requests) {
      const [head = "", body] = text.trim().split("\n\n");
      const lines = head.split("\n");
      const name = /^# @name (\w+)$/.exec(lines[0] ?? "")?.[1];
      const [line = "", ...headers] = name ? lines.slice(1) : lines;
      const [method = "", url = ""] = fill(line).split(" ");
      const entries = headers.map(
        (header) =>
          fill(header)
            .split(/: (.*)/)
            .slice(0, 2) as [string, string],
      );
      const answer = await fetch(url, { method, headers: entries, ...(body && { body: fill(body) }) });
      const got = await answer.text();
      if (name) answers.set(name, { headers: answer.headers, body: JSON.parse(got) });
      statuses.push(answer.status);
    }
    expect(statuses).toEqual([200, 201, 200, 200, 200, 204]);
  });

  it("R3 npm run seed, twice: one demo person with 60 tasks", async () => {
    for (let n = 0; n < 2; n += 1) expect(await example("npm", "run", "--silent", "seed")).toContain("has 60 tasks");
    const account = { email: "demo@example.com", password: "demo walks the edge" };
    const signedIn = await fetch(`${server.url}/api/auth/sign-in/email`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(account),
    });
    const headers = { authorization: `Bearer ${signedIn.headers.get("set-auth-jwt")}` };
    const page = await fetch(`${server.url}/api/v1/users/me/tasks?limit=100`, { headers });
    const { data } = (await page.json()) as { data: { priority: string; completed: boolean; due: string | null }[] };
    expect(data).toHaveLength(60);
    expect(new Set(data.map(({ priority }) => priority)).size).toBe(4);
    expect(data.some(({ completed }) => completed) && data.some(({ due }) => due === null)).toBe(true);
  });
});
