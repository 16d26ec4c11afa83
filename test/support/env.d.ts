import type { D1Migration } from "cloudflare:test";

declare global {
  namespace Cloudflare {
    interface Env {
      MIGRATIONS: D1Migration[];
      /** docs/api.md. */
      API_DOC: string;
      /** An empty database, for tests of the migrations themselves. */
      SCRATCH_DB: D1Database;
    }
  }
}
