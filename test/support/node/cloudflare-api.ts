/**
 * As much of Cloudflare's API as `wrangler` asks for when it deploys this Worker:
 * an account with databases (real SQLite), and Workers with their secrets.
 */
import { randomUUID } from "node:crypto";
import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { DatabaseSync } from "node:sqlite";

const ACCOUNT = "0123456789abcdef0123456789abcdef";

/** Wrangler reads from its middle when it expires. */
const ASSETS_TOKEN = ["", Buffer.from(JSON.stringify({ exp: 4_102_444_800 })).toString("base64url"), ""].join(".");

type Answer = { status: number; body: unknown };
type Deployed = { secrets: Map<string, string>; deployments: number };
/** An error with Cloudflare's own code, or any other text in its place. */
type Failure = { status: number; code: number; message: string } | { status: number; text: string };

export class CloudflareApi {
  readonly databases = new Map<string, { uuid: string; sqlite: DatabaseSync }>();
  readonly workers = new Map<string, Deployed>();
  /** The digests of the files that were uploaded, and the paths of the files that the newest deployment has. */
  readonly files = new Set<string>();
  paths: string[] = [];
  /** Every call so far, as in `GET /d1/database`. */
  readonly calls: string[] = [];
  /** What some calls answer instead. */
  readonly failures = new Map<string, Failure>();
  /** Runs while a call waits for its answer. */
  onCall: (call: string) => void = () => {};
  private readonly server: Server = createServer((request, response) => {
    void this.answer(request).then(({ status, body }) => {
      const text = typeof body === "string" ? body : JSON.stringify(body);
      response.writeHead(status, { "content-type": "application/json" }).end(text);
    });
  });

  async listen(): Promise<Record<string, string>> {
    await new Promise<void>((resolve) => this.server.listen(0, "127.0.0.1", resolve));
    const { port } = this.server.address() as AddressInfo;
    const CLOUDFLARE_API_BASE_URL = `http://127.0.0.1:${port}`;
    return { CLOUDFLARE_API_BASE_URL, CLOUDFLARE_API_TOKEN: "token", CLOUDFLARE_ACCOUNT_ID: ACCOUNT };
  }

  close(): void {
    this.server.close();
    for (const { sqlite } of this.databases.values()) sqlite.close();
  }

  /** The calls that changed something. */
  get writes(): string[] {
    return this.calls.filter((call) => !call.startsWith("GET "));
  }

  createDatabase(name: string): { name: string; uuid: string } {
    const uuid = randomUUID();
    this.databases.set(name, { uuid, sqlite: new DatabaseSync(":memory:") });
    return { name, uuid };
  }

  /** Makes a Worker that has been deployed before. */
  createWorker(name: string, secrets: Record<string, string>): void {
    this.workers.set(name, { secrets: new Map(Object.entries(secrets)), deployments: 1 });
  }

  private async answer(request: IncomingMessage): Promise<Answer> {
    const body = await readAll(request);
    const url = new URL(request.url ?? "", "http://api.test");
    const call = `${request.method} ${url.pathname.replace(`/accounts/${ACCOUNT}`, "")}`;
    this.calls.push(call);
    this.onCall(call);
    const failure = this.failures.get(call);
    if (failure) return "text" in failure ? { status: failure.status, body: failure.text } : refuse(failure);
    const found = this.route(call, url.searchParams, body);
    if (found === undefined) {
      return refuse({ status: 404, code: 10007, message: "This Worker does not exist on your account." });
    }
    return { status: 200, body: { success: true, errors: [], messages: [], result: found } };
  }

  private route(call: string, query: URLSearchParams, body: string): unknown {
    const [, method = "", path = ""] = /^(\S+) (.*)$/.exec(call) ?? [];
    if (path.startsWith("/d1/")) return this.routeDatabases(method, path, query, body);
    if (path.endsWith("/workers/subdomain")) return { subdomain: "test" };
    const [, kind, name = "", rest = ""] = /^\/workers\/(scripts|services|workers)\/([^/]+)(.*)$/.exec(path) ?? [];
    if (rest === "/assets-upload-session") return this.openUpload(JSON.parse(body).manifest);
    if (path === "/workers/assets/upload") return this.uploadFiles(body);
    if (method === "PUT" && kind === "scripts" && rest === "") return this.upload(name, body);
    const worker = this.workers.get(name);
    if (!worker) return undefined;
    if (method === "POST" && rest === "/versions") return this.upload(name, body);
    if (rest === "/secrets") return [...worker.secrets.keys()].map((secret) => ({ name: secret, type: "secret_text" }));
    if (rest === "/deployments") return { deployments: [] };
    if (rest === "/schedules") return { schedules: [] };
    if (rest === "/subdomain") return { enabled: true, previews_enabled: false };
    if (kind === "services") return { default_environment: { script: { last_deployed_from: "wrangler" } } };
    if (kind === "workers") return { id: name, name, subdomain: {} };
    return undefined;
  }

  private routeDatabases(method: string, path: string, page: URLSearchParams, body: string): unknown {
    if (path === "/d1/database" && method === "POST") return this.createDatabase(JSON.parse(body).name);
    if (path === "/d1/database") return this.listDatabases(Number(page.get("page")), Number(page.get("per_page")));
    const database = [...this.databases].find(([name, { uuid }]) =>
      path.split("/").some((part) => part === name || part === uuid),
    );
    if (!database) return undefined;
    const [name, { uuid, sqlite }] = database;
    return path.endsWith("/query") ? [query(sqlite, JSON.parse(body))] : { name, uuid };
  }

  private listDatabases(page: number, size: number) {
    const all = [...this.databases].map(([name, { uuid }]) => ({ name, uuid }));
    return all.slice((page - 1) * size, page * size);
  }

  /** Asks for the files that are not known yet. */
  private openUpload(manifest: Record<string, { hash: string }>) {
    this.paths = Object.keys(manifest);
    const wanted = Object.values(manifest).flatMap(({ hash }) => (this.files.has(hash) ? [] : [hash]));
    return { jwt: ASSETS_TOKEN, buckets: wanted.length > 0 ? [[...new Set(wanted)]] : [] };
  }

  private uploadFiles(form: string) {
    for (const [, hash = ""] of form.matchAll(/name="([0-9a-f]{32})"/g)) this.files.add(hash);
    return { jwt: ASSETS_TOKEN };
  }

  private upload(name: string, form: string) {
    const worker = this.workers.get(name) ?? { secrets: new Map<string, string>(), deployments: 0 };
    const metadata = JSON.parse(/name="metadata"\s+(\{.*\})/.exec(form)?.[1] ?? "{}");
    for (const { type, name: secret, text } of metadata.bindings ?? [])
      if (type === "secret_text") worker.secrets.set(secret, text);
    worker.deployments += 1;
    this.workers.set(name, worker);
    return { id: randomUUID(), etag: "etag", startup_time_ms: 1, resources: { script: { etag: "etag" } } };
  }
}

function query(sqlite: DatabaseSync, { sql, params = [] }: { sql: string; params?: string[] }) {
  const isRead = /^\s*(select|pragma)/i.test(sql);
  const meta = { duration: 0 };
  if (isRead) return { results: sqlite.prepare(sql).all(...params), success: true, meta };
  sqlite.exec(sql);
  return { results: [], success: true, meta };
}

function refuse({ status, code, message }: { status: number; code: number; message: string }): Answer {
  return { status, body: { success: false, errors: [{ code, message }], messages: [], result: null } };
}

async function readAll(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}
