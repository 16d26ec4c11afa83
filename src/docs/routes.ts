/** The OpenAPI documents, and a page that shows them and runs their operations. */
import { Hono } from "hono";
import { html } from "hono/html";
import { secureHeaders } from "hono/secure-headers";
import { ACCESS_TOKEN_HEADER } from "../http/headers.ts";

export const API_DOCUMENT = "/api/openapi.json";
export const ACCOUNTS_DOCUMENT = "/api/openapi-accounts.json";

/** The files of swagger-ui-dist that the page needs. No other file of the package is served. */
const ASSETS = ["swagger-ui.css", "swagger-ui-bundle.js", "swagger-ui-standalone-preset.js"];

export type Documents = {
  api: (origin: string) => object;
  accounts: (origin: string) => Promise<object>;
};

/** Allows our own scripts and requests. Swagger UI sets styles by script, and has icons in data URLs. */
const pagePolicy = secureHeaders({
  contentSecurityPolicy: {
    defaultSrc: ["'none'"],
    scriptSrc: ["'self'"],
    styleSrc: ["'self'", "'unsafe-inline'"],
    imgSrc: ["'self'", "data:"],
    connectSrc: ["'self'"],
    baseUri: ["'none'"],
    formAction: ["'none'"],
    frameAncestors: ["'none'"],
  },
});

export function createDocs(documents: Documents, assets: Fetcher) {
  const docs = new Hono()
    .get(API_DOCUMENT, (c) => c.json(documents.api(new URL(c.req.url).origin)))
    .get(ACCOUNTS_DOCUMENT, async (c) => c.json(await documents.accounts(new URL(c.req.url).origin)))
    .get("/docs", pagePolicy, (c) => c.html(page()))
    .get("/docs/start.js", (c) => c.body(START, 200, { "Content-Type": "text/javascript; charset=utf-8" }))
    .get("/docs/page.css", (c) => c.body(STYLE, 200, { "Content-Type": "text/css; charset=utf-8" }));
  for (const asset of ASSETS) {
    docs.get(`/docs/${asset}`, async (c) => {
      const known = c.req.header("if-none-match");
      const found = await assets.fetch(
        new URL(`/${asset}`, c.req.url),
        known ? { headers: { "if-none-match": known } } : {},
      );
      const answer = new Response(found.body, found);
      if (found.ok || found.status === 304) answer.headers.set("cache-control", "public, max-age=3600");
      return answer;
    });
  }
  return docs;
}

function page() {
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Edge Tasks: API</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/docs/swagger-ui.css">
<link rel="stylesheet" href="/docs/page.css">
</head>
<body>
<header>
<p>To run the operations, choose <b>Accounts</b> and sign up or sign in. The page keeps the access token in memory and sends it with the operations of <b>Tasks</b>.</p>
</header>
<main id="docs"></main>
<script src="/docs/swagger-ui-bundle.js"></script>
<script src="/docs/swagger-ui-standalone-preset.js"></script>
<script src="/docs/start.js"></script>
</body>
</html>`;
}

const STYLE = `body { margin: 0; font-family: system-ui, sans-serif; }
header { max-width: 1460px; margin: 0 auto; padding: 1rem 20px 0; box-sizing: border-box; }
header p { margin: 0 0 .5rem; }
.swagger-ui .info { margin: 1.5rem 0; }
.swagger-ui .scheme-container { padding: 1rem 0; }
.topbar a.link { display: none !important; }
.swagger-ui .topbar { padding: 0; background: none; }
.swagger-ui .topbar .download-url-wrapper { justify-content: flex-start; }
.swagger-ui .topbar .download-url-wrapper .select-label { color: inherit; margin: 0; }
@media (max-width: 640px) {
  .swagger-ui .wrapper { padding: 0 8px; }
  .swagger-ui .opblock .opblock-summary { flex-wrap: wrap; }
  .swagger-ui .opblock .opblock-summary-description { padding: 0 4px 4px; }
  .swagger-ui table.parameters, .swagger-ui table.responses-table { display: block; overflow-x: auto; }
  .swagger-ui .parameters-col_description input, .swagger-ui textarea { max-width: 100%; min-width: 0; }
}
`;

/** Signing in on the page passes its access token to the task operations. Swagger UI keeps it in memory. */
const START = `let accessToken;
SwaggerUIBundle({
  dom_id: "#docs",
  urls: [
    { name: "Tasks", url: "${API_DOCUMENT}" },
    { name: "Accounts", url: "${ACCOUNTS_DOCUMENT}" },
  ],
  presets: [SwaggerUIBundle.presets.apis, SwaggerUIStandalonePreset],
  layout: "StandaloneLayout",
  deepLinking: true,
  tryItOutEnabled: true,
  persistAuthorization: false,
  validatorUrl: null,
  queryConfigEnabled: false,
  responseInterceptor: (response) => {
    const token = response.headers?.["${ACCESS_TOKEN_HEADER}"] ?? response.obj?.token;
    if (token) accessToken = token;
    return response;
  },
  requestInterceptor: (request) => {
    const isTask = new URL(request.url, location.origin).pathname.startsWith("/api/v1/");
    if (isTask && accessToken && !request.headers.Authorization) request.headers.Authorization = "Bearer " + accessToken;
    return request;
  },
});
`;
