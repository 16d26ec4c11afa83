/** What a built Worker is made of. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { decode } from "@jridgewell/sourcemap-codec";

/** Compressed bytes: of all that is uploaded, and of its parts, the largest first. Each part is compressed by itself. */
export type Bundle = { bytes: number; parts: [name: string, bytes: number][] };

/** Weighs a built Worker, by its source map. */
export function weighBundle(folder: string): Bundle {
  const files = readdirSync(folder).filter((name) => /\.(?:js|txt)$/.test(name));
  const texts = new Map(files.map((name) => [name, readFileSync(join(folder, name), "utf8")]));
  const parts = new Map<string, string>();
  for (const [name, text] of texts) {
    if (name === "index.js") addParts(parts, text, readFileSync(join(folder, "index.js.map"), "utf8"));
    else parts.set("the most common passwords", text);
  }
  const weighed = [...parts].map(([name, text]): [string, number] => [name, gzipSync(text).length]);
  const bytes = [...texts.values()].reduce((sum, text) => sum + gzipSync(text).length, 0);
  return { bytes, parts: weighed.sort(([, a], [, b]) => b - a) };
}

/** Adds each piece of the code to the part that its source belongs to. */
function addParts(parts: Map<string, string>, code: string, mapText: string): void {
  const map = JSON.parse(mapText) as { mappings: string; sources: string[] };
  const lines = code.split("\n");
  for (const [row, segments] of decode(map.mappings).entries()) {
    const line = lines[row] ?? "";
    for (const [index, segment] of segments.entries()) {
      if (segment.length === 1) continue;
      const name = partOf(map.sources[segment[1]] ?? "");
      parts.set(name, (parts.get(name) ?? "") + line.slice(segment[0], segments[index + 1]?.[0] ?? line.length));
    }
  }
}

/** The package of a source. Packages that only Better Auth needs belong to it. */
function partOf(source: string): string {
  const [, name] = /node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(source) ?? [];
  if (name === undefined) return "this project";
  // Drizzle's own source maps lack the package's name.
  if (name === "src") return "drizzle-orm";
  if (/^(?:better-auth|@better-auth\/.*|better-call|@better-fetch\/fetch|rou3|defu|jose|@noble\/.*)$/.test(name)) {
    return "Better Auth and what it needs";
  }
  return /zod-to-openapi|@hono\/zod/.test(name) ? "OpenAPI" : name;
}
