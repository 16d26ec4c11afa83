import { createConfig, lintFromString } from "@redocly/openapi-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Isolates, startIsolate } from "./support/node/isolates.ts";

describe("R3 the documents, as a deployed Worker serves them", () => {
  let isolates: Omit<Isolates, "second">;

  beforeAll(async () => {
    isolates = await startIsolate();
  });
  afterAll(() => isolates.harness.close());

  it.each(["/api/openapi.json", "/api/openapi-accounts.json"])(
    "R3 %s is OpenAPI 3.1 without an error by Redocly's recommended rules",
    async (path) => {
      const answer = await isolates.first(path);
      expect([answer.status, answer.headers.get("content-type")]).toEqual([200, "application/json"]);
      const source = await answer.text();
      expect(JSON.parse(source).openapi).toMatch(/^3\.1\./);
      const config = await createConfig({ extends: ["recommended"] });
      const found = await lintFromString({ source, absoluteRef: path, config });
      expect(found.filter(({ severity }) => severity === "error").map(({ message }) => message)).toEqual([]);
    },
  );

  it("R3 the page that reads them loads nothing from elsewhere, and of its package nothing but what it needs", async () => {
    const page = await isolates.first("/docs");
    const policy = page.headers.get("content-security-policy") ?? "";
    expect(policy).toContain("script-src 'self';");
    expect(policy).toContain("connect-src 'self'");
    const text = await page.text();
    expect(text).not.toMatch(/https?:\/\//);
    const files = [...text.matchAll(/(?:src|href)="(\/[^"]+)"/g)].map(([, file = ""]) => file);
    expect(files).toHaveLength(5);
    for (const file of files) {
      const answer = await isolates.first(file);
      expect([answer.status, answer.headers.get("x-content-type-options")], file).toEqual([200, "nosniff"]);
      expect(answer.headers.get("content-type")).toMatch(/^text\/(css|javascript)/);
    }
    for (const file of ["/index.html", "/docs/index.html", "/swagger-initializer.js", "/docs/package.json", "/"]) {
      expect((await isolates.first(file)).status, file).toBe(404);
    }
  });
});
