/**
 * Starts Swagger UI. A task operation without an access token gets one with the browser's session, and a new one shortly
 * before it expires. The token stays in memory.
 */
import { createTokenStore } from "./token.ts";

const token = createTokenStore();

type SwaggerRequest = { url: string; headers: Record<string, string> };
type SwaggerResponse = { url: string; ok: boolean; status: number; headers?: Record<string, string>; obj?: unknown };
type SwaggerUI = ((options: object) => void) & { presets: { apis: unknown } };

/** What the two scripts of swagger-ui-dist define. */
declare const SwaggerUIBundle: SwaggerUI;
declare const SwaggerUIStandalonePreset: unknown;

SwaggerUIBundle({
  dom_id: "#docs",
  urls: [
    { name: "Tasks", url: "/api/openapi.json" },
    { name: "Accounts", url: "/api/openapi-accounts.json" },
  ],
  presets: [SwaggerUIBundle.presets.apis, SwaggerUIStandalonePreset],
  layout: "StandaloneLayout",
  deepLinking: true,
  tryItOutEnabled: true,
  persistAuthorization: false,
  validatorUrl: null,
  queryConfigEnabled: false,
  async requestInterceptor(request: SwaggerRequest) {
    if (!isTask(request.url) || request.headers["Authorization"]) return request;
    const current = await token.get();
    if (current) request.headers["Authorization"] = `Bearer ${current}`;
    return request;
  },
  responseInterceptor(response: SwaggerResponse) {
    const path = pathOf(response.url);
    const issued = response.headers?.["set-auth-jwt"];
    if (issued) token.keep(issued);
    else if (response.status === 401 && isTask(path)) token.forget();
    else if (response.ok && path === "/api/auth/sign-out") token.forget();
    return response;
  },
});

function isTask(url: string): boolean {
  return pathOf(url).startsWith("/api/v1/");
}

function pathOf(url: string): string {
  return new URL(url, location.origin).pathname;
}
