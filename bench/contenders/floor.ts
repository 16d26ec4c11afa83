/** The least that a Worker can do: verify the token with `crypto.subtle`, and run one raw statement. */
type Bindings = { DB: D1Database; BETTER_AUTH_SECRET: string };

const COLUMNS = "id, title, description, completed_at, priority, due, tags, created_at, updated_at, revision";
const LIST = `select ${COLUMNS} from task where user_id = ?1 and deleted_at is null order by created_at desc limit 20`;
const READ = `select ${COLUMNS} from task where user_id = ?1 and id = ?2 and deleted_at is null`;
const FEED = `select ${COLUMNS}, deleted_at from task where user_id = ?1 and revision > ?2 order by revision limit 20`;
const CREATE = `insert into task (user_id, id, revision, title, title_key, created_at, updated_at)
  select ?1, ?2, coalesce(max(revision), 0) + 1, ?3, ?3, ?4, ?4 from task where user_id = ?1 returning ${COLUMNS}`;
const COMPLETE = `update task set completed_at = ?3, updated_at = ?4,
  revision = (select max(revision) + 1 from task where user_id = ?1)
  where user_id = ?1 and id = ?2 returning ${COLUMNS}`;

let key: Promise<CryptoKey> | undefined;

export default {
  async fetch(request: Request, env: Bindings): Promise<Response> {
    const userId = await verify(request.headers.get("authorization"), env.BETTER_AUTH_SECRET);
    if (!userId) return Response.json({ error: "unauthorized" }, { status: 401 });
    const { pathname, searchParams } = new URL(request.url);
    const id = pathname.split("/")[2] ?? "";
    if (request.method === "POST") return create(request, env, userId);
    if (request.method === "PATCH") return complete(request, env, userId, id);
    if (id === "changes") {
      const { results } = await env.DB.prepare(FEED)
        .bind(userId, Number(searchParams.get("since")))
        .all();
      return Response.json({ data: results });
    }
    if (id) return Response.json(await env.DB.prepare(READ).bind(userId, id).first());
    const { results } = await env.DB.prepare(LIST).bind(userId).all();
    return Response.json({ data: results });
  },
};

async function create(request: Request, env: Bindings, userId: string): Promise<Response> {
  const { title } = await request.json<{ title: string }>();
  const task = await env.DB.prepare(CREATE).bind(userId, crypto.randomUUID(), title, Date.now()).first();
  return Response.json(task, { status: 201 });
}

async function complete(request: Request, env: Bindings, userId: string, id: string): Promise<Response> {
  const { completed } = await request.json<{ completed: boolean }>();
  const now = Date.now();
  const task = await env.DB.prepare(COMPLETE)
    .bind(userId, id, completed ? now : null, now)
    .first();
  return Response.json(task);
}

async function verify(authorization: string | null, secret: string): Promise<string | undefined> {
  const [header, payload, signature] = authorization?.slice("Bearer ".length).split(".") ?? [];
  if (!header || !payload || !signature) return undefined;
  key ??= crypto.subtle.importKey("raw", encode(secret), { name: "HMAC", hash: "SHA-256" }, false, ["verify"]);
  const isSigned = await crypto.subtle.verify("HMAC", await key, decode(signature), encode(`${header}.${payload}`));
  if (!isSigned) return undefined;
  const claims = JSON.parse(new TextDecoder().decode(decode(payload))) as { sub: string; exp: number };
  return claims.exp > Date.now() / 1000 ? claims.sub : undefined;
}

function encode(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

function decode(text: string): Uint8Array {
  return Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (character) => character.charCodeAt(0));
}
