// Bundles src/web in memory: scripts and styles with hashed names, a document for each page, and the files that are copied.
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { build } from "esbuild";
import { root } from "./run.mjs";
import { writeHeaders } from "./web-headers.mjs";

/** The pages of the app. A path that is none of them reaches the Worker, which answers 404. */
const PAGES = [
  "index",
  "sign-in",
  "sign-up",
  "forgotten-password",
  "reset-password",
  "verify-email",
  "account",
  "trash",
];
/** The files of swagger-ui-dist that the page of the API needs. */
const SWAGGER_FILES = ["swagger-ui.css", "swagger-ui-bundle.js", "swagger-ui-standalone-preset.js"];

const source = join(root, "src/web");

/** @typedef {Map<string, string | Uint8Array>} Files their contents by their path below the root of the site */

/**
 * @param {{ sourceMaps: boolean }} options
 * @returns {Promise<{ files: Files, firstView: string[] }>} firstView: the scripts and styles that a page loads at once
 */
export async function bundleWeb({ sourceMaps }) {
  const { files, outputs } = await bundle({
    entryPoints: [
      { in: join(source, "main.tsx"), out: "assets/main" },
      { in: join(source, "style.css"), out: "assets/style" },
      { in: join(source, "docs/start.ts"), out: "assets/docs" },
      { in: join(source, "docs/page.css"), out: "assets/docs" },
    ],
    entryNames: "[dir]/[name]-[hash]",
    chunkNames: "assets/[name]-[hash]",
    format: "esm",
    splitting: true,
    sourcemap: sourceMaps && "linked",
  });
  const app = { script: builtFrom("src/web/main.tsx"), style: builtFrom("src/web/style.css") };
  const docs = { script: builtFrom("src/web/docs/start.ts"), style: builtFrom("src/web/docs/page.css") };
  const scripts = withStaticImports(app.script);
  const document = fill("index.html", { ...app, preloads: scripts.slice(1).map(preload).join("") });
  for (const page of PAGES) files.set(`${page}.html`, document);
  files.set("docs.html", fill("docs/index.html", docs));
  const copied = readdirSync(join(source, "public"));
  for (const file of copied) files.set(file, readFileSync(join(source, "public", file)));
  const swagger = join(root, "node_modules/swagger-ui-dist");
  for (const file of SWAGGER_FILES) files.set(`docs/${file}`, readFileSync(join(swagger, file)));
  files.set("_headers", writeHeaders());

  const firstView = [...scripts, app.style];
  const pagePaths = PAGES.map((page) => (page === "index" ? "/" : `/${page}`));
  // Everything of the app, since each page has to open without a network; nothing of the API's page.
  const chunks = Object.keys(outputs).filter(
    (name) => name.startsWith("assets/") && name.endsWith(".js") && name !== docs.script,
  );
  const precached = ["", app.style, ...chunks, ...copied.filter((file) => file !== "robots.txt")].map(
    (file) => `/${file}`,
  );
  const worker = await bundle({
    entryPoints: [{ in: join(source, "service-worker.ts"), out: "service-worker" }],
    format: "iife",
    define: {
      __VERSION__: JSON.stringify(digestOf(files)),
      __FILES__: JSON.stringify(precached),
      __PAGES__: JSON.stringify(pagePaths),
    },
  });
  for (const [name, contents] of worker.files) files.set(name, contents);
  return { files, firstView };

  /** @param {string} entry */
  function builtFrom(entry) {
    const [name] = Object.entries(outputs).find(([, { entryPoint }]) => entryPoint === entry) ?? [];
    if (name === undefined) throw new Error(`${entry} is not built: name it in scripts/web-bundle.mjs.`);
    return name;
  }

  /**
   * A script and all that it imports before it runs, itself first.
   * @param {string} script
   * @returns {string[]}
   */
  function withStaticImports(script) {
    const found = new Set([script]);
    for (const name of found) {
      for (const { path, kind } of outputs[name]?.imports ?? []) if (kind === "import-statement") found.add(path);
    }
    return [...found];
  }
}

/**
 * @param {import("esbuild").BuildOptions} options
 * @returns {Promise<{ files: Files, outputs: import("esbuild").Metafile["outputs"] }>}
 */
async function bundle(options) {
  const result = await build({
    absWorkingDir: root,
    outdir: root,
    bundle: true,
    write: false,
    metafile: true,
    minify: true,
    target: "es2022",
    jsx: "automatic",
    jsxImportSource: "preact",
    legalComments: "none",
    logLevel: "error",
    ...options,
  }).catch(() => {
    throw new Error("The pages are not built: fix what esbuild reports above, then run this command again.");
  });
  const files = (result.outputFiles ?? []).map(({ path, contents }) => [
    path.slice(root.length).replaceAll("\\", "/"),
    contents,
  ]);
  return { files: new Map(/** @type {[string, Uint8Array][]} */ (files)), outputs: result.metafile?.outputs ?? {} };
}

/**
 * Fills the `{{names}}` of a template.
 * @param {string} template below src/web
 * @param {Record<string, string>} values
 */
function fill(template, values) {
  return readFileSync(join(source, template), "utf8").replaceAll(/\{\{(\w+)\}\}/g, (_, /** @type {string} */ name) => {
    const value = values[name];
    if (value === undefined) throw new Error(`src/web/${template} names {{${name}}}, which nothing fills: remove it.`);
    return value;
  });
}

/** @param {string} script */
function preload(script) {
  return `\n    <link rel="modulepreload" href="/${script}">`;
}

/** @param {Files} files */
function digestOf(files) {
  const hash = createHash("sha256");
  for (const name of [...files.keys()].sort()) hash.update(`${name}\0`).update(files.get(name) ?? "");
  return hash.digest("hex").slice(0, 16);
}
