/** What must not compile. Each expectation turns the type check of `npm test` red once the line after it compiles. */

import { OpenAPIHono } from "@hono/zod-openapi";
import type { Caller, SessionId, UserId } from "../src/access-tokens/claims.ts";
import { type AccountEndpoint, CALLS_PER_MINUTE } from "../src/auth/endpoints.ts";

import type { Quotas } from "../src/env.ts";
import type { CursorKeys } from "../src/tasks/repository/cursor.ts";
import type { TaskVariables } from "../src/tasks/repository/repository.ts";
import { createTaskRepository } from "../src/tasks/repository/repository.ts";

declare const db: D1DatabaseSession;
declare const cursorKeys: CursorKeys;
declare const quotas: Quotas;
declare const userId: UserId;
declare const sessionId: SessionId;
declare const caller: Caller;
const now = Date.now;

createTaskRepository({ db, caller, cursorKeys, quotas, now });

// @ts-expect-error a user id is not a plain string
createTaskRepository({ db, caller: { userId: "somebody", sessionId }, cursorKeys, quotas, now });

// @ts-expect-error nor is a session id
createTaskRepository({ db, caller: { userId, sessionId: "some-session" }, cursorKeys, quotas, now });

// @ts-expect-error the two do not stand for each other
createTaskRepository({ db, caller: { userId: sessionId, sessionId: userId }, cursorKeys, quotas, now });

// @ts-expect-error no caller, no repository
createTaskRepository({ db, cursorKeys, quotas, now });

// @ts-expect-error a cursor key is not just any key
createTaskRepository({ db, caller, cursorKeys: [{} as CryptoKey], quotas, now });

new OpenAPIHono<TaskVariables>().get("/", async (c) => {
  // @ts-expect-error a route has no bindings
  c.env.DB;

  // @ts-expect-error a route knows no user id that it could put into a query of its own
  c.var.caller;

  // @ts-expect-error a repository's methods take no user
  c.var.tasks.find("some-task", userId);

  const task = await c.var.tasks.find("some-task");

  // @ts-expect-error a task may be absent
  return c.json(task.title);
});

const endpoint = { method: "GET", path: "/new", session: "none", summary: "Do something new" } as const;

({ ...endpoint, perMinute: CALLS_PER_MINUTE }) satisfies AccountEndpoint;

// @ts-expect-error an account endpoint has a limit
endpoint satisfies AccountEndpoint;

// @ts-expect-error that is one of the limits in wrangler.toml
({ ...endpoint, perMinute: 1_000_000 }) satisfies AccountEndpoint;
