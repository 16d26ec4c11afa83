/** What scripts/build-web.mjs makes: small, without anything foreign, and safe to make several times at once. */
import { execFile } from "node:child_process";
import { globSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const MAX_FIRST_VIEW_BYTES = 60_000;
/** Names of XML, which nobody loads. */
const NAMESPACES = /http:\/\/www\.w3\.org\/[\w/]+/g;

const run = promisify(execFile);
const parent = mkdtempSync(join(tmpdir(), "edge-tasks-web-"));
const folder = join(parent, "web");

const build = () => run(process.execPath, ["scripts/build-web.mjs", folder]);
const read = (file: string) => readFileSync(join(folder, file), "utf8");
let printed: string;

beforeAll(async () => {
  ({ stdout: printed } = await build());
});
afterAll(() => rmSync(parent, { recursive: true }));

/** The scripts and styles that a document loads. */
function loadedBy(document: string): string[] {
  return [...read(document).matchAll(/(?:src|href)="\/([^"]+\.(?:js|css))"/g)].map(([, file = ""]) => file);
}

describe("the built pages", () => {
  it("P4 the first view loads at most 60 KB, compressed, and the build says how much", () => {
    const files = loadedBy("index.html");
    expect(files.some((file) => file.endsWith(".js")) && files.some((file) => file.endsWith(".css"))).toBe(true);
    const bytes = files.reduce((sum, file) => sum + gzipSync(read(file), { level: 9 }).length, 0);
    expect(bytes).toBeLessThanOrEqual(MAX_FIRST_VIEW_BYTES);
    expect(printed).toMatch(new RegExp(`the first view loads \\d+ bytes of script and style, ${bytes} compressed\n$`));
  });

  it("P4 what a document loads is there, and its name changes with its content", () => {
    for (const document of globSync("*.html", { cwd: folder })) {
      const files = loadedBy(document);
      for (const file of files) expect(read(file).length, file).toBeGreaterThan(0);
      const ours = files.filter((file) => !file.startsWith("docs/"));
      expect(ours.filter((file) => !/^assets\/[\w-]+-[A-Z0-9]{8}\.(?:js|css)$/.test(file))).toEqual([]);
    }
  });

  it("L8 no document has a script or style in it, and no file names another host", () => {
    const documents = globSync("*.html", { cwd: folder });
    expect(documents.length).toBe(9);
    for (const document of documents) {
      const text = read(document);
      expect(text, document).not.toMatch(/<style|\sstyle=|\son\w+=|javascript:|<script(?![^>]*\ssrc=)/i);
      expect(text, document).toContain("<noscript>");
    }
    // Swagger UI's own files hold addresses that they do not load: the browser test watches them.
    const files = globSync("**/*.{html,js,css,svg,webmanifest,txt}", { cwd: folder, exclude: ["docs/**"] });
    for (const file of files) expect(read(file).replaceAll(NAMESPACES, ""), file).not.toMatch(/https?:\/\/[a-z]/i);
  });

  it("L8 S8 _headers has the policies, and what each cache may keep", () => {
    const [all = "", docs = "", assets = ""] = read("_headers").split("\n\n");
    expect(all).toMatch(/^\/\*\n/);
    for (const directive of ["default-src 'none'", "script-src 'self'", "require-trusted-types-for 'script'"])
      expect(all).toContain(`${directive};`);
    for (const header of ["X-Content-Type-Options: nosniff", "Referrer-Policy: no-referrer", "Cache-Control: no-cache"])
      expect(`${all}\n`).toContain(`  ${header}\n`);
    expect(all).not.toContain("unsafe");
    expect(docs).toMatch(
      /^\/docs\n {2}! Content-Security-Policy\n {2}Content-Security-Policy: default-src 'none'; script-src 'self';/,
    );
    expect(assets).toMatch(
      /^\/assets\/\*\n {2}! Cache-Control\n {2}Cache-Control: public, max-age=31536000, immutable/,
    );
  });

  it("P4 the service worker knows its version, and the files of the first view", () => {
    const worker = read("service-worker.js");
    expect(worker).toMatch(/edge-tasks-[0-9a-f]{16}/);
    for (const file of loadedBy("index.html")) expect(worker).toContain(`"/${file}"`);
  });

  it("R1 builds that run at once leave one whole folder, and nothing beside it", async () => {
    rmSync(folder, { recursive: true });
    await Promise.all([build(), build(), build(), build()]);
    expect(readdirSync(parent)).toEqual(["web"]);
    for (const file of loadedBy("index.html")) expect(read(file).length).toBeGreaterThan(0);
  });
});
