/** Callers of the API, ready to use: somebody new, nobody, or a holder of a token of your making. */
import { env } from "cloudflare:workers";
import { SignJWT } from "jose";
import type { Task } from "../../src/tasks/model.ts";
import { hastyApp } from "./apps.ts";
import { checkAnswer } from "./contract.ts";

export const ORIGIN = "https://tasks.test";
export const PASSWORD = "correct horse battery";

/** Whatever answers requests: the Worker as it is, or an app built for one test. */
export type Fetch = (request: Request) => Response | Promise<Response>;
export type CallInit = {
  method?: string;
  headers?: Record<string, string>;
  json?: unknown;
  body?: BodyInit;
  /** Whether the answer is read by the test. Otherwise it is read here: an answer that nobody reads keeps its place. */
  streams?: boolean;
};
export type Client = ReturnType<typeof clientWith>;
export type Person = Awaited<ReturnType<typeof someone>>;

/**
 * The Worker, but for the time that it spends on hashing passwords and on answering evenly. A request through its entry
 * would cross isolates, which takes longer than its work.
 */
export const { fetch: worker } = await hastyApp();

let people = 0;

/** An address of its own for each caller, so that no test is throttled for another. */
export function nextAddress(): string {
  people += 1;
  return `10.${(people >> 16) & 255}.${(people >> 8) & 255}.${people & 255}`;
}

export function nextEmail(): string {
  return `${crypto.randomUUID()}@example.com`;
}

/** Sends one request; `json` sets the body and its type. The answer has to be as the document says. */
export async function call(
  path: string,
  { json, streams, ...init }: CallInit = {},
  fetch: Fetch = worker,
): Promise<Response> {
  const headers = new Headers(init.headers);
  if (json !== undefined && !headers.has("content-type")) headers.set("content-type", "application/json");
  const body = json === undefined ? init.body : JSON.stringify(json);
  const method = init.method ?? (body === undefined ? "GET" : "POST");
  const request = new Request(ORIGIN + path, { method, headers, ...(body !== undefined && { body }) });
  const answer = await fetch(request);
  await checkAnswer(request, answer);
  return streams || answer.body === null ? answer : new Response(await answer.arrayBuffer(), answer);
}

/** A caller with the given headers. */
export function clientWith(headers: Record<string, string>, fetch: Fetch = worker) {
  const address = nextAddress();
  return {
    call: (path: string, init: CallInit = {}) =>
      call(path, { ...init, headers: { "cf-connecting-ip": address, ...headers, ...init.headers } }, fetch),
  };
}

export function anonymous(fetch?: Fetch): Client {
  return clientWith({}, fetch);
}

/** Signs up somebody new, over HTTP. */
export async function someone(fetch: Fetch = worker) {
  const visitor = anonymous(fetch);
  const email = nextEmail();
  const answer = await visitor.call("/api/auth/sign-up/email", {
    json: { name: "Someone", email, password: PASSWORD },
  });
  if (answer.status !== 200) throw new Error(`sign-up: ${answer.status} ${await answer.text()}`);
  const { user } = await answer.json<{ user: { id: string } }>();
  const accessToken = header(answer, "set-auth-jwt");
  const sessionToken = header(answer, "set-auth-token");
  const cookie = header(answer, "set-cookie").split(";")[0] ?? "";
  const client = clientFor(accessToken, fetch);
  return { id: user.id, email, accessToken, sessionToken, cookie, ...client, ...tasksOf(client) };
}

/** A caller who holds an access token. */
export function clientFor(accessToken: string, fetch?: Fetch): Client {
  return clientWith({ authorization: `Bearer ${accessToken}` }, fetch);
}

export function tasksOf(client: Client, user = "me") {
  const path = `/api/v1/users/${user}/tasks`;
  return {
    path,
    create: async (json: object = { title: "A task" }) => ok<Task>(await client.call(path, { json }), 201),
    read: async (id: string) => ok<Task>(await client.call(`${path}/${id}`)),
    list: async (query = "") => ok<{ data: Task[]; nextCursor: string | null }>(await client.call(path + query)),
    patch: (id: string, json: object, headers: Record<string, string> = {}) =>
      client.call(`${path}/${id}`, { method: "PATCH", json, headers }),
    put: (id: string, json: object, headers: Record<string, string> = {}) =>
      client.call(`${path}/${id}`, { method: "PUT", json, headers }),
    complete: (id: string, completed: unknown, headers: Record<string, string> = {}) =>
      client.call(`${path}/${id}/complete`, { method: "PATCH", json: { completed }, headers }),
    remove: (id: string, headers: Record<string, string> = {}) =>
      client.call(`${path}/${id}`, { method: "DELETE", headers }),
  };
}

/** The body of an answer that must have this status. */
export async function ok<Body>(answer: Response, status = 200): Promise<Body> {
  if (answer.status !== status) throw new Error(`expected ${status}, got ${answer.status}: ${await answer.text()}`);
  return answer.json<Body>();
}

export function header(answer: Response, name: string): string {
  const value = answer.headers.get(name);
  if (value === null) throw new Error(`no ${name} header in ${answer.status}`);
  return value;
}

/** Good claims for a person, to be spoiled one at a time. */
export function claimsFor(person: { id: string; accessToken: string; email: string }): Record<string, unknown> {
  const now = Math.floor(Date.now() / 1000);
  const { sid } = decodeClaims(person.accessToken);
  const life = { iat: now, exp: now + 3600, jti: crypto.randomUUID() };
  return { iss: ORIGIN, aud: ORIGIN, sub: person.id, sid, email: person.email, ...life };
}

/** A token with these claims, signed as the Worker signs unless told otherwise. */
export function tokenWith(
  claims: object,
  header: object = {},
  secret: string = env.BETTER_AUTH_SECRET,
): Promise<string> {
  const key = new TextEncoder().encode(secret);
  return new SignJWT({ ...claims }).setProtectedHeader({ alg: "HS256", typ: "at+jwt", ...header }).sign(key);
}

export function decodeClaims(token: string): Record<string, unknown> {
  return JSON.parse(atob((token.split(".")[1] ?? "").replaceAll("-", "+").replaceAll("_", "/")));
}
