/** The OpenAPI documents, and the pages of problems. The page that shows the documents is `src/web/docs`. */
import { Hono } from "hono";
import { problemPage, problemsPage } from "./problem-page.ts";

export type Documents = {
  api: (origin: string) => object;
  accounts: (origin: string) => Promise<object>;
};

export function createDocs(documents: Documents) {
  return new Hono()
    .get("/problems", problemsPage)
    .get("/problems/:code", problemPage)
    .get("/api/openapi.json", (c) => c.json(documents.api(new URL(c.req.url).origin)))
    .get("/api/openapi-accounts.json", async (c) => c.json(await documents.accounts(new URL(c.req.url).origin)));
}
