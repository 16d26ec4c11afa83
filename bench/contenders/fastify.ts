/** The same list on a server of one's own: Fastify, fast-jwt, and Node's SQLite in the process. It prints its port. */
import { createHmac, randomUUID, timingSafeEqual } from "node:crypto";
import { DatabaseSync } from "node:sqlite";
import fastify from "fastify";
import { SECRET } from "../support/people.ts";

const COLUMNS = "id, title, description, completed_at, priority, due, tags, created_at, updated_at, revision";
const database = new DatabaseSync(process.argv[2] ?? ":memory:");
database.exec("pragma journal_mode = wal; pragma synchronous = off");
const list = database.prepare(
  `select ${COLUMNS} from task where user_id = ? and deleted_at is null order by created_at desc limit 20`,
);
const read = database.prepare(`select ${COLUMNS} from task where user_id = ? and id = ? and deleted_at is null`);
const feed = database.prepare(
  `select ${COLUMNS}, deleted_at from task where user_id = ? and revision > ? order by revision limit 20`,
);
const create = database.prepare(`insert into task (user_id, id, revision, title, title_key, created_at, updated_at)
  select ?1, ?2, coalesce(max(revision), 0) + 1, ?3, ?3, ?4, ?4 from task where user_id = ?1 returning ${COLUMNS}`);
const complete = database.prepare(`update task set completed_at = ?3, updated_at = ?4,
  revision = (select max(revision) + 1 from task where user_id = ?1) where user_id = ?1 and id = ?2 returning ${COLUMNS}`);

const app = fastify();
app.decorateRequest("userId", "");
app.addHook("onRequest", async (request, reply) => {
  const userId = verify(request.headers.authorization);
  if (!userId) return reply.code(401).send({ error: "unauthorized" });
  Object.assign(request, { userId });
});
app.get("/tasks", async (request) => ({ data: list.all(callerOf(request)) }));
app.get<{ Querystring: { since: string } }>("/tasks/changes", async (request) => ({
  data: feed.all(callerOf(request), Number(request.query.since)),
}));
app.get<{ Params: { id: string } }>("/tasks/:id", async (request) => read.get(callerOf(request), request.params.id));
app.post<{ Body: { title: string } }>("/tasks", async (request, reply) => {
  return reply.code(201).send(create.get(callerOf(request), randomUUID(), request.body.title, Date.now()));
});
app.patch<{ Params: { id: string }; Body: { completed: boolean } }>("/tasks/:id/complete", async (request) => {
  const now = Date.now();
  return complete.get(callerOf(request), request.params.id, request.body.completed ? now : null, now);
});
const address = new URL(await app.listen({ port: 0, host: "127.0.0.1" }));
console.log(address.port);

function callerOf(request: object): string {
  return (request as { userId: string }).userId;
}

function verify(authorization: string | undefined): string | undefined {
  const [header, payload, signature] = authorization?.slice("Bearer ".length).split(".") ?? [];
  if (!header || !payload || !signature) return undefined;
  const expected = createHmac("sha256", SECRET).update(`${header}.${payload}`).digest();
  const given = Buffer.from(signature, "base64url");
  if (given.length !== expected.length || !timingSafeEqual(given, expected)) return undefined;
  const claims = JSON.parse(Buffer.from(payload, "base64url").toString()) as { sub: string; exp: number };
  return claims.exp > Date.now() / 1000 ? claims.sub : undefined;
}
