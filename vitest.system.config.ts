import { defineConfig } from "vitest/config";

// What needs more on the machine than npm, or more time, stands beside `npm test`: Chromium, the examples' languages, and
// running the tests over and over to see them fail.
export default defineConfig({
  test: {
    testTimeout: 60_000,
    hookTimeout: 120_000,
    projects: [
      { extends: true, test: { name: "browser", include: ["test/**/*.browser.test.ts"] } },
      { extends: true, test: { name: "examples", include: ["test/examples.system.test.ts"] } },
      { extends: true, test: { name: "ownership", include: ["test/ownership.system.test.ts"] } },
    ],
  },
});
