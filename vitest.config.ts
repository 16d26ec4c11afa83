import { readFileSync } from "node:fs";
import { cloudflareTest, readD1Migrations } from "@cloudflare/vitest-pool-workers";
import { defineConfig } from "vitest/config";
import { unstable_readConfig as readConfig } from "wrangler";

// A file's first request loads Better Auth, which can take seconds on a small machine.
const testTimeout = 30_000;

export default defineConfig({
  test: {
    silent: "passed-only",
    // Vitest leaves one core idle, which on a machine of two is half of it.
    maxWorkers: "100%",
    onConsoleLog: (line) => !line.startsWith('{"level":"info"'),
    projects: [
      {
        // In workerd, beside the Worker, on a D1 of its own for each file.
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
                README: readFileSync("README.md", "utf8"),
                MIGRATIONS: await readD1Migrations("migrations"),
              },
            },
          })),
        ],
        test: {
          name: "workerd",
          include: ["test/**/*.test.ts"],
          exclude: ["test/**/*.{node,browser,system}.test.ts"],
          setupFiles: ["test/support/migrate.ts"],
          testTimeout,
        },
      },
      {
        // In Node: the built Worker over HTTP, in several isolates, and the project's own tools.
        test: { name: "node", include: ["test/**/*.node.test.ts"], testTimeout: 120_000, hookTimeout: 120_000 },
      },
    ],
  },
});
