/** The same histories against the Worker and D1, through the client. */
import { beforeAll, describe, expect, it } from "vitest";
import { createTasksClient, isTasksError } from "../../../src/client/index.ts";
import { networkOf } from "../../../src/client/replica/network.ts";
import { openReplica } from "../../../src/client/replica/replica.ts";
import type { Task } from "../../../src/client/types.ts";
import { anonymous, nextAddress, nextEmail, ORIGIN, PASSWORD, worker } from "../../support/client.ts";
import { type Effect, ServerRefusal } from "./model-server.ts";
import { runHistory, type SimulatedServer } from "./simulation.ts";

const HISTORIES = 200;
const MINUTES = 5;

/** The API of somebody new. `effects` holds what it acknowledged. */
async function openServer(): Promise<SimulatedServer> {
  const address = nextAddress();
  const client = createTasksClient({
    baseUrl: ORIGIN,
    carrier: "bearer",
    fetch: async (url, init) =>
      worker(new Request(url, { ...init, headers: { ...init.headers, "cf-connecting-ip": address } })),
  });
  const user = await client.signUp({ name: "Someone", email: nextEmail(), password: PASSWORD });
  const network = networkOf(client, user?.id ?? "");
  const effects: Effect[] = [];
  let live: Task[] = [];
  let trash: Task[] = [];

  return {
    effects,
    live: () => live,
    all: () => [...live, ...trash],
    expireTokens() {},
    async batch(by, operations, key) {
      const results = await network.send(operations, key);
      for (const [index, operation] of operations.entries()) {
        if ((results[index]?.status ?? 400) >= 300) continue;
        for (const [what, to] of Object.entries("task" in operation ? operation.task : {})) {
          effects.push({ by, id: results[index]?.id ?? "", what, from: undefined, to });
        }
      }
      return results;
    },
    async run(by, operation) {
      for (const [what, to] of Object.entries("task" in operation ? operation.task : {})) {
        effects.push({ by, id: operation.id ?? "", what, from: undefined, to });
      }
      await client.tasks.batch([operation], { atomic: false });
    },
    async page(since) {
      for await (const page of network.changes(since)) return { ...page, hasMore: page.changes.length === 100 };
      throw new ServerRefusal(0, "network");
    },
    async refresh() {
      live = [];
      for await (const { changes } of network.changes(undefined)) {
        for (const { task } of changes) if (task) live.push(task);
      }
      trash = [];
      for await (const task of client.tasks.all({ status: "deleted" })) trash.push(task);
    },
  };
}

describe("P7 devices beside the Worker", () => {
  beforeAll(async () => {
    await anonymous().call("/health");
  });

  it(
    `P6 P7 ${HISTORIES} histories converge, and lose nothing`,
    async () => {
      const failed: string[] = [];
      for (let seed = 1; seed <= HISTORIES; seed += 1) {
        const faults = await runHistory(seed, {
          openReplica,
          server: await openServer(),
          steps: 100,
          devices: 2 + (seed % 2),
        });
        if (faults.length > 0) failed.push(`seed ${seed}: ${faults.join("; ")}`);
      }
      expect(failed).toEqual([]);
    },
    MINUTES * 60_000,
  );

  it("S5 a replica of another person is refused, and sends nothing under who is signed in", async () => {
    const fetch = async (url: string, init: object) => worker(new Request(url, init));
    const client = createTasksClient({ baseUrl: ORIGIN, carrier: "bearer", fetch });
    await client.signUp({ name: "Second", email: nextEmail(), password: PASSWORD });
    const network = networkOf(client, "somebody-else");
    const sent = network.send([{ op: "create", id: crypto.randomUUID(), task: { title: "Of the first" } }], "key");
    const error = await sent.catch((refusal: unknown) => refusal);
    expect(isTasksError(error) && [error.status, error.code]).toEqual([403, "forbidden"]);
    expect((await client.tasks.list()).data).toEqual([]);
  });
});
