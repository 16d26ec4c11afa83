import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, it } from "vitest";
import { hastyApp } from "../support/apps.ts";
import { anonymous, type Fetch, nextEmail, ORIGIN, PASSWORD, type Person, someone } from "../support/client.ts";
import { createOutbox } from "../support/outbox.ts";

const outbox = createOutbox();
let fetch: Fetch;

beforeAll(async () => {
  ({ fetch } = await hastyApp({
    vars: { EMAIL_FROM: "tasks@tasks.test", BETTER_AUTH_URL: ORIGIN },
    bindings: { EMAIL: outbox.email },
  }));
});

const post = (path: string, json: object, person?: Person) =>
  anonymous(fetch).call(`/api/auth${path}`, {
    json,
    headers: person ? { authorization: `Bearer ${person.sessionToken}` } : {},
  });

/** Every row of every table there is. */
async function everything(): Promise<Record<string, unknown[]>> {
  const tables = await env.DB.prepare(
    "select name from sqlite_schema where type = 'table' and name not like '\\_cf%' escape '\\'",
  ).all<{ name: string }>();
  const dump: Record<string, unknown[]> = {};
  for (const { name } of tables.results) dump[name] = (await env.DB.prepare(`select * from "${name}"`).all()).results;
  return dump;
}

/** Somebody with a row wherever a person can have one. */
async function livelyPerson(): Promise<Person> {
  const person = await someone(fetch);
  const task = await person.create({ title: `Secret of ${person.id}` });
  await person.create({ title: `Deleted by ${person.id}` });
  await person.remove(task.id);
  await post("/sign-in/email", { email: person.email, password: "not the password" });
  await post("/sign-in/email", { email: person.email, password: PASSWORD });
  await post("/request-password-reset", { email: person.email });
  await post("/change-email", { newEmail: nextEmail() }, person);
  await outbox.mailTo(person.email, "Reset");
  return person;
}

describe("L4 deleting the account", () => {
  it("L4 needs the password, and changes nothing without it", async () => {
    const person = await livelyPerson();
    const before = await everything();
    for (const password of [undefined, "", null, 7, ["x"]]) {
      const answer = await post("/delete-user", { password }, person);
      expect(answer.status).toBe(400);
      expect(await answer.json()).toMatchObject({ code: "PASSWORD_REQUIRED" });
    }
    expect((await post("/delete-user", { password: "not the password" }, person)).status).toBe(400);
    expect((await post("/delete-user", { password: PASSWORD })).status).toBe(401);
    const after = await everything();
    for (const table of ["user", "session", "account", "task"]) expect(after[table]).toEqual(before[table]);
  });

  it("L4 removes every row of the user in every table, and no row of others", async () => {
    const bystander = await livelyPerson();
    const of = (dump: Record<string, unknown[]>, person: Person) =>
      Object.fromEntries(
        Object.entries(dump).map(([table, rows]) => [
          table,
          rows.filter((row) => JSON.stringify(row).includes(person.id) || JSON.stringify(row).includes(person.email)),
        ]),
      );
    // Mails to a mailbox stay counted for the day, under a keyed hash: whose account it was does not matter.
    const throttled = async () =>
      (await everything())["throttle"]?.filter((row) => !JSON.stringify(row).includes("mail ")).length ?? 0;
    const before = [of(await everything(), bystander), await throttled()];

    const person = await livelyPerson();
    const present = of(await everything(), person);
    for (const table of ["user", "session", "account", "mailed_link", "known_source", "task"]) {
      expect(present[table]?.length, table).toBeGreaterThan(0);
    }
    expect(await throttled()).toBeGreaterThan(Number(before[1]));
    expect((await post("/delete-user", { password: PASSWORD }, person)).status).toBe(200);

    const dump = JSON.stringify(await everything());
    for (const trace of [person.id, person.email, person.email.split("@")[0] ?? "", `Secret of ${person.id}`]) {
      expect(dump).not.toContain(trace);
    }
    expect([of(await everything(), bystander), await throttled()]).toEqual(before);
  });

  it("L3 L4 ends all sessions and access tokens, and frees the address", async () => {
    const person = await someone(fetch);
    await person.create();
    expect((await post("/delete-user", { password: PASSWORD }, person)).status).toBe(200);
    expect(await (await person.call(person.path)).json()).toMatchObject({ code: "session_ended" });
    expect((await post("/sign-in/email", { email: person.email, password: PASSWORD })).status).toBe(401);
    const again = await post("/sign-up/email", { name: "Again", email: person.email, password: PASSWORD });
    expect(again.status).toBe(200);
    expect((await again.json<{ user: { id: string } }>()).user.id).not.toBe(person.id);
  });
});
