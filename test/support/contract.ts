/** Holds every answer that a test sees against the document. */
import { env } from "cloudflare:workers";
import { Validator } from "@cfworker/json-schema";
import { createApp } from "../../src/app.ts";
import { describeTasks } from "../../src/docs/tasks-document.ts";
import { settingsWith } from "./settings.ts";

type Schema = Record<string, unknown>;
export type Operation = {
  method: string;
  path: string;
  operationId: string;
  security?: unknown[];
  parameters?: { name: string; in: "path" | "query" | "header"; required?: boolean; schema: Schema }[];
  requestBody?: { content: Record<string, { schema: Schema }> };
  responses: Record<string, { headers?: Record<string, unknown>; content?: Record<string, { schema: Schema }> }>;
};

const app = await createApp(settingsWith({}), env);
const api = JSON.parse(JSON.stringify(describeTasks(() => app)("https://tasks.test")));
export const components: { schemas: Record<string, Schema> } = api.components;

/** Every operation of the document. */
export const operations: Operation[] = Object.entries<Record<string, Operation>>(api.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({ ...operation, method: method.toUpperCase(), path })),
);

const patterns = operations.map((operation) => {
  const parts = operation.path.split(/\{\w+\}/).map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  return { operation, pattern: new RegExp(`^${parts.join("[^/]+")}$`), parameters: parts.length - 1 };
});

const validators = new Map<Schema, Validator>();

/** Fails where an answer is not as its operation is described. */
export async function checkAnswer(request: Request, answer: Response): Promise<void> {
  const operation = operationOf(request);
  if (!operation) return;
  const what = `${operation.method} ${operation.path} ${answer.status}`;
  const described = operation.responses[answer.status];
  if (!described) throw new Error(`${what}: the document knows no such status`);
  const missing = Object.keys(described.headers ?? {}).filter(
    (name) => !OPTIONAL.includes(name) && !answer.headers.has(name),
  );
  if (missing.length > 0) throw new Error(`${what}: no ${missing}`);
  const type = answer.headers.get("content-type")?.split(";")[0] ?? "";
  const content = described.content?.[type];
  if (described.content && !content) throw new Error(`${what}: the document knows no ${type}`);
  if (!content || !type.endsWith("json") || request.method === "HEAD" || operation.operationId === "exportTasks")
    return;
  const { valid, errors } = validatorOf(content.schema).validate(await answer.clone().json());
  if (!valid)
    throw new Error(`${what}: ${errors.map(({ instanceLocation, error }) => `${instanceLocation} ${error}`)}`);
}

/** What is there in some cases only, and is said so. */
const OPTIONAL = ["ETag", "Idempotency-Replayed", "x-d1-bookmark", "WWW-Authenticate"];

/** The body that the document gives as an example for an operation. */
export function exampleBody(method: string, path: string): object | undefined {
  const operation = operations.find((each) => each.method === method && each.path === path);
  return example(operation?.requestBody?.content["application/json"]?.schema);
}

function example(schema: Schema | undefined): object | undefined {
  const reference = schema?.["$ref"];
  if (typeof reference === "string") return example(components.schemas[reference.split("/").at(-1) ?? ""]);
  return schema?.["example"] as object | undefined;
}

/** As OpenAPI has it, a path without a parameter goes before one with a parameter in its place. */
function operationOf(request: Request): Operation | undefined {
  const { pathname } = new URL(request.url);
  const method = request.method === "HEAD" ? "GET" : request.method;
  const [closest, ...others] = patterns
    .filter(({ pattern }) => pattern.test(pathname))
    .sort((one, other) => one.parameters - other.parameters);
  const ofPath = [closest, ...others].filter((each) => each?.parameters === closest?.parameters);
  return ofPath.find((each) => each?.operation.method === method)?.operation;
}

function validatorOf(schema: Schema): Validator {
  const known = validators.get(schema);
  if (known) return known;
  const validator = new Validator({ ...schema, components } as never, "2020-12", false);
  validators.set(schema, validator);
  return validator;
}
