/**
 * A router whose operations have descriptions: they make the documents, and their schemas check requests. All parts of a
 * request are checked in one step, which reads only what the schemas name.
 */
import { OpenAPIHono, type RouteConfig, z } from "@hono/zod-openapi";
import type { Context, Env, Handler, MiddlewareHandler } from "hono";
import { hasBody } from "./body.ts";
import { Problem } from "./problem.ts";
import { refuseInvalid } from "./validation.ts";

type Target = "query" | "param" | "header" | "json";

export class Operations<E extends Env> extends OpenAPIHono<E> {
  /** Adds an operation. The types are the library's; so is the description. */
  override openapi = ((route: RouteConfig, handler: Handler) => {
    this.openAPIRegistry.registerPath(route);
    const path = route.path.replaceAll(/\{(\w+)\}/g, ":$1");
    this.on(route.method, path, checkRequest(route.request), handler);
    return this;
  }) as unknown as OpenAPIHono<E>["openapi"];
}

/** Checks what an operation's schemas name, in order, and hands on the values to `c.req.valid()`. */
function checkRequest({ query, params, headers, body }: NonNullable<RouteConfig["request"]> = {}): MiddlewareHandler {
  const checks: ((c: Context) => void | Promise<void>)[] = [];
  if (query) checks.push(checkQuery(query as z.ZodType));
  if (params) checks.push((c) => accept(c, "param", params as z.ZodType, c.req.param()));
  if (headers) checks.push(checkHeaders(headers as z.ZodObject));
  const json = body?.content["application/json"];
  // A body that may be of several types is a file, which the handler reads: JSON would be parsed at once.
  const isFile = Object.keys(body?.content ?? {}).length > 1;
  if (!isFile && json && "schema" in json && json.schema && "safeParse" in json.schema)
    checks.push(checkJson(json.schema as z.ZodType));
  return async (c, next) => {
    for (const check of checks) {
      const checking = check(c);
      if (checking) await checking;
    }
    await next();
  };
}

function accept(c: Context, target: Target, schema: z.ZodType, value: unknown): void {
  const result = schema.safeParse(value);
  refuseInvalid(result, namesOf(target, schema));
  c.req.addValidatedData(target, result.data as object);
}

/** The parameters that there are, for whoever sends another one. */
function namesOf(target: Target, schema: z.ZodType): string[] | undefined {
  return target === "query" && schema instanceof z.ZodObject ? Object.keys(schema.shape) : undefined;
}

/** A parameter that is repeated is a list. */
function checkQuery(schema: z.ZodType) {
  const acceptNothing = nothingFor("query", schema);
  return (c: Context) => {
    if (!c.req.url.includes("?")) return acceptNothing(c);
    const values = Object.entries(c.req.queries()).map(([name, all]) => [name, all.length === 1 ? all[0] : all]);
    accept(c, "query", schema, Object.fromEntries(values));
  };
}

/** Only the headers that the schema names are read. */
function checkHeaders(schema: z.ZodObject) {
  const names = Object.keys(schema.shape);
  const acceptNothing = nothingFor("header", schema);
  return (c: Context) => {
    const given = names.flatMap((name): [string, string][] => {
      const value = c.req.raw.headers.get(name);
      return value === null ? [] : [[name, value]];
    });
    if (given.length === 0) return acceptNothing(c);
    accept(c, "header", schema, Object.fromEntries(given));
  };
}

/** Accepts or refuses a request that gives none of the values, as was found out once. */
function nothingFor(target: Target, schema: z.ZodType) {
  let result: z.ZodSafeParseResult<unknown> | undefined;
  return (c: Context): void => {
    result ??= schema.safeParse({});
    refuseInvalid(result);
    c.req.addValidatedData(target, { ...(result.data as object) });
  };
}

const JSON_TYPE = /^application\/(?:[\w.-]+\+)?json[ \t]*(?:;|$)/i;

/** A body of no bytes is no body. Without one, and without a type, the schema tells what is missing. */
function checkJson(schema: z.ZodType) {
  return async (c: Context) => {
    const type = c.req.raw.headers.get("content-type");
    const isTyped = type !== null && type !== "";
    if (isTyped ? !JSON_TYPE.test(type) : hasBody(c) && (await c.req.arrayBuffer()).byteLength > 0) {
      throw new Problem("unsupported_media_type");
    }
    accept(c, "json", schema, isTyped ? await readJson(c) : {});
  };
}

async function readJson(c: Context): Promise<unknown> {
  const text = await c.req.text();
  try {
    return JSON.parse(text);
  } catch {
    const { describeJsonFault } = await import("./json-fault.ts");
    throw new Problem("malformed_request", { errors: [{ path: "body", message: describeJsonFault(text) }] });
  }
}
