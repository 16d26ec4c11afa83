import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { ALL_ENDPOINTS } from "../src/auth/endpoints.ts";
import { operations } from "./support/contract.ts";

/** The rows of the tables under a heading of docs/api.md, as "METHOD path". */
function rows(heading: string): string[] {
  const section = env.API_DOC.split(`\n## ${heading}\n`)[1]?.split("\n## ")[0] ?? "";
  return [...section.matchAll(/^\| ([A-Z]+) +\| `([^`]+)` +\|/gm)].map(([, method, path]) => `${method} ${path}`);
}

describe("docs/api.md", () => {
  it("R3 lists every account endpoint, and no other", () => {
    expect(rows("Accounts")).toEqual(ALL_ENDPOINTS.map(({ method, path }) => `${method} /api/auth${path}`));
  });

  it("R3 lists every task operation, and no other", () => {
    const guarded = operations.filter(({ path }) => path.startsWith("/api/v1/"));
    expect(rows("Tasks").sort()).toEqual(guarded.map(({ method, path }) => `${method} ${path}`).sort());
  });
});
