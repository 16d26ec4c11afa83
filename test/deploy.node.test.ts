import { spawn } from "node:child_process";
import { readdirSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { CloudflareApi } from "./support/node/cloudflare-api.ts";

const api = new CloudflareApi();
let env: Record<string, string>;

beforeAll(async () => {
  env = await api.listen();
});
afterAll(() => api.close());

async function deploy(...args: string[]): Promise<{ code: number | null; output: string }> {
  const child = spawn(process.execPath, ["scripts/deploy.mjs", ...args], {
    env: { ...process.env, ...env, CI: "true" },
  });
  let output = "";
  child.stdout.on("data", (chunk) => (output += chunk));
  child.stderr.on("data", (chunk) => (output += chunk));
  const code = await new Promise<number | null>((resolve) => child.on("exit", resolve));
  return { code, output };
}

describe("npm run deploy", () => {
  it("R2 the first time makes the database and the secret, migrates, then uploads", async () => {
    const { code, output } = await deploy();
    expect(code, output).toBe(0);
    const applied = api.databases
      .get("edge-tasks")
      ?.sqlite.prepare("select name from d1_migrations order by name")
      .all();
    expect(applied?.map(({ name }) => name)).toEqual(readdirSync("migrations").sort());
    const secret = api.secrets.get("BETTER_AUTH_SECRET") ?? "";
    expect(Buffer.from(secret, "base64")).toHaveLength(32);
    expect(output).not.toContain(secret);
    const migrated = api.calls.findLastIndex((call) => call.endsWith("/query"));
    const uploaded = api.calls.findIndex((call) => call.startsWith("PUT /workers/scripts/edge-tasks"));
    expect(uploaded).toBeGreaterThan(migrated);
  });

  it("R2 the next time keeps both", async () => {
    const secret = api.secrets.get("BETTER_AUTH_SECRET");
    const { code, output } = await deploy();
    expect(code, output).toBe(0);
    expect(api.secrets.get("BETTER_AUTH_SECRET")).toBe(secret);
    expect(api.databases.size).toBe(1);
    expect(api.deployments).toBe(2);
  });
});
