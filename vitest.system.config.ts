import { defineConfig } from "vitest/config";

// What needs more on the machine than npm, or more time, stands beside `npm test`: Chromium, the examples' languages, servers
// that are killed and deployed again and again, and running the tests over and over to see them fail.
export default defineConfig({
  test: {
    testTimeout: 240_000,
    hookTimeout: 120_000,
    // A machine with other work is slow, and no less right.
    expect: { poll: { timeout: 15_000 } },
    // As many as there are copies of the project in test/ownership.system.test.ts.
    maxConcurrency: 2,
    projects: [
      {
        extends: true,
        test: {
          name: "browser",
          include: ["test/**/*.browser.test.ts"],
          globalSetup: ["test/support/node/served-app.ts"],
        },
      },
      {
        extends: true,
        test: {
          name: "generators",
          include: ["test/generators/*.system.test.ts"],
          globalSetup: ["test/support/node/served-app.ts"],
        },
      },
      { extends: true, test: { name: "examples", include: ["test/examples.system.test.ts"] } },
      { extends: true, test: { name: "crash", include: ["test/crash.system.test.ts"] } },
      { extends: true, test: { name: "deploy", include: ["test/deploy.system.test.ts"] } },
      { extends: true, test: { name: "ownership", include: ["test/ownership.system.test.ts"] } },
    ],
  },
});
