/**
 * Whether the tests of isolation bite: every predicate that keeps users apart, asks for an active session or bounds what a
 * secret may do is removed from a copy of the project, one at a time, and a test has to fail.
 */
import { execFile } from "node:child_process";
import { globSync, readFileSync, writeFileSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { copyProject, removeProject } from "./support/node/server.ts";

const run = promisify(execFile);

/** A text of a file of `src`, from a position, and what stands in its place; and the tests that have to fail. */
type Removal = { what: string; file: string; at: number; text: string; without: string; tests: string };

/** How a predicate on the owner or the session is written in src/tasks/repository, and what is left without it. */
const PREDICATES: [form: RegExp, without: string][] = [
  [/(?:\$\{\w+\.userId\}|(?:\w+\.)?user_id) = \$\{userId\}/g, "true"],
  [/\w+\.user_id = \w+\.user_id/g, "true"],
  [/\$\{session\.id\} = \$\{sessionId\}/g, "true"],
  [/\$\{session\.expiresAt\} > \$\{now\}/g, "true"],
  [/\$\{sessionIsActive\}/g, "true"],
  [/, hasActiveSession,/g, ","],
  [/\$\{hasActiveSession\}/g, "true"],
  [/if \(active\?\.length === 0\) throw new SessionEnded\(\);/g, ""],
  [/if \(first === undefined\) throw new SessionEnded\(\);/g, "if (first === undefined) return [] as never;"],
  [/if \(isActive !== 1\) throw new SessionEnded\(\);/g, ""],
  [/(?<=JSON\.stringify\(\["\w+"), userId/g, ""],
];

/** The tests of the predicates of a file, or of one of them. Those without a row are tried with all. */
const TESTS: [what: RegExp, tests: string][] = [
  [/^batch/, "tasks/batch"],
  [/^changes/, "tasks/changes contract"],
  [/^cleanup/, "housekeeping tasks/quotas"],
  [/^context.*latest/, "tasks/batch"],
  [/^context/, "user-scope"],
  [/^idempotency-records/, "tasks/exactly-once tasks/quotas"],
  [/^imports/, "tasks/transfer tasks/quotas"],
  [/^keys/, "tasks/habits"],
  [/^list/, "tasks/finding tasks/local-days user-scope"],
  [/^(?:statements|change-kinds)/, "user-scope tasks/own-ids tasks/batch"],
  [/^totals.*(?:hasActiveSession|isActive)/, "user-scope"],
  [/^totals/, "tasks/quotas tasks/finding"],
];
const ALL_TESTS = "contract user-scope tasks";

const FOUND: Removal[] = globSync("src/tasks/repository/*.ts").flatMap((path) => {
  const source = readFileSync(path, "utf8");
  const file = path.slice("src/".length);
  return PREDICATES.flatMap(([form, without]) =>
    [...source.matchAll(form)].map(({ 0: text, index: at }) => {
      const line = source.slice(0, at).split("\n").length;
      const what = `${basename(path)}:${line} ${text}`;
      const [, tests = ALL_TESTS] = TESTS.find(([row]) => row.test(what)) ?? [];
      return { what, file, at, text, without, tests };
    }),
  );
});

const TASK_REMOVALS = [
  removal("the path's user", "user-scope.ts", 'if (user !== "me" && user !== caller.userId)', "if (false)", "contract"),
  removal("the guard", "app.ts", "    requireAccessToken(verifyAccessToken, settings.publicOrigin),\n", "", "contract"),
  removal("a quota", "tasks/repository/change-kinds.ts", ", sql`${exceeded} is null`);", ");", "tasks/quotas"),
  removal(
    "a quota, to create",
    "tasks/repository/statements.ts",
    "sql`${exceeded} is null and not ${isTaken}`",
    "sql`not ${isTaken}`",
    "tasks/quotas",
  ),
  removal(
    "a quota, to import",
    "tasks/repository/imports.ts",
    "if (former.refusal) return former.refusal;",
    "",
    "tasks/quotas",
  ),
];

const ACCOUNT_REMOVALS = [
  removal(
    "a link's address",
    "auth/mail/one-time-links.ts",
    "\n    and user.email = link.email and (",
    "\n    and (",
    "auth/links",
  ),
  removal("a link's purpose", "auth/mail/one-time-links.ts", " and link.purpose = ${purpose}", "", "auth/links"),
  removal("a link's end", "auth/mail/one-time-links.ts", " and link.expires_at > ${now}", "", "auth/recovery"),
  removal(
    "a link's session",
    "auth/mail/one-time-links.ts",
    "link.session_id is null or exists",
    "true or exists",
    "auth/links",
  ),
  removal(
    "who chooses the password of an account that arrives",
    "auth/credentials/store.ts",
    "...(hash ? [setPassword(userId, hash), ...endAccess(userId)] : []),",
    "",
    "auth/links",
  ),
  removal(
    "the session behind a change of the name",
    "auth/credentials/store.ts",
    "requireActiveSession(owner),\n          write(sql`update user set name",
    "write(sql`update user set name",
    "auth/credentials",
  ),
  removal(
    "the mailbox that a mail counts for",
    "auth/mail/events.ts",
    'target.purpose === "arrive" ? target.newEmail : target.email',
    "target.email",
    "auth/links",
  ),
  removal(
    "the end of links with sessions",
    "auth/credentials/store.ts",
    'keepsThis ? sessionId : ""),\n          endLinks(db, userId),\n',
    'keepsThis ? sessionId : ""),\n',
    "auth/links",
  ),
  removal(
    "the password that a session follows from",
    "auth/session-insert.ts",
    "and ${isAsVerified} returning",
    "returning",
    "auth/credentials",
  ),
  removal(
    "the password that a change follows from",
    "auth/credentials/store.ts",
    "and password = ${hash})",
    "and ${hash} is not null)",
    "auth/credentials",
  ),
  removal(
    "the session that a change follows from",
    "auth/credentials/store.ts",
    "where id = ${sessionId} and user_id",
    "where user_id",
    "auth/credentials",
  ),
  removal("the most sessions", "auth/session-insert.ts", "offset ${MAX_SESSIONS}", "offset 100000", "auth/sessions"),
  removal(
    "what callers may be led to",
    "auth/input-policy.ts",
    "            refuseCallbacks(callbackUrls, { ...c.query, ...c.body });\n",
    "",
    "auth/links",
  ),
  removal("other origins", "auth/routes.ts", "if (isForeign(", "if (false && isForeign(", "auth/carrier"),
  removal("plain http", "http/https-only.ts", 'startsWith("http:") &&', 'startsWith("ftp:") &&', "auth/carrier"),
  removal(
    "what a browser gets",
    "auth/carrier.ts",
    'if (carrier === "cookie") answer.headers.delete(SESSION_HEADER);',
    "",
    "auth/carrier",
  ),
  removal(
    "the budget of unknown networks",
    "auth/throttling/throttle.ts",
    "< ${ATTEMPTS_PER_HOUR})",
    "< 100000)",
    "auth/throttling",
  ),
  removal(
    "the count of a known device",
    "auth/throttling/known-sources.ts",
    "source = ${device} desc limit 1)`;",
    "source = ${address} desc limit 1)`;",
    "auth/throttling",
  ),
];

/** Copies of the project. As many removals are tried at once. */
const copies: string[] = [];

beforeAll(() => {
  copies.push(copyProject(), copyProject());
});
afterAll(() => {
  for (const folder of copies) removeProject(folder);
});

describe("S6 the tests of tasks fail without", () => {
  it.concurrent.each([...TASK_REMOVALS, ...FOUND])("S6 $what", tryWithout);
});

describe("the predicates", () => {
  it("S6 are found wherever the repository names a user or a session", () => {
    expect(FOUND.length).toBeGreaterThanOrEqual(30);
    for (const path of globSync("src/tasks/repository/*.ts")) {
      let rest = readFileSync(path, "utf8");
      for (const [form] of PREDICATES) rest = rest.replaceAll(form, "");
      expect(rest.match(/\$\{(?:userId|sessionIsActive|hasActiveSession)\}/g), path).toBeNull();
    }
  });
});

describe("the tests of accounts fail without", () => {
  it.concurrent.each(ACCOUNT_REMOVALS)("U7 $what", tryWithout);
});

/** The removal of one text that a file holds. */
function removal(what: string, file: string, text: string, without: string, tests: string): Removal {
  const at = readFileSync(join("src", file), "utf8").indexOf(text);
  if (at < 0) throw new Error(`src/${file} does not hold: ${text}`);
  return { what, file, at, text, without, tests };
}

async function tryWithout({ file, at, text, without, tests }: Removal): Promise<void> {
  const folder = await takeCopy();
  const path = join(folder, "src", file);
  const source = readFileSync(path, "utf8");
  writeFileSync(path, source.slice(0, at) + without + source.slice(at + text.length));
  try {
    const vitest = run(
      resolve("node_modules/.bin/vitest"),
      ["run", "--project", "workerd", "--bail", "1", ...tests.split(" ").map((test) => `test/${test}`)],
      { cwd: folder, maxBuffer: 64 * 1024 * 1024 },
    );
    await expect(vitest).rejects.toMatchObject({ stdout: expect.stringMatching(/ Tests .*\d failed/) });
  } finally {
    writeFileSync(path, source);
    copies.push(folder);
  }
}

/** Waits for a copy: no more removals run at once than there are copies (vitest.system.config.ts). */
async function takeCopy(): Promise<string> {
  for (;;) {
    const folder = copies.pop();
    if (folder !== undefined) return folder;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
