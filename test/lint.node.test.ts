import { spawnSync } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { afterAll, describe, expect, it } from "vitest";

const folder = mkdtempSync(join(tmpdir(), "edge-tasks-lint-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** What the linter says of a file with this text, were it there. */
function lint(path: string, text: string): string {
  const file = join(folder, path);
  mkdirSync(dirname(file), { recursive: true });
  copyFileSync("biome.json", join(folder, "biome.json"));
  writeFileSync(file, text);
  const { stdout, stderr } = spawnSync(resolve("node_modules/.bin/biome"), ["lint", "--vcs-enabled=false", path], {
    cwd: folder,
    encoding: "utf8",
  });
  return stdout + stderr;
}

const useAll = (specifier: string) => `import { x } from "${specifier}";\nx();\n`;

describe("who may import whom", () => {
  it.each([
    ["src/tasks/routes.ts", "drizzle-orm"],
    ["src/tasks/routes.ts", "../db/client.ts"],
    ["src/tasks/routes.ts", "./table.ts"],
    ["src/tasks/routes.ts", "../auth/tables.ts"],
    ["src/tasks/routes.ts", "better-auth"],
    ["src/tasks/routes.ts", "cloudflare:workers"],
    ["src/tasks/repository.ts", "hono"],
    ["src/tasks/repository.ts", "@hono/zod-openapi"],
    ["src/tasks/repository.ts", "drizzle-orm/d1"],
    ["src/tasks/sync-routes.ts", "drizzle-orm"],
    ["src/tasks/parameters.ts", "./table.ts"],
    ["src/tasks/transfer/routes.ts", "../../db/client.ts"],
    ["src/tasks/transfer/ics.ts", "drizzle-orm"],
    ["src/tasks/lists.ts", "hono"],
    ["src/tasks/writes.ts", "../http/problem.ts"],
    ["src/tasks/batch.ts", "cloudflare:workers"],
    ["src/client/index.ts", "../tasks/model.ts"],
    ["src/client/token.ts", "hono"],
    ["src/auth/auth.ts", "../tasks/table.ts"],
    ["src/auth/auth.ts", "drizzle-orm/d1"],
    ["src/access/user-scope.ts", "drizzle-orm"],
    ["src/app.ts", "drizzle-orm/d1"],
    ["src/app.ts", "better-auth"],
    ["src/http/problem.ts", "cloudflare:workers"],
  ])("S6 %s may not import %s", (path, specifier) => {
    expect(lint(path, useAll(specifier))).toContain("noRestrictedImports");
  });

  it.each(["src/app.ts", "src/tasks/routes.ts", "src/http/status.ts"])("S6 %s may not build a repository", (path) => {
    const from = path.startsWith("src/tasks") ? "./repository.ts" : "./tasks/repository.ts";
    const text = `import { createTaskRepository } from "${from}";\ncreateTaskRepository();\n`;
    expect(lint(path, text)).toContain("noRestrictedImports");
  });

  it.each([
    ["src/tasks/routes.ts", "createTaskScope", "./scope.ts"],
    ["src/tasks/sync-routes.ts", "createStatements", "./statements.ts"],
    ["src/tasks/transfer/routes.ts", "createLists", "../lists.ts"],
    ["src/app.ts", "createTaskScope", "./tasks/scope.ts"],
  ])("S6 %s may not build a part of one: %s", (path, name, from) => {
    expect(lint(path, `import { ${name} } from "${from}";\n${name}();\n`)).toContain("noRestrictedImports");
  });

  it("S6 the door may, and routes may name its type", () => {
    const door = 'import { createTaskRepository } from "../tasks/repository.ts";\ncreateTaskRepository();\n';
    expect(lint("src/access/user-scope.ts", door)).not.toContain("noRestrictedImports");
    const type = 'import type { Written } from "./repository.ts";\nexport const x = (y: Written) => y;\n';
    expect(lint("src/tasks/routes.ts", type)).not.toContain("noRestrictedImports");
  });

  it("S8 nothing but the request log writes to the console", () => {
    expect(lint("src/tasks/repository.ts", 'console.log("x");\n')).toContain("noConsole");
    expect(lint("src/http/request-log.ts", 'console.log("x");\n')).not.toContain("noConsole");
  });
});
