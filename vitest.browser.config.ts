import { defineConfig } from "vitest/config";

// In Chromium, against `npm start`: needs a Chromium on the machine, so it stands beside `npm test`, not in it.
export default defineConfig({
  test: { include: ["test/**/*.browser.test.ts"], testTimeout: 60_000, hookTimeout: 120_000 },
});
