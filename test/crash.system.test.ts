import { setTimeout as sleep } from "node:timers/promises";
import { expect, it } from "vitest";
import { linkMailedTo } from "./support/node/browser.ts";
import { copyProject, removeProject, Server } from "./support/node/server.ts";

const PASSWORD = "correct horse battery";
const TASKS = "/api/v1/users/me/tasks";
const ROUNDS = 6;
const SIGN_UPS_PER_ROUND = 10;

let addresses = 0;

async function post(server: Server, path: string, json: object): Promise<number | "cut off"> {
  addresses += 1;
  const headers = {
    "content-type": "application/json",
    "cf-connecting-ip": `10.2.${addresses >> 8}.${addresses & 255}`,
  };
  const init = { method: "POST", headers, body: JSON.stringify(json) };
  return fetch(`${server.url}/api/auth${path}`, init).then(
    (answer) => answer.status,
    () => "cut off" as const,
  );
}

it("U5 kill -9 at a random moment of 60 sign-ups under load: each address signs up or signs in afterwards", async () => {
  const folder = copyProject();
  try {
    const outcomes = { done: 0, cutOff: 0, signedUpAgain: 0 };
    let server = await Server.start(folder);
    await post(server, "/sign-in/email", { email: "warm@example.com", password: PASSWORD });
    for (let round = 0; round < ROUNDS; round += 1) {
      const people = Array.from({ length: SIGN_UPS_PER_ROUND }, (_, n) => ({
        name: "Somebody",
        email: `person-${round}-${n}@example.com`,
        password: PASSWORD,
      }));
      const signUps = people.map((person) => post(server, "/sign-up/email", person));
      await sleep(Math.random() * 3000);
      await server.crash();
      for (const status of await Promise.all(signUps)) outcomes[status === 200 ? "done" : "cutOff"] += 1;
      server = await Server.again(folder);
      for (const person of people) {
        const signIn = await post(server, "/sign-in/email", person);
        const signUp = signIn === 200 ? undefined : await post(server, "/sign-up/email", person);
        if (signUp) outcomes.signedUpAgain += 1;
        expect([signIn, signUp], person.email).toContain(200);
      }
    }
    await server.stop();
    expect(outcomes.done + outcomes.cutOff).toBe(ROUNDS * SIGN_UPS_PER_ROUND);
    expect(outcomes.cutOff).toBeGreaterThan(0);
    console.log(JSON.stringify(outcomes));
  } finally {
    removeProject(folder);
  }
}, 240_000);

it("T1 kill -9 in the middle of creations and batches with keys: sent again, each has happened exactly once", async () => {
  const folder = copyProject();
  try {
    let server = await Server.start(folder);
    const account = { name: "Somebody", email: "keyed@example.com", password: PASSWORD };
    const signedUp = await fetch(`${server.url}/api/auth/sign-up/email`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(account),
    });
    // The port, and with it the token's audience, changes with each start.
    const session = { authorization: `Bearer ${signedUp.headers.get("set-auth-token")}` };
    const outcomes = { done: 0, cutOff: 0, replayed: 0 };
    const sent: { path: string; json: object; key: string }[] = [];
    for (let round = 0; round < 3; round += 1) {
      let headers = await authorize(server, session);
      const requests = Array.from({ length: 40 }, (_, n) => {
        const create = (title: string) => ({ title: `${round}.${n}${title}` });
        const operations = ["a", "b"].map((title) => ({ op: "create", task: create(title) }));
        const [path, json] = n % 4 === 0 ? ["/batch", { operations }] : ["", create("")];
        return { path, json, key: crypto.randomUUID() };
      });
      sent.push(...requests);
      const answers = requests.map((request) => write(server, headers, request));
      await sleep(Math.random() * 250);
      await server.crash();
      for (const answer of await Promise.all(answers)) outcomes[answer === undefined ? "cutOff" : "done"] += 1;
      server = await Server.again(folder);
      headers = await authorize(server, session);
      for (const request of requests) {
        const again = await write(server, headers, request);
        expect(again?.ok).toBe(true);
        if (again?.headers.get("idempotency-replayed")) outcomes.replayed += 1;
      }
    }
    const file = await fetch(`${server.url}${TASKS}/export`, { headers: await authorize(server, session) });
    const { tasks } = (await file.json()) as { tasks: { title: string }[] };
    const titles = tasks.map(({ title }) => title).sort();
    expect(new Set(titles).size).toBe(titles.length);
    expect(titles).toHaveLength(sent.reduce((sum, { path }) => sum + (path === "" ? 1 : 2), 0));
    expect(outcomes.cutOff).toBeGreaterThan(0);
    expect(outcomes.replayed).toBeGreaterThanOrEqual(outcomes.done);
    console.log(JSON.stringify(outcomes));
    await server.stop();
  } finally {
    removeProject(folder);
  }
}, 240_000);

it("U8 T8 kill -9 amid a reset of a password and an import: all of the reset or nothing, and totals that are exact", async () => {
  const folder = copyProject();
  const outcomes = { reset: 0, notReset: 0 };
  try {
    let server = await Server.start(folder);
    for (let round = 0; round < 11; round += 1) {
      const person = { name: "Somebody", email: `reset-${round}@example.com`, password: PASSWORD };
      const signedUp = await send(server, "/sign-up/email", person);
      const session = { authorization: `Bearer ${signedUp.headers.get("set-auth-token")}` };
      const headers = await authorize(server, session);
      await send(server, "/request-password-reset", { email: person.email });
      const link = await linkMailedTo(server, person.email, "Reset your password");
      const reset = { token: link.split("#")[1], newPassword: "a new and better one" };
      const file = JSON.stringify({ tasks: Array.from({ length: 1000 }, (_, n) => ({ title: `${round}.${n}` })) });
      const work = [
        send(server, "/reset-password", reset),
        fetch(`${server.url}${TASKS}/import`, { method: "POST", headers, body: file }),
      ];
      const answers = Promise.allSettled(work);
      await sleep(Math.random() * 400);
      await server.crash();
      await answers;
      server = await Server.again(folder);
      const signIn = async (password: string) =>
        (await send(server, "/sign-in/email", { email: person.email, password })).status;
      const statuses = [await signIn(person.password), await signIn(reset.newPassword)];
      const wasReset = statuses[1] === 200;
      expect(statuses).toEqual(wasReset ? [401, 200] : [200, 401]);
      const token = await fetch(`${server.url}/api/auth/token`, { headers: session });
      expect(token.status).toBe(wasReset ? 401 : 200);
      expect((await send(server, "/reset-password", reset)).status).toBe(wasReset ? 400 : 200);
      outcomes[wasReset ? "reset" : "notReset"] += 1;
      const again = await send(server, "/sign-in/email", { email: person.email, password: reset.newPassword });
      const own = { authorization: `Bearer ${again.headers.get("set-auth-jwt")}` };
      const usage = await fetch(`${server.url}/api/v1/users/me/usage`, { headers: own });
      const exported = await fetch(`${server.url}${TASKS}/export`, { headers: own });
      const { tasks } = (await exported.json()) as { tasks: object[] };
      expect(await usage.json()).toMatchObject({ tasks: { used: tasks.length, open: tasks.length } });
    }
    await server.stop();
    console.log(JSON.stringify(outcomes));
  } finally {
    removeProject(folder);
  }
}, 400_000);

function send(server: Server, path: string, json: object): Promise<Response> {
  addresses += 1;
  const headers = {
    "content-type": "application/json",
    "cf-connecting-ip": `10.3.${addresses}.1`,
  };
  return fetch(`${server.url}/api/auth${path}`, { method: "POST", headers, body: JSON.stringify(json) });
}

async function authorize(server: Server, session: Record<string, string>): Promise<Record<string, string>> {
  const answer = await fetch(`${server.url}/api/auth/token`, { headers: session });
  const { token } = (await answer.json()) as { token: string };
  return { authorization: `Bearer ${token}`, "content-type": "application/json" };
}

function write(server: Server, headers: Record<string, string>, request: { path: string; json: object; key: string }) {
  const { path, json, key } = request;
  const init = { method: "POST", headers: { ...headers, "idempotency-key": key }, body: JSON.stringify(json) };
  return fetch(`${server.url}${TASKS}${path}`, init).catch(() => undefined);
}
