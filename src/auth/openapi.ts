/** The accounts' OpenAPI document: Better Auth's own descriptions, of the open endpoints only, with our failures. */
import { openAPI } from "better-auth/plugins";
import type { createAuth } from "./auth.ts";
import { type AccountEndpoint, ALL_ENDPOINTS } from "./endpoints.ts";
import { exampleBodyOf } from "./openapi-examples.ts";
import { withNullTypes } from "./workarounds/nullable.ts";

type Auth = Awaited<ReturnType<typeof createAuth>>;
type Generated = { paths: Record<string, Record<string, Operation>>; components: { schemas: Record<string, object> } };
type Body = { content: Record<string, object> };
type Operation = Record<string, unknown> & { requestBody?: Body; responses?: Record<string, unknown> };

const SECURITY_SCHEMES = {
  sessionCookie: {
    type: "apiKey",
    in: "cookie",
    name: "__Host-better-auth.session_token",
    description: "A browser's session. Over http, the cookie's name has no prefix.",
  },
  sessionBearer: {
    type: "http",
    scheme: "bearer",
    description: "A program's session: the value of the `set-auth-token` header. It is not an access token.",
  },
};

const failure = (description: string) => ({
  description,
  content: { "application/json": { schema: { $ref: "#/components/schemas/Failure" } } },
});

/** In place of Better Auth's descriptions of failures, which are the same everywhere and wrong. */
const FAILURES = {
  400: failure("Invalid request; see `message`"),
  401: failure("No active session, or wrong address or password"),
  403: failure("Origin not trusted, callback not listed, or session not fresh"),
  413: failure("Body larger than 64 KiB"),
  415: failure("Body is not JSON"),
  422: failure("The address already has an account"),
  429: {
    ...failure("Too many requests"),
    headers: { "Retry-After": { schema: { type: "string" }, description: "Seconds to wait before retrying" } },
  },
  500: failure("Internal error; it has been logged"),
  503: failure("A dependency is unavailable: D1, the password hasher or mail"),
};

const FAILURE_SCHEMA = {
  type: "object",
  required: ["code", "message"],
  properties: { code: { type: "string", example: "INVALID_EMAIL_OR_PASSWORD" }, message: { type: "string" } },
};

/** Describes the open endpoints in OpenAPI 3.1. */
export async function describeAccounts(auth: Auth, version: string, origin: string) {
  const { generateOpenAPISchema } = openAPI({ disableDefaultReference: true }).endpoints;
  // Called as Better Auth calls its endpoints itself: with its context, and for the value.
  const all = (await generateOpenAPISchema({ context: await auth.$context } as never)) as unknown as Generated;
  const { schemas } = all.components;
  const open = ALL_ENDPOINTS.map((endpoint) => {
    const method = endpoint.method.toLowerCase();
    return [endpoint, method, all.paths[endpoint.path]?.[method]] as const;
  });
  const operations = open.map(([endpoint, method, operation]) => [
    `/api/auth${endpoint.path}`,
    { [method]: describeEndpoint(endpoint, operation) },
  ]);
  return withNullTypes({
    openapi: "3.1.0",
    info: {
      title: "Edge Tasks: accounts",
      version,
      description: "Better Auth's endpoints, as far as they are open. They accept a session, not an access token.",
      license: { name: "MIT", url: "https://opensource.org/license/mit" },
    },
    servers: [{ url: origin }],
    tags: [{ name: "Accounts", description: "Accounts and sessions" }],
    paths: Object.fromEntries(operations),
    components: {
      schemas: { User: schemas["User"], Session: schemas["Session"], Failure: FAILURE_SCHEMA },
      securitySchemes: SECURITY_SCHEMES,
    },
  });
}

function describeEndpoint(endpoint: AccountEndpoint, operation: Operation | undefined) {
  const name = endpoint.path.replaceAll(/\W+(\w)/g, (_, letter: string) => letter.toUpperCase());
  return {
    ...operation,
    ...(operation?.requestBody && { requestBody: withExample(operation.requestBody, exampleBodyOf(endpoint.path)) }),
    operationId: name.replace(/^./, (letter) => letter.toLowerCase()),
    summary: endpoint.summary,
    tags: ["Accounts"],
    security: endpoint.session === "none" ? [] : [{ sessionCookie: [] }, { sessionBearer: [] }],
    responses: { 200: { description: "Done" }, ...successesOf(operation), ...FAILURES },
  };
}

/** A page that shows the document fills in the example, and otherwise a value for every field there is. */
function withExample(body: Body, example: object): Body {
  const content = Object.entries(body.content).map(([type, media]) => [type, { ...media, example }]);
  return { ...body, content: Object.fromEntries(content) };
}

function successesOf(operation: Operation | undefined) {
  return Object.fromEntries(Object.entries(operation?.responses ?? {}).filter(([status]) => Number(status) < 400));
}
