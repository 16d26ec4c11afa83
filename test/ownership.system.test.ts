/**
 * Whether the tests of isolation bite: every predicate that keeps users apart, or asks for a live session, is taken out
 * of a copy of the project, one at a time, and the tests named beside it have to fail.
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
  ["a task's owner, to read", "tasks/statements.ts", "and(isOwn(), eq(task.id, id))", "eq(task.id, id)", "contract"],
  ["a task's owner, to write", "tasks/statements.ts", "          isOwn(),\n", "", "contract"],
  ["the feed's owner", "tasks/changes.ts", "and(isOwn(), gt(", "and(gt(", "contract"],
  ["the feed's token's owner", "tasks/changes.ts", '["changes", userId]', '["changes"]', "tasks/changes"],
  ["a batch's owner", "tasks/batch.ts", "on user_id = ${userId} and id", "on id", "contract"],
  ["a key's owner", "tasks/receipts.ts", "and(eq(receipt.userId, userId), ", "and(", "tasks/exactly-once"],
  [
    "a replayed task's owner",
    "tasks/receipts.ts",
    "where user_id = ${userId} and id in (",
    "where id in (",
    "tasks/exactly-once",
  ],
  ["a settled key's owner", "tasks/receipts.ts", "where user_id = ${userId} and key", "where key", "tasks/batch"],
  ["a settled task's owner", "tasks/receipts.ts", "task.user_id = receipt.user_id and ", "", "tasks/batch"],
  ["the session, to read", "tasks/scope.ts", "if (live.length === 0) throw new SessionEnded();", "", USER_SCOPE],
  ["the session's user", "tasks/scope.ts", "eq(session.userId, userId), ", "", USER_SCOPE],
  ["the session's end", "tasks/scope.ts", ", gt(session.expiresAt, new Date(now()))", "", USER_SCOPE],
  [
    "the session, to write",
    "tasks/statements.ts",
    "          exists(db.select({ live: sql`1` }).from(session).where(isLive())),\n",
    "",
    USER_SCOPE,
  ],
];

let folder: string;

beforeAll(() => {
  folder = copyProject();
});
afterAll(() => removeProject(folder));

describe("S6 the tests fail without", () => {
  it.each(REMOVALS)("S6 %s", async (_, file, predicate, without, tests) => {
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
        {
          cwd: folder,
          maxBuffer: 64 * 1024 * 1024,
        },
      );
      await expect(vitest).rejects.toMatchObject({ stdout: expect.stringMatching(/Test Files .*1 failed/) });
    } finally {
      writeFileSync(path, source);
    }
  });
});
