/** What a browser gives to a replica: IndexedDB, Web Locks, and a channel between its tabs. */
import { uuidv7 } from "uuidv7";
import type { TasksClient } from "../index.ts";
import { createIndexedDbStorage } from "./indexed-db.ts";
import { networkOf } from "./network.ts";
import type { Message, ReplicaNetwork, Surroundings } from "./surroundings.ts";
import { POLL_MS } from "./sync.ts";

/** @param userId whose copy it is. Each person has a database, a lock and a channel of their own */
export function browserSurroundings(client: TasksClient, userId: string): Surroundings {
  const name = `edge-tasks ${userId}`;
  return {
    storage: createIndexedDbStorage(name),
    network: whileOnline(networkOf(client, userId)),
    clock: {
      now: () => Date.now(),
      sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
      untilLookedAt,
    },
    lock: (work) => void navigator.locks.request(name, work),
    channel: openChannel(name),
    newId: uuidv7,
  };
}

async function untilLookedAt(): Promise<void> {
  while (document.hidden)
    await new Promise((resolve) => document.addEventListener("visibilitychange", resolve, { once: true }));
}

/** Asks nothing of the network while the browser says that there is none. */
function whileOnline(network: ReplicaNetwork): ReplicaNetwork {
  const offline = { status: 0, code: "network" };
  return {
    send: (...args) => (navigator.onLine ? network.send(...args) : Promise.reject(offline)),
    count: () => (navigator.onLine ? network.count() : Promise.reject(offline)),
    async *changes(since) {
      if (!navigator.onLine) throw offline;
      yield* network.changes(since);
    },
  };
}

function openChannel(name: string): Surroundings["channel"] {
  const channel = new BroadcastChannel(name);
  const post = (message: Message) => channel.postMessage(message);
  // The leading tab polls only while somebody looks at it: a tab that is looked at asks it to, once it says nothing.
  let isLedActively = false;
  const timer = setInterval(() => {
    if (!document.hidden && !isLedActively) post({ type: "sync" });
    isLedActively = false;
  }, POLL_MS);
  return {
    post,
    listen(listener) {
      channel.addEventListener("message", ({ data }: MessageEvent<Message>) => {
        if (data.type === "status") isLedActively = true;
        listener(data);
      });
    },
    close() {
      clearInterval(timer);
      channel.close();
    },
  };
}
