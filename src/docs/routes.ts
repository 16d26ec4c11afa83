/** The OpenAPI documents. The page that shows them is `src/web/docs`. */
import { Hono } from "hono";

export type Documents = {
  api: (origin: string) => object;
  accounts: (origin: string) => Promise<object>;
};

export function createDocs(documents: Documents) {
  return new Hono()
    .get("/api/openapi.json", (c) => c.json(documents.api(new URL(c.req.url).origin)))
    .get("/api/openapi-accounts.json", async (c) => c.json(await documents.accounts(new URL(c.req.url).origin)));
}
