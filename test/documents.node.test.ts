import { createConfig, lintFromString } from "@redocly/openapi-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Isolates, startIsolate } from "./support/node/isolates.ts";

describe("R3 the documents, as a deployed Worker serves them", () => {
  let isolates: Omit<Isolates, "second">;

  beforeAll(async () => {
    isolates = await startIsolate();
  });
  afterAll(() => isolates.harness.close());
  /** As the platform does: files first, and the Worker for what is none. */
  async function get(path: string): Promise<Response> {
    const answer = await isolates.harness.fetch(path);
    // Read to its end: an answer that nobody reads keeps the isolate from closing.
    return new Response(await answer.arrayBuffer(), { status: answer.status, headers: [...answer.headers] });
  }

  it.each(["/api/openapi.json", "/api/openapi-accounts.json"])(
    "R3 %s is OpenAPI 3.1 without a fault by Redocly's recommended rules",
    async (path) => {
      const answer = await isolates.first(path);
      expect([answer.status, answer.headers.get("content-type")]).toEqual([200, "application/json"]);
      const source = await answer.text();
      expect(JSON.parse(source).openapi).toMatch(/^3\.1\./);
      // The checks of life have no failure of the caller's.
      const config = await createConfig({ extends: ["recommended"], rules: { "operation-4xx-response": "off" } });
      const found = await lintFromString({ source, absoluteRef: path, config });
      expect(found.map(({ message }) => message)).toEqual([]);
    },
  );

  it("R3 the page that reads them loads nothing from elsewhere, and of its package nothing but what it needs", async () => {
    const page = await get("/docs");
    const policy = page.headers.get("content-security-policy") ?? "";
    expect(policy).toContain("script-src 'self';");
    expect(policy).toContain("connect-src 'self'");
    expect(policy).not.toContain("trusted-types");
    const text = await page.text();
    expect(text).not.toMatch(/https?:\/\//);
    const files = [...text.matchAll(/(?:src|href)="(\/[^"]+\.(?:js|css))"/g)].map(([, file = ""]) => file);
    expect(files).toHaveLength(5);
    for (const file of files) {
      const answer = await get(file);
      expect([answer.status, answer.headers.get("x-content-type-options")], file).toEqual([200, "nosniff"]);
      expect(answer.headers.get("content-type")).toMatch(/^text\/(css|javascript)/);
    }
    for (const file of ["/swagger-initializer.js", "/docs/package.json", "/docs/index.css", "/_headers"]) {
      expect((await get(file)).status, file).toBe(404);
    }
  });

  it("R3 the bodies that the page fills in work as they are", async () => {
    const document = JSON.parse(await (await isolates.first("/api/openapi-accounts.json")).text());
    const bodies = Object.entries<Described>(document.paths).flatMap(([path, { post }]) =>
      post?.requestBody ? [[path, post.requestBody.content["application/json"].example] as const] : [],
    );
    expect(bodies.length).toBeGreaterThanOrEqual(10);
    for (const [path, example] of bodies) {
      expect(Object.keys(example), path).not.toEqual(expect.arrayContaining([expect.stringMatching(LEADS_ELSEWHERE)]));
    }
    for (const path of ["/api/auth/sign-up/email", "/api/auth/sign-in/email"]) {
      const json = new Map(bodies).get(path);
      expect((await isolates.first(path, { json })).status, path).toBe(200);
    }
  });

  it("T6 a path that is no page reaches the Worker", async () => {
    for (const path of ["/nowhere", "/problems/nothing", "/assets/none.js"]) {
      const answer = await get(path);
      expect([answer.status, answer.headers.get("content-type")], path).toEqual([404, "application/problem+json"]);
    }
  });
});

/** What an operator has to list before anybody is led there, and a picture from elsewhere. */
const LEADS_ELSEWHERE = /callbackURL|redirectTo|image/;

type Described = { post?: { requestBody?: { content: { "application/json": { example: object } } } } };
