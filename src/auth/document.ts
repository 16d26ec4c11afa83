/**
 * The accounts' document: Better Auth describes its own endpoints; here it is cut to those that are open, and the two
 * ways to carry a session are told apart.
 */
import { openAPI } from "better-auth/plugins";
import type { createAuth } from "./auth.ts";
import { AUTH_ENDPOINTS } from "./endpoints.ts";

type Auth = Awaited<ReturnType<typeof createAuth>>;
type Generated = { paths: Record<string, Record<string, Operation>>; components: { schemas: Record<string, object> } };
type Operation = Record<string, unknown> & { responses?: Record<string, unknown> };

const SECURITY_SCHEMES = {
  sessionCookie: {
    type: "apiKey",
    in: "cookie",
    name: "__Host-better-auth.session_token",
    description: "The session of a browser. Over http its name has no prefix.",
  },
  sessionBearer: {
    type: "http",
    scheme: "bearer",
    description: "The session of a program: the value of `set-auth-token`. It is no access token.",
  },
};

const failure = (description: string) => ({
  description,
  content: { "application/json": { schema: { $ref: "#/components/schemas/Failure" } } },
});

/** Better Auth describes failures alike everywhere, and not as they are. */
const FAILURES = {
  400: failure("Something in the request is not as it must be"),
  401: failure("No session, or a wrong password"),
  403: failure("Not from here, or not with this session"),
  413: failure("More than 64 KiB"),
  415: failure("Neither JSON nor empty"),
  422: failure("Cannot be done, as the address is taken"),
  429: {
    ...failure("Too often"),
    headers: { "Retry-After": { schema: { type: "string" }, description: "In seconds" } },
  },
  500: failure("A mistake of ours"),
  503: failure("D1, hashing or mail is not there"),
};

const FAILURE_SCHEMA = {
  type: "object",
  required: ["code", "message"],
  properties: { code: { type: "string", example: "INVALID_EMAIL_OR_PASSWORD" }, message: { type: "string" } },
};

/** Describes the open endpoints, in OpenAPI 3.1. */
export async function describeAccounts(auth: Auth, version: string, origin: string) {
  const { generateOpenAPISchema } = openAPI({ disableDefaultReference: true }).endpoints;
  // Called as Better Auth calls its endpoints itself: with its context, and for the value.
  const all = (await generateOpenAPISchema({ context: await auth.$context } as never)) as unknown as Generated;
  const { schemas } = all.components;
  const open = AUTH_ENDPOINTS.map((endpoint) => {
    const method = endpoint.method.toLowerCase();
    return [endpoint, method, all.paths[endpoint.path]?.[method]] as const;
  });
  const operations = open.map(([endpoint, method, operation]) => [
    `/api/auth${endpoint.path}`,
    { [method]: describe(endpoint, operation) },
  ]);
  return inOpenApi31({
    openapi: "3.1.0",
    info: {
      title: "Edge Tasks: accounts",
      version,
      description: "Better Auth's endpoints, as far as they are open. The session opens these, and no task.",
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

/** Better Auth writes `nullable` as OpenAPI 3.0 did; now null is a type. */
function inOpenApi31<Document extends object>(document: Document): Document {
  return JSON.parse(JSON.stringify(document), (_, value: unknown) => {
    if (typeof value !== "object" || value === null || !("nullable" in value)) return value;
    const { nullable, ...schema } = value as { nullable: boolean; type?: string | string[] };
    if (!nullable || schema.type === undefined) return schema;
    return { ...schema, type: [...new Set([schema.type, "null"].flat())] };
  });
}

function describe(endpoint: (typeof AUTH_ENDPOINTS)[number], operation: Operation | undefined) {
  const needsNoSession = "open" in endpoint;
  const name = endpoint.path.replaceAll(/\W+(\w)/g, (_, letter: string) => letter.toUpperCase());
  return {
    ...operation,
    operationId: name.replace(/^./, (letter) => letter.toLowerCase()),
    summary: endpoint.does,
    tags: ["Accounts"],
    security: needsNoSession ? [] : [{ sessionCookie: [] }, { sessionBearer: [] }],
    responses: { 200: { description: "Done" }, ...successesOf(operation), ...FAILURES },
  };
}

function successesOf(operation: Operation | undefined) {
  return Object.fromEntries(Object.entries(operation?.responses ?? {}).filter(([status]) => Number(status) < 400));
}
