/** The people and tasks of the benchmark, and the credentials that each contender asks of them. */
import { createHash, createHmac } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";

export const SECRET = "bench-Rw5yq0Zr8nG1sUe4Kx7TbVfJdL2hC";
export const ORIGIN = "https://tasks.bench";
const TASKS_EACH = 200;
const YEAR_MS = 365 * 24 * 60 * 60 * 1000;

export type Someone = {
  id: string;
  /** A task of theirs. */
  taskIds: string[];
  accessToken: string;
  /** For `hono/jwt` as it is used by hand. */
  plainToken: string;
  /** A session of Better Auth, as its cookie and as a bearer value. */
  cookie: string;
  bearer: string;
};

/** Creates a database as the migrations have it, with people who have as many open tasks as completed ones. */
export function seed(file: string, count: number): Someone[] {
  const database = new DatabaseSync(file);
  for (const name of readdirSync("migrations").sort()) database.exec(readFileSync(`migrations/${name}`, "utf8"));
  database.exec("begin");
  const people = Array.from({ length: count }, (_, n) => addPerson(database, n));
  database.exec("commit");
  database.close();
  return people;
}

function addPerson(database: DatabaseSync, n: number): Someone {
  const [id, sessionId, token] = [
    uuid(n, 1),
    uuid(n, 2),
    `session-token-of-bench-person-${String(n).padStart(3, "0")}`,
  ];
  const now = Date.now();
  const email = `person-${n}@bench.example`;
  const user = database.prepare(
    "insert into user (id, name, email, email_verified, created_at, updated_at) values (?, 'Bench', ?, 1, ?, ?)",
  );
  user.run(id, email, now, now);
  database
    .prepare("insert into session (id, expires_at, token, created_at, updated_at, user_id) values (?, ?, ?, ?, ?, ?)")
    .run(sessionId, now + YEAR_MS, token, now, now, id);
  const taskIds = addTasks(database, id, TASKS_EACH, n);
  const signature = createHmac("sha256", SECRET).update(token).digest("base64");
  const seconds = Math.floor(now / 1000);
  const claims = {
    iss: ORIGIN,
    aud: ORIGIN,
    sub: id,
    sid: sessionId,
    email,
    iat: seconds,
    exp: seconds + 7200,
    jti: uuid(n, 3),
  };
  return {
    id,
    taskIds,
    accessToken: sign({ alg: "HS256", typ: "at+jwt", kid: keyId() }, claims),
    plainToken: sign({ alg: "HS256", typ: "JWT" }, claims),
    cookie: `__Secure-better-auth.session_token=${encodeURIComponent(`${token}.${signature}`)}`,
    bearer: `${token}.${encodeURIComponent(signature)}`,
  };
}

/** Adds tasks, every other one completed, with the totals that the newest row carries. */
export function addTasks(database: DatabaseSync, userId: string, count: number, n: number): string[] {
  const insert = database.prepare(
    `insert into task (user_id, id, revision, title, title_key, description, description_key, created_at, updated_at,
       completed_at, priority, due, tags, live_total, open_total, bytes_total, changes_total, changes_day)
     values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, '{"errands":"errands"}', ?, ?, ?, ?, 0)`,
  );
  const start = Date.now() - count * 60_000;
  return Array.from({ length: count }, (_, i) => {
    const id = uuid(n, 1000 + i);
    const at = start + i * 60_000;
    const title = `Buy oat milk and ${(i * 7919) % count} other things`;
    const due = i % 3 ? `2026-${pad(1 + (i % 12))}-${pad(1 + (i % 28))}` : null;
    const text = "Two cartons, the ones without sugar";
    const open = Math.ceil((i + 1) / 2);
    insert.run(
      userId,
      id,
      i + 1,
      title,
      title.toLowerCase(),
      text,
      text.toLowerCase(),
      at,
      at,
      i % 2 ? at : null,
      i % 4,
      due,
      i + 1,
      open,
      (i + 1) * 150,
      i + 1,
    );
    return id;
  });
}

function pad(n: number): string {
  return String(n).padStart(2, "0");
}

function uuid(person: number, n: number): string {
  return `0195a3c0-7b1e-7${String(person).padStart(3, "0")}-9d41-${String(n).padStart(12, "0")}`;
}

/** As src/access-tokens/keys.ts names a key. */
function keyId(): string {
  return createHash("sha256").update(`edge-tasks key id ${SECRET}`).digest("base64url").slice(0, 8);
}

function sign(header: object, claims: object): string {
  const parts = [header, claims].map((part) => Buffer.from(JSON.stringify(part)).toString("base64url")).join(".");
  return `${parts}.${createHmac("sha256", SECRET).update(parts).digest("base64url")}`;
}

/** A token whose signature belongs to other claims. */
export function forge(token: string): string {
  const [header, , signature] = token.split(".");
  const claims = Buffer.from(JSON.stringify({ iss: ORIGIN, sub: "someone else", exp: 4_000_000_000 })).toString(
    "base64url",
  );
  return `${header}.${claims}.${signature}`;
}
