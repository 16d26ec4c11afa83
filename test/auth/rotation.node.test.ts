/** Rolling the secret, with isolates of the old and the new configuration running, as during a deployment. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createKeys } from "../../src/access-tokens/keys.ts";
import {
  credentials,
  type Isolate,
  type Isolates,
  PASSWORD,
  someone,
  startIsolate,
  startIsolates,
} from "../support/node/isolates.ts";

const OLD = "oGk3vT8pLx2RzQn6YbW1sHc9MfJd4AuE";
const NEW = "Zr7mXq1NfVt5KwYb9LpGh3DcSj8TeUa2";
const TASKS = "/api/v1/users/me/tasks";

let isolates: Isolates | undefined;

afterEach(async () => {
  await isolates?.harness.close();
  isolates = undefined;
});

const list = (...versions: string[]) => ({ BETTER_AUTH_SECRETS: versions.join() });
const PHASES: [string, Record<string, string>, Record<string, string>][] = [
  ["the first deploy: the new one is accepted", { BETTER_AUTH_SECRET: OLD }, list(`1:${OLD}`, `2:${NEW}`)],
  // Spaces are nobody's secret.
  ["the second deploy: the new one signs", list(`1:${OLD}`, ` 2: ${NEW} `), list(`2:${NEW}`, `1: ${OLD}`)],
];

describe("L2 rolling the secret", () => {
  it.each(PHASES)("L2 during %s, old and new isolates accept each other's sessions", async (_, before, after) => {
    isolates = await startIsolates(before, after);
    const { first, second } = isolates;
    for (const [here, there] of [
      [first, second],
      [second, first],
    ] as const) {
      const person = await someone(here);
      expect((await there(TASKS, { json: { title: "One" }, headers: person.access })).status).toBe(201);
      expect((await here(TASKS, { json: { title: "Two" }, headers: person.access })).status).toBe(201);
      for (const headers of [person.session, person.cookie]) {
        const token = await there("/api/auth/token", { headers });
        expect(token.status).toBe(200);
        const access = { authorization: `Bearer ${((await token.json()) as { token: string }).token}` };
        for (const isolate of [here, there]) expect((await isolate(TASKS, { headers: access })).status).toBe(200);
      }
      await walk(here, there, person.access);
      await useHandedBack(there, here, person.cookie);
      // Known here, known there: the owner's address is not counted with strangers'.
      const json = { email: person.email, password: PASSWORD };
      expect((await there("/api/auth/sign-in/email", { json })).status).toBe(200);
    }
  });

  /** Cursors and tokens of the change feed, each sealed by one isolate and opened by the other. */
  async function walk(here: Isolate, there: Isolate, headers: Record<string, string>): Promise<void> {
    const page = (await (await here(`${TASKS}?limit=1`, { headers })).json()) as { nextCursor: string };
    expect((await there(`${TASKS}?limit=1&cursor=${page.nextCursor}`, { headers })).status).toBe(200);
    const changes = (await (await there(`${TASKS}/changes`, { headers })).json()) as { nextToken: string };
    expect((await here(`${TASKS}/changes?since=${changes.nextToken}`, { headers })).status).toBe(200);
  }

  /** What one isolate signs anew, the other still takes. */
  async function useHandedBack(one: Isolate, other: Isolate, cookie: Record<string, string>): Promise<void> {
    const answer = await one("/api/auth/token", { headers: cookie });
    const renewed = credentials(answer).cookie.cookie || cookie["cookie"] || "";
    for (const isolate of [other, one]) {
      expect((await isolate("/api/auth/token", { headers: { ...cookie, cookie: renewed } })).status).toBe(200);
    }
  }

  it("L2 a single step would refuse sessions, so there are two", async () => {
    isolates = await startIsolates({ BETTER_AUTH_SECRET: OLD }, list(`2:${NEW}`, `1:${OLD}`));
    const { first, second } = isolates;
    const person = await someone(second);
    expect((await first(TASKS, { headers: person.access })).status).toBe(401);
  });

  it("L2 a secret that nobody has read stays beside the list: its sessions go on while the list takes over", async () => {
    isolates = await startIsolates({ BETTER_AUTH_SECRET: OLD }, { BETTER_AUTH_SECRET: OLD, ...list(`1:${NEW}`) });
    const { first, second } = isolates;
    const person = await someone(first);
    expect((await second(TASKS, { headers: person.access })).status).toBe(200);
    for (const headers of [person.session, person.cookie]) {
      expect((await second("/api/auth/token", { headers })).status).toBe(200);
    }
    const newcomer = await someone(second);
    expect((await first(TASKS, { headers: newcomer.access })).status).toBe(401);
  });
});

describe("L2 a list of secrets in .dev.vars", () => {
  let folder: string;
  let started: Awaited<ReturnType<typeof startIsolate>> | undefined;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "edge-tasks-vars-"));
  });
  afterEach(async () => {
    await started?.harness.close();
    started = undefined;
    rmSync(folder, { recursive: true });
  });

  async function startWith(variables: string): Promise<Isolate> {
    writeFileSync(join(folder, ".dev.vars"), variables);
    started = await startIsolate({}, folder);
    return started.first;
  }

  it.each([
    ["alone", `BETTER_AUTH_SECRETS=1:${OLD},2:${NEW}\n`, OLD],
    ["beside the single secret", `BETTER_AUTH_SECRET=${OLD}\nBETTER_AUTH_SECRETS=2:${NEW},1:${OLD}\n`, NEW],
  ])("L2 signs with its first secret, %s", async (_, variables, signing) => {
    const { access } = await someone(await startWith(variables));
    const [head = ""] = access.authorization.replace("Bearer ", "").split(".");
    expect(JSON.parse(Buffer.from(head, "base64url").toString()).kid).toBe(createKeys([signing])[0].id);
  });

  it("L2 is reported by its name when it is not a list", async () => {
    const first = await startWith(`BETTER_AUTH_SECRET=${OLD}\nBETTER_AUTH_SECRETS=nonsense\n`);
    const ready = await first("/ready");
    expect([ready.status, ((await ready.json()) as { code: string }).code]).toEqual([503, "not_configured"]);
    expect(JSON.stringify(started?.harness.getLogs())).toContain("BETTER_AUTH_SECRETS must be a list");
  });
});
