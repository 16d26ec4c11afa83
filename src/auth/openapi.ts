/** The accounts' OpenAPI document: Better Auth's own descriptions, of the open endpoints only, with our failures. */
import { openAPI } from "better-auth/plugins";
import type { createAuth } from "./auth.ts";
import { type AccountEndpoint, ALL_ENDPOINTS } from "./endpoints.ts";
import { exampleBodyOf, fieldsOf, requiredFieldsOf } from "./openapi-examples.ts";
import { MAX_PASSWORD_CHARACTERS, MIN_PASSWORD_CHARACTERS } from "./passwords/policy.ts";
import { withNullTypes } from "./workarounds/nullable.ts";

type Auth = Awaited<ReturnType<typeof createAuth>>;
type Generated = { paths: Record<string, Record<string, Operation>>; components: { schemas: Record<string, Schema> } };
type Schema = { type?: string | string[]; properties?: Record<string, object>; required?: string[] };
type Body = { content: Record<string, { schema?: Schema }> };
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

const failure = (description: string, code: string, message: string) => ({
  description,
  content: { "application/json": { schema: { $ref: "#/components/schemas/Failure" }, example: { code, message } } },
});

/** In place of Better Auth's descriptions of failures, which are the same everywhere and wrong. */
const FAILURES = {
  400: failure("Invalid request; see `message`", "VALIDATION_ERROR", "[body.email] Invalid email address"),
  401: failure(
    "No active session, or wrong address or password",
    "INVALID_EMAIL_OR_PASSWORD",
    "Invalid email or password",
  ),
  403: failure(
    "Origin not trusted, callback not listed, or session not fresh",
    "INVALID_ORIGIN",
    "This origin is not trusted. The operator can add it to TRUSTED_ORIGINS",
  ),
  413: failure("Body larger than 64 KiB", "BODY_TOO_LARGE", "A body may be at most 64 KiB"),
  415: failure("Body is not JSON", "UNSUPPORTED_MEDIA_TYPE", "Send JSON with `Content-Type: application/json`"),
  422: failure(
    "The address already has an account",
    "USER_ALREADY_EXISTS_USE_ANOTHER_EMAIL",
    "User already exists. Use another email.",
  ),
  429: {
    ...failure(
      "Too many requests",
      "TOO_MANY_REQUESTS",
      "Too many requests. Retry after the number of seconds in Retry-After",
    ),
    headers: { "Retry-After": { schema: { type: "string" }, description: "Seconds to wait before retrying" } },
  },
  500: failure("Internal error; it has been logged", "INTERNAL_ERROR", "Internal error; it has been logged"),
  503: failure(
    "A dependency is unavailable: D1, the password hasher or mail",
    "DATABASE_UNAVAILABLE",
    "The database did not answer. Retry shortly",
  ),
};

const FAILURE_SCHEMA = {
  type: "object",
  required: ["code", "message"],
  properties: { code: { type: "string" }, message: { type: "string" } },
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
      schemas: {
        // A picture, an address and a device may be missing: then they are null.
        User: withNulls(schemas["User"], ["image"]),
        Session: withNulls(schemas["Session"], ["ipAddress", "userAgent"]),
        Failure: FAILURE_SCHEMA,
      },
      securitySchemes: SECURITY_SCHEMES,
    },
  });
}

function describeEndpoint(endpoint: AccountEndpoint, operation: Operation | undefined) {
  const name = endpoint.path.replaceAll(/\W+(\w)/g, (_, letter: string) => letter.toUpperCase());
  return {
    ...operation,
    requestBody: bodyOf(endpoint, operation?.requestBody),
    operationId: name.replace(/^./, (letter) => letter.toLowerCase()),
    summary: endpoint.summary,
    tags: ["Accounts"],
    security: endpoint.session === "none" ? [] : [{ sessionCookie: [] }, { sessionBearer: [] }],
    responses: { 200: { description: "Done" }, ...successesOf(operation), ...FAILURES },
  };
}

/**
 * The body of an endpoint: its open fields, which of them are required, and the limits of a new password. A page that shows
 * the document fills in the example, and otherwise a value for every field there is.
 */
function bodyOf(endpoint: AccountEndpoint, body: Body | undefined): Body | undefined {
  const { path, newPassword, fields = fieldsOf(path) } = endpoint;
  const described = body?.content["application/json"]?.schema?.properties ?? {};
  const open = Object.entries(described).filter(([name]) => fields?.includes(name) ?? true);
  if (!body || open.length === 0) return undefined;
  const limits = { minLength: MIN_PASSWORD_CHARACTERS, maxLength: MAX_PASSWORD_CHARACTERS };
  const properties = open.map(([name, schema]) => [name, name === newPassword ? { ...schema, ...limits } : schema]);
  const required = requiredFieldsOf(path) ?? body.content["application/json"]?.schema?.required ?? [];
  const schema = {
    type: "object",
    properties: Object.fromEntries(properties),
    ...(required.length > 0 && { required }),
  };
  const media = { schema, example: exampleBodyOf(path) };
  return { ...body, required: required.length > 0, content: { "application/json": media } } as Body;
}

/** A schema whose named properties are always there, and may be null. */
function withNulls(schema: Schema | undefined, names: string[]): Schema {
  const { properties = {}, required = [] } = schema ?? {};
  const nullable = names.map((name) => [name, { ...properties[name], type: ["string", "null"] }]);
  return {
    ...schema,
    properties: { ...properties, ...Object.fromEntries(nullable) },
    required: [...new Set([...required, ...names])],
  };
}

function successesOf(operation: Operation | undefined) {
  const successes = Object.entries(operation?.responses ?? {}).filter(([status]) => Number(status) < 400);
  return JSON.parse(JSON.stringify(Object.fromEntries(successes)), (_, value: unknown) =>
    isUser(value) ? withNulls(value, ["image"]) : value,
  );
}

/** Whether a schema is that of a user, written out. */
function isUser(value: unknown): value is Schema {
  const { properties } = (value ?? {}) as Schema;
  return properties !== undefined && "emailVerified" in properties && "image" in properties;
}
