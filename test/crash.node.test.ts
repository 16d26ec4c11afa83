import { setTimeout as sleep } from "node:timers/promises";
import { expect, it } from "vitest";
import { copyProject, removeProject, Server } from "./support/node/server.ts";

const PASSWORD = "correct horse battery";
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
      server = await Server.start(folder);
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
