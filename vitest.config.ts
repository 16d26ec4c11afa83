import { globSync, readFileSync } from "node:fs";
import { cloudflareTest, readD1Migrations } from "@cloudflare/vitest-pool-workers";
import { defineConfig, type TestProjectConfiguration } from "vitest/config";
import { unstable_readConfig as readConfig } from "wrangler";

// A file's first request loads Better Auth, which can take seconds on a busy machine.
const testTimeout = 60_000;
// What a test waits for may be slow there, and is no less right.
const poll = { timeout: 10_000 };

/** Tests that read whole tables need a database of their own. */
const ALONE = ["test/housekeeping.test.ts", "test/auth/deletion.test.ts", "test/db/{limits,migrations}.test.ts"];

/** The packages that files in workerd import. */
const BUNDLED = [
  ...new Set(
    globSync(["src/**/*.ts", "test/**/*.ts"], {
      exclude: [
        "**/*.{node,browser,system}.test.ts",
        "test/support/node/**",
        "test/generators/**",
        "src/client/dist/**",
        "src/web/**",
      ],
    })
      .flatMap((file) => [...readFileSync(file, "utf8").matchAll(/^(?:import|export|\}) .*from "([a-z@][^"]*)"/gm)])
      .filter(([line]) => !line.startsWith("import type"))
      .map(([, name = ""]) => name)
      .filter((name) => !/^(?:cloudflare|node):|^vitest$/.test(name)),
  ),
];

export default defineConfig({
  test: {
    silent: "passed-only",
    // Vitest leaves one core idle, which on a machine of two is half of it.
    maxWorkers: "100%",
    onConsoleLog: (line) => !line.startsWith('{"level":"info"'),
    projects: [
      // Files share a Worker and its database: each test is a new user.
      inWorkerd("workerd", { include: ["test/**/*.test.ts"], exclude: ALONE, isolate: false }),
      inWorkerd("workerd, alone", { include: ALONE }),
      {
        // In Node: the built Worker over HTTP, in several isolates, and the project's own tools.
        test: {
          name: "node",
          include: ["test/**/*.node.test.ts"],
          exclude: ["test/generators/**"],
          globalSetup: ["test/support/node/build.ts"],
          // Loading wrangler takes seconds: once for all files.
          isolate: false,
          testTimeout: 120_000,
          hookTimeout: 120_000,
          expect: { poll },
        },
      },
    ],
  },
});

type Files = { include: string[]; exclude?: string[]; isolate?: boolean };

/** Tests that run in workerd, beside the Worker. */
function inWorkerd(name: string, { exclude = [], ...files }: Files): TestProjectConfiguration {
  return {
    cacheDir: ".wrangler/vitest",
    plugins: [
      cloudflareTest(async () => ({
        wrangler: { configPath: "./wrangler.toml" },
        miniflare: {
          d1Databases: ["SCRATCH_DB"],
          // A test may call as often as it likes; test/isolates.node.test.ts meets limits.
          ratelimits: Object.fromEntries(
            readConfig({ config: "wrangler.toml" }).ratelimits.map(
              ({ name, namespace_id }: { name: string; namespace_id: string }) => [
                name,
                { namespace_id, simple: { limit: 1_000_000, period: 60 } },
              ],
            ),
          ),
          bindings: {
            // As committed, whatever a developer's .dev.vars says.
            ...readConfig({ config: "wrangler.toml" }).vars,
            BETTER_AUTH_SECRET: "Rw5yq0Zr8nG1sUe4Kx7TbVfJdL2hCpMa",
            API_DOC: readFileSync("docs/api.md", "utf8"),
            MIGRATIONS: await readD1Migrations("migrations"),
          },
        },
      })),
    ],
    test: {
      name,
      ...files,
      exclude: [...exclude, "test/**/*.{node,browser,system}.test.ts", "test/generators/**"],
      setupFiles: ["test/support/migrate.ts"],
      testTimeout,
      hookTimeout: testTimeout,
      expect: { poll },
      // Packages are bundled once and cached; else each of their files is transformed in every run.
      deps: {
        optimizer: {
          ssr: { enabled: true, include: BUNDLED, rolldownOptions: { external: [/^node:/, /^cloudflare:/] } },
        },
      },
    },
  };
}
