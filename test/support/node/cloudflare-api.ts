/**
 * As much of Cloudflare's API as `wrangler` asks for when it deploys this Worker:
 * an account with databases (real SQLite), a Worker and its secrets.
 */
import { randomUUID } from "node:crypto";
import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { DatabaseSync } from "node:sqlite";

const ACCOUNT = "0123456789abcdef0123456789abcdef";

export class CloudflareApi {
  readonly databases = new Map<string, { uuid: string; sqlite: DatabaseSync }>();
  readonly secrets = new Map<string, string>();
  readonly calls: string[] = [];
  deployments = 0;
  private readonly server: Server = createServer((request, response) => {
    void this.answer(request).then(({ status, body }) => {
      response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
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

  private async answer(request: IncomingMessage): Promise<{ status: number; body: unknown }> {
    const body = await readAll(request);
    const [path = ""] = (request.url ?? "").replace(`/accounts/${ACCOUNT}`, "").split("?");
    this.calls.push(`${request.method} ${path}`);
    const found = this.route(`${request.method} ${path}`, body);
    if (found === undefined) return failure(404, 10007, "This Worker does not exist on your account.");
    return { status: 200, body: { success: true, errors: [], messages: [], result: found } };
  }

  private route(call: string, body: string): unknown {
    const [, method = "", path = ""] = /^(\S+) (.*)$/.exec(call) ?? [];
    const database = [...this.databases].find(([name, { uuid }]) =>
      path.split("/").some((part) => part === name || part === uuid),
    );
    if (path === "/d1/database" && method === "POST") return this.createDatabase(JSON.parse(body).name);
    if (path === "/d1/database") return [...this.databases].map(([name, { uuid }]) => ({ name, uuid }));
    if (path.endsWith("/query") && database) return [query(database[1].sqlite, JSON.parse(body))];
    if (path.startsWith("/d1/database/") && database) return { name: database[0], uuid: database[1].uuid };
    if (path === "/workers/scripts/edge-tasks" && method === "PUT") return this.upload(body);
    // Nothing to upload: all assets are known already.
    if (path.endsWith("/assets-upload-session")) return { jwt: "assets", buckets: [] };
    if (path === "/workers/scripts/edge-tasks/versions" && method === "POST") return this.upload(body);
    if (path === "/workers/scripts/edge-tasks/deployments") return { deployments: [] };
    if (path === "/workers/scripts/edge-tasks/schedules") return { schedules: [] };
    if (path === "/workers/workers/edge-tasks") return { id: "edge-tasks", name: "edge-tasks", subdomain: {} };
    if (path.endsWith("/secrets") && this.deployments > 0)
      return [...this.secrets.keys()].map((name) => ({ name, type: "secret_text" }));
    if (path.endsWith("/subdomain")) return { subdomain: "test", enabled: true, previews_enabled: false };
    if (path.startsWith("/workers/services/") && this.deployments > 0)
      return { default_environment: { script: { last_deployed_from: "wrangler" } } };
    return undefined;
  }

  private createDatabase(name: string) {
    const uuid = randomUUID();
    this.databases.set(name, { uuid, sqlite: new DatabaseSync(":memory:") });
    return { name, uuid };
  }

  private upload(form: string) {
    const metadata = JSON.parse(/name="metadata"\s+(\{.*\})/.exec(form)?.[1] ?? "{}");
    for (const { type, name, text } of metadata.bindings ?? [])
      if (type === "secret_text") this.secrets.set(name, text);
    this.deployments += 1;
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

function failure(status: number, code: number, message: string) {
  return { status, body: { success: false, errors: [{ code, message }], messages: [], result: null } };
}

async function readAll(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}
