/**
 * Whether the tests of isolation and of accounts bite: every predicate that keeps users apart, asks for a live session or
 * bounds what a secret may do is taken out of a copy of the project, one at a time, and the tests named beside it have to
 * fail.
 */
import { execFile } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { copyProject, removeProject } from "./support/node/server.ts";

const run = promisify(execFile);

type Removal = [what: string, file: string, predicate: string, without: string, tests: string];

/** The tests of sessions and cursors among those of the door; the others take long. */
const USER_SCOPE = "access/user-scope -t L2|cursor|session.id";

const REMOVALS: Removal[] = [
  ["the path's user", "access/user-scope.ts", 'if (user !== "me" && user !== caller.userId)', "if (false)", "contract"],
  ["the guard", "app.ts", "    requireAccessToken(settings),\n", "", "contract"],
  ["a list's owner", "tasks/lists.ts", "where user_id = ${userId} and", "where", "tasks/finding"],
  ["a list's cursor's owner", "tasks/lists.ts", '["tasks", userId, query]', '["tasks", query]', USER_SCOPE],
  [
    "a task's owner, to read",
    "tasks/statements.ts",
    "where ${task.userId} = ${userId} and ${task.id} = ${id}`",
    "where ${task.id} = ${id}`",
    "contract",
  ],
  ["a task's owner, to write", "tasks/statements.ts", "      eq(task.userId, userId),\n", "", "contract"],
  [
    "the totals' owner",
    "tasks/totals.ts",
    "from ${task} where user_id = ${userId})`",
    "from ${task})`",
    "tasks/quotas",
  ],
  ["the feed's owner", "tasks/changes.ts", "and(isOwn(), gt(", "and(gt(", "contract"],
  ["the feed's token's owner", "tasks/changes.ts", '["changes", userId]', '["changes"]', "tasks/changes"],
  [
    "a batch's owner",
    "tasks/statements.ts",
    "left join ${task} on ${task.userId} = ${userId} and ${task.id} = ${id}",
    "left join ${task} on ${task.id} = ${id}",
    "contract",
  ],
  ["a key's owner", "tasks/receipts.ts", "and(eq(receipt.userId, userId), ", "and(", "tasks/exactly-once"],
  [
    "a replayed task's owner",
    "tasks/receipts.ts",
    "where user_id = ${userId} and id in (",
    "where id in (",
    "tasks/exactly-once",
  ],
  ["a settled task's owner", "tasks/receipts.ts", "task.user_id = receipt.user_id and ", "", "tasks/batch"],
  ["the session, to read", "tasks/scope.ts", "if (live.length === 0) throw new SessionEnded();", "", USER_SCOPE],
  ["the session's user", "tasks/scope.ts", "eq(session.userId, userId), ", "", USER_SCOPE],
  ["the session's end", "tasks/scope.ts", ", gt(session.expiresAt, new Date(now()))", "", USER_SCOPE],
  ["the session, to write", "tasks/statements.ts", "      isLiveInSql(),\n", "", USER_SCOPE],
  ["a quota", "tasks/statements.ts", "      sql`${exceeded} is null`,\n", "", "tasks/quotas"],
  [
    "a quota, to create",
    "tasks/statements.ts",
    "where ${isLive()} and ${exceeded} is null",
    "where ${isLive()}",
    "tasks/quotas",
  ],
  ["a quota, to import", "tasks/imports.ts", "if (former.refusal) return former.refusal;", "", "tasks/quotas"],
];

const ACCOUNT_REMOVALS: Removal[] = [
  ["a link's address", "auth/mail/links.ts", "\n    and user.email = link.email and (", "\n    and (", "auth/links"],
  ["a link's purpose", "auth/mail/links.ts", " and link.purpose = ${purpose}", "", "auth/links"],
  ["a link's end", "auth/mail/links.ts", " and link.expires_at > ${now}", "", "auth/recovery"],
  ["a link's session", "auth/mail/links.ts", "link.session_id is null or exists", "true or exists", "auth/links"],
  [
    "who chooses the password of an account that arrives",
    "auth/credentials/store.ts",
    "...(hash ? [setPassword(userId, hash), ...endAccess(userId)] : []),",
    "",
    "auth/links",
  ],
  [
    "the session behind a change of the name",
    "auth/credentials/store.ts",
    "requireLive(live),\n          write(sql`update user set name",
    "write(sql`update user set name",
    "auth/credentials",
  ],
  [
    "the mailbox that a mail counts for",
    "auth/mail/letters.ts",
    'target.purpose === "arrive" ? target.newEmail : target.email',
    "target.email",
    "auth/links",
  ],
  [
    "the end of links with sessions",
    "auth/credentials/store.ts",
    'isKept ? sessionId : ""),\n          endLinks(db, userId),\n',
    'isKept ? sessionId : ""),\n',
    "auth/links",
  ],
  [
    "the password that a session follows from",
    "auth/session-insert.ts",
    "and ${isAsVerified} returning",
    "returning",
    "auth/credentials",
  ],
  [
    "the password that a change follows from",
    "auth/credentials/store.ts",
    "and password = ${hash})",
    "and ${hash} is not null)",
    "auth/credentials",
  ],
  [
    "the session that a change follows from",
    "auth/credentials/store.ts",
    "where id = ${sessionId} and user_id",
    "where user_id",
    "auth/credentials",
  ],
  ["the most sessions", "auth/session-insert.ts", "offset ${MAX_SESSIONS}", "offset 100000", "auth/sessions"],
  [
    "what callers may be led to",
    "auth/input-policy.ts",
    "            refuseCallbacks(callbackUrls, { ...c.query, ...c.body });\n",
    "",
    "auth/links",
  ],
  ["other origins", "auth/routes.ts", "if (isForeign(", "if (false && isForeign(", "auth/carrier"],
  ["plain http", "http/origin.ts", 'protocol === "http:" &&', 'protocol === "ftp:" &&', "auth/carrier"],
  [
    "what a browser gets",
    "auth/carrier.ts",
    'if (carrier === "cookie") answer.headers.delete(BEARER_HEADER);',
    "",
    "auth/carrier",
  ],
  [
    "the budget of unknown networks",
    "auth/throttling/throttle.ts",
    "< ${TRIES_AN_HOUR})",
    "< 100000)",
    "auth/throttling",
  ],
  [
    "the count of a known device",
    "auth/throttling/known-sources.ts",
    "source = ${device} desc limit 1)`;",
    "source = ${address} desc limit 1)`;",
    "auth/throttling",
  ],
];

/** Copies of the project; as many removals are tried at once. */
const copies: string[] = [];

beforeAll(() => {
  copies.push(copyProject(), copyProject());
});
afterAll(() => {
  for (const folder of copies) removeProject(folder);
});

describe("S6 the tests of tasks fail without", () => {
  it.concurrent.each(REMOVALS)("S6 %s", tryWithout);
});

describe("the tests of accounts fail without", () => {
  it.concurrent.each(ACCOUNT_REMOVALS)("U7 %s", tryWithout);
});

async function tryWithout(_: string, file: string, predicate: string, without: string, tests: string): Promise<void> {
  const folder = await takeCopy();
  const path = join(folder, "src", file);
  const source = readFileSync(path, "utf8");
  expect(source).toContain(predicate);
  writeFileSync(
    path,
    source.replace(predicate, () => without),
  );
  try {
    const vitest = run(
      resolve("node_modules/.bin/vitest"),
      ["run", "--project", "workerd", "--bail", "1", ...`test/${tests}`.split(" ")],
      { cwd: folder, maxBuffer: 64 * 1024 * 1024 },
    );
    await expect(vitest).rejects.toMatchObject({ stdout: expect.stringMatching(/Test Files .*1 failed/) });
  } finally {
    writeFileSync(path, source);
    copies.push(folder);
  }
}

/** No more run at once than there are copies (vitest.system.config.ts). */
async function takeCopy(): Promise<string> {
  for (;;) {
    const folder = copies.pop();
    if (folder !== undefined) return folder;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
