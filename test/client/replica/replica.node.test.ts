/** What a replica promises, one promise at a time, beside a model of the API. */
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { InvalidTask } from "../../../src/client/replica/fields.ts";
import { openReplica, type Replica } from "../../../src/client/replica/replica.ts";
import { createMemoryStorage, type ReplicaStorage } from "../../../src/client/replica/storage.ts";
import type { Message, Surroundings } from "../../../src/client/replica/surroundings.ts";
import type { Operation, Task } from "../../../src/client/types.ts";
import { createModelServer, type ModelServer, ServerRefusal } from "./model-server.ts";
import { createRandom } from "./scheduler.ts";

const random = createRandom(1);

type World = {
  server: ModelServer;
  sent: Operation[][];
  storage: ReplicaStorage;
  fail: (() => unknown) | undefined;
  now: number;
  listeners: ((message: Message) => void)[];
  leader: Promise<void>;
  open: (by?: string, storage?: ReplicaStorage) => Promise<Replica>;
};

/** A device with its server. `sent` holds the batches; `fail` makes requests fail while it returns an error. */
function createWorld({ quota = 1000 } = {}): World {
  const server = createModelServer(random, quota);
  const sent: Operation[][] = [];
  const world: World = {
    server,
    sent,
    storage: createMemoryStorage(),
    fail: undefined,
    now: Date.UTC(2026, 0),
    listeners: [],
    leader: Promise.resolve(),
    open: (by = "device", storage = world.storage) => openReplica(surroundings(by, storage)),
  };
  const check = () => {
    const failure = world.fail?.();
    if (failure) throw failure;
  };

  function surroundings(by: string, storage: ReplicaStorage): Surroundings {
    let own: (message: Message) => void = () => {};
    return {
      storage,
      network: {
        async send(operations, key) {
          check();
          sent.push(operations);
          return server.batch(by, operations, key);
        },
        async *changes(since) {
          check();
          for (let token = since; ; ) {
            const page = server.page(token, 100);
            token = page.token;
            yield page;
            if (!page.hasMore) return;
          }
        },
        count: async () => server.live().length,
      },
      clock: { now: () => world.now, sleep: (ms) => sleep(Math.min(ms, 20), undefined, { ref: false }) },
      lock(work) {
        world.leader = world.leader.then(work);
      },
      channel: {
        post(message) {
          for (const listener of world.listeners) if (listener !== own) listener(message);
        },
        listen(listener) {
          own = listener;
          world.listeners.push(listener);
        },
        close() {
          world.listeners = world.listeners.filter((listener) => listener !== own);
        },
      },
      newId: random.uuid,
    };
  }
  return world;
}

/** A storage that takes nothing while it is full. */
function createDisk() {
  const memory = createMemoryStorage();
  const storage: ReplicaStorage = {
    ...memory,
    commit: (...args) => (disk.isFull ? Promise.reject(new Error("QuotaExceededError")) : memory.commit(...args)),
  };
  const disk = { storage, isFull: false };
  return disk;
}

const offline = () => new ServerRefusal(0, "network");
const settled = (replica: Replica) =>
  expect.poll(() => [replica.status().waiting, replica.status().state]).toEqual([0, "idle"]);

/** A task that the server has, on a device that has just lost its network. */
async function twoDevices() {
  const world = createWorld();
  const replica = await world.open();
  const { task } = replica.create({ title: "Original", description: "d" });
  await settled(replica);
  world.fail = offline;
  return { world, replica, id: task.id };
}

/** The network is there again: waits until nothing waits any more. */
async function online(world: World, replica: Replica): Promise<void> {
  world.fail = undefined;
  replica.sync();
  await settled(replica);
}

/** A device whose change of a task has met another device's. */
async function inConflict(mine: (replica: Replica, id: string) => unknown, theirs: (id: string) => Operation) {
  const device = await twoDevices();
  const { world, replica, id } = device;
  mine(replica, id);
  world.server.run("other", theirs(id));
  world.fail = undefined;
  replica.sync();
  await expect.poll(() => replica.conflicts().length).toBe(1);
  await settled(replica);
  return device;
}

/** The server's task, as the trash shows it. */
function inTrash(world: World, id: string): Task {
  const task = world.server.get(id);
  if (!task?.deletedAt) throw new Error("The task is not in the trash.");
  return task;
}

/** Something of another task is under way, so that what is changed now waits behind it. */
async function busy(world: World, replica: Replica): Promise<void> {
  await replica.create({ title: "Under way" }).stored;
  await expect.poll(async () => (await world.storage.load()).meta.batch !== undefined).toBe(true);
}

const ours = (replica: Replica) => replica.conflicts().map(({ kind, fields }) => [kind, fields.title]);

describe("P6 local first", () => {
  it("P6 shows and keeps changes without a network, and sends them once it is there", async () => {
    const world = createWorld();
    world.fail = offline;
    const replica = await world.open();
    const { task, stored } = replica.create({
      title: " Buy oat milk ",
      tags: ["b", "a"],
      due: "2026-03-01T10:00:00+01:00",
    });
    expect(replica.list().map(({ title, isWaiting }) => [title, isWaiting])).toEqual([["Buy oat milk", true]]);
    replica.edit(task.id, { completed: true });
    expect(replica.counts()).toEqual({ live: 1, open: 0 });
    await stored;
    await replica.close();
    const again = await world.open();
    expect(again.list()).toMatchObject([{ title: "Buy oat milk", completed: true, due: "2026-03-01T09:00:00.000Z" }]);
    expect(again.status().waiting).toBe(1);
    world.fail = undefined;
    again.sync();
    await settled(again);
    expect(world.server.live()).toMatchObject([{ id: task.id, title: "Buy oat milk", completed: true }]);
    expect(again.get(task.id)?.isWaiting).toBe(false);
    await again.close();
  });

  it("P6 joins edits of one task, and sends nothing of a task that was created and deleted", async () => {
    const world = createWorld();
    world.fail = offline;
    const replica = await world.open();
    const kept = replica.create({ title: "One" }).task;
    for (const title of ["Two", "Three"]) replica.edit(kept.id, { title });
    const gone = replica.create({ title: "Gone" }).task;
    replica.edit(gone.id, { title: "Still gone" });
    await replica.remove(gone.id)?.stored;
    world.fail = undefined;
    replica.sync();
    await settled(replica);
    expect(world.sent).toEqual([[{ op: "create", id: kept.id, task: expect.objectContaining({ title: "Three" }) }]]);
    replica.edit(kept.id, { title: "Four" });
    replica.edit(kept.id, { title: "Three" });
    await settled(replica);
    expect(world.server.get(kept.id)?.title).toBe("Three");
    await replica.close();
  });

  it("P6 sends at most 100 operations at once, in order", async () => {
    const world = createWorld();
    world.fail = offline;
    const replica = await world.open();
    const all = Array.from({ length: 250 }, (_, n) => replica.create({ title: `${n}` }));
    await Promise.all(all.map(({ stored }) => stored));
    world.fail = undefined;
    replica.sync();
    await settled(replica);
    const order = world.sent.flat().map((operation) => operation.id);
    expect(order).toEqual(all.map(({ task }) => task.id));
    expect(Math.max(...world.sent.map((batch) => batch.length))).toBeLessThanOrEqual(100);
    await replica.close();
  });

  it("T2 refuses what the server would refuse, and names the fields", async () => {
    const replica = await createWorld().open();
    const bad = {
      title: " ",
      description: "x".repeat(1001),
      due: "2026-02-30",
      tags: ["a", "A"],
      priority: "urgent" as "high",
    };
    expect(() => replica.create(bad)).toThrow(InvalidTask);
    const { task } = replica.create({ title: "Fine" });
    for (const changes of [
      { title: "x".repeat(256) },
      { title: "\0" },
      { title: "\ud800" },
      { due: "soon" },
      { tags: [""] },
    ]) {
      expect(() => replica.edit(task.id, changes)).toThrow(InvalidTask);
    }
    expect(replica.edit("nobody's", { title: "x" })).toBeUndefined();
    expect(replica.list()).toHaveLength(1);
    await replica.close();
  });

  it("P5 every change can be undone, before it was sent and afterwards", async () => {
    const world = createWorld();
    const replica = await world.open();
    const created = replica.create({ title: "One" });
    const edited = replica.edit(created.task.id, { title: "Two", priority: "high" });
    await edited?.undo();
    expect(replica.list()).toMatchObject([{ title: "One", priority: "none" }]);
    await settled(replica);
    const removed = replica.remove(created.task.id);
    await settled(replica);
    expect(world.server.live()).toEqual([]);
    await removed?.undo();
    expect(replica.list()).toMatchObject([{ title: "One" }]);
    await settled(replica);
    expect(world.server.live()).toMatchObject([{ id: created.task.id, title: "One" }]);
    world.fail = offline;
    const unsent = replica.create({ title: "Unsent" });
    await replica.remove(unsent.task.id)?.undo();
    expect(replica.get(unsent.task.id)?.title).toBe("Unsent");
    await replica.close();
  });

  it("P6 lists, filters, sorts and searches as the API does", async () => {
    const replica = await createWorld().open();
    replica.create({ title: "Straße", due: "2026-03-01", tags: ["Home"], priority: "low" });
    replica.create({ title: "b", description: "ΣΑΣ", due: "2026-03-01T08:00:00Z", priority: "high" });
    replica.create({ title: "a", completed: true });
    const of = (query: Parameters<Replica["list"]>[0]) => replica.list(query).map(({ title }) => title);
    expect(of({ sort: "title" })).toEqual(["a", "b", "Straße"]);
    expect(of({ sort: "due" })).toEqual(["Straße", "b", "a"]);
    expect(of({ sort: "-priority" })).toEqual(["b", "Straße", "a"]);
    expect([of({ q: "STRASSE" }), of({ q: "straß" }), of({ q: "σας" })]).toEqual([["Straße"], ["Straße"], ["b"]]);
    expect([of({ tag: "home" }), of({ status: "completed" }), of({ dueBefore: "2026-03-01T00" })]).toEqual([
      ["Straße"],
      ["a"],
      ["Straße"],
    ]);
    expect([replica.counts(), replica.tags()]).toEqual([{ live: 3, open: 2 }, ["Home"]]);
    await replica.close();
  });
});

describe("P6 the order of what waits", () => {
  it("P6 a task keeps its place while others are sent, whatever the device's clock says", async () => {
    for (const year of [2020, 2030]) {
      const world = createWorld();
      world.now = Date.UTC(year, 0);
      const replica = await world.open();
      const ids: string[] = [];
      const add = (title: string) => {
        world.now += 1000;
        ids.push(`00000000-0000-4000-8000-00000000000${ids.length}`);
        replica.create({ id: ids.at(-1) as string, title });
      };
      add("One");
      await settled(replica);
      world.fail = offline;
      for (const title of ["Two", "Three"]) add(title);
      expect(replica.list().map(({ title }) => title)).toEqual(["Three", "Two", "One"]);
      world.fail = undefined;
      replica.sync();
      await settled(replica);
      expect(replica.list().map(({ title }) => title)).toEqual(["Three", "Two", "One"]);
      world.fail = offline;
      replica.edit(ids[1] ?? "", { completed: true });
      replica.edit(ids[0] ?? "", { completed: true });
      const changed = () => replica.list({ sort: "-updatedAt" }).map(({ title }) => title);
      expect(changed()).toEqual(["One", "Two", "Three"]);
      world.fail = undefined;
      replica.sync();
      await settled(replica);
      expect(changed()).toEqual(["One", "Two", "Three"]);
      await replica.close();
    }
  });
});

describe("P7 rebase", () => {
  it("P7 different fields of one task merge", async () => {
    const { world, replica, id } = await twoDevices();
    replica.edit(id, { title: "Mine" });
    world.server.run("other", { op: "patch", id, task: { description: "Theirs" } });
    world.fail = undefined;
    replica.sync();
    await settled(replica);
    expect(world.server.get(id)).toMatchObject({ title: "Mine", description: "Theirs" });
    expect(replica.conflicts()).toEqual([]);
    await replica.close();
  });

  it.each([true, false])("P7 the same field is a conflict; ours kept %s", async (keepsMine) => {
    const { world, replica, id } = await twoDevices();
    replica.edit(id, { title: "Mine", priority: "high" });
    world.server.run("other", { op: "patch", id, task: { title: "Theirs" } });
    world.fail = undefined;
    replica.sync();
    await expect.poll(() => replica.conflicts().length).toBe(1);
    await settled(replica);
    expect(replica.conflicts()).toMatchObject([{ kind: "fields", fields: { title: "Mine" } }]);
    expect(replica.get(id)).toMatchObject({ title: "Theirs", priority: "high" });
    expect(await replica.settle(id, keepsMine)).toBeDefined();
    await settled(replica);
    expect(world.server.get(id)?.title).toBe(keepsMine ? "Mine" : "Theirs");
    expect(replica.conflicts()).toEqual([]);
    await replica.close();
  });

  it.each([true, false])("P7 deleted there and edited here; restored %s", async (restores) => {
    const { world, replica, id } = await twoDevices();
    replica.edit(id, { title: "Mine" });
    world.server.run("other", { op: "delete", id });
    world.fail = undefined;
    replica.sync();
    await expect.poll(() => replica.conflicts()[0]?.kind).toBe("deleted-there");
    expect(replica.list()).toEqual([]);
    await replica.settle(id, restores);
    await settled(replica);
    expect(world.server.live().map(({ title }) => title)).toEqual(restores ? ["Mine"] : []);
    await replica.close();
  });

  it.each([true, false])("P7 edited there and deleted here; deleted %s", async (deletes) => {
    const { world, replica, id } = await twoDevices();
    replica.remove(id);
    world.server.run("other", { op: "patch", id, task: { title: "Theirs" } });
    world.fail = undefined;
    replica.sync();
    await expect.poll(() => replica.conflicts()[0]?.kind).toBe("deleted-here");
    expect(replica.get(id)?.title).toBe("Theirs");
    await replica.settle(id, deletes);
    await settled(replica);
    expect(world.server.live().map(({ title }) => title)).toEqual(deletes ? [] : ["Theirs"]);
    await replica.close();
  });

  it.each([true, false])("P5 P7 a choice can be taken back; ours kept %s", async (keepsMine) => {
    const { world, replica, id } = await twoDevices();
    const inConflict = async (mine: () => unknown, theirs: Operation) => {
      world.fail = offline;
      mine();
      world.server.run("other", theirs);
      world.fail = undefined;
      replica.sync();
      await expect.poll(() => replica.conflicts().length).toBe(1);
      await settled(replica);
      const choice = await replica.settle(id, keepsMine);
      await settled(replica);
      await choice?.undo();
      await settled(replica);
    };
    await inConflict(() => replica.edit(id, { title: "Mine" }), { op: "patch", id, task: { title: "Theirs" } });
    expect([world.server.get(id)?.title, ours(replica)]).toEqual(["Theirs", [["fields", "Mine"]]]);
    await replica.settle(id, false);
    await inConflict(() => replica.remove(id), { op: "patch", id, task: { title: "Theirs again" } });
    expect([world.server.get(id)?.deletedAt, replica.get(id)?.title]).toEqual([null, "Theirs again"]);
    expect(replica.conflicts().length).toBe(keepsMine ? 0 : 1);
    await replica.settle(id, false);
    await inConflict(() => replica.edit(id, { title: "Mine" }), { op: "delete", id });
    expect([world.server.live().length, replica.conflicts().length]).toEqual([0, keepsMine ? 0 : 1]);
    await replica.close();
  });

  it("P7 an edit, or its undo, that was made on an older state overwrites nothing", async () => {
    const { world, replica, id } = await twoDevices();
    const opened = replica.get(id);
    world.server.run("other", { op: "patch", id, task: { title: "Theirs", tags: ["theirs"] } });
    world.fail = undefined;
    replica.sync();
    await expect.poll(() => replica.get(id)?.title).toBe("Theirs");
    replica.edit(id, { title: "Mine", description: "Mine too" }, opened);
    await settled(replica);
    expect(replica.conflicts()).toMatchObject([{ kind: "fields", fields: { title: "Mine" } }]);
    expect(world.server.get(id)).toMatchObject({ title: "Theirs", description: "Mine too", tags: ["theirs"] });
    await replica.settle(id, false);
    const renamed = replica.edit(id, { title: "Renamed" });
    await settled(replica);
    world.server.run("other", { op: "patch", id, task: { title: "Theirs again" } });
    replica.sync();
    await expect.poll(() => replica.get(id)?.title).toBe("Theirs again");
    expect(renamed?.undo()).toBeUndefined();
    await settled(replica);
    expect([world.server.get(id)?.title, replica.conflicts()]).toEqual(["Theirs again", []]);
    const unsent = replica.edit(id, { title: "Last" });
    await replica.close();
    expect(unsent?.undo()).toBeUndefined();
  });

  it("P5 P7 the undo of a deletion that was sent brings the unsent edit back", async () => {
    const { world, replica, id } = await twoDevices();
    replica.edit(id, { title: "Mine" });
    const removed = replica.remove(id);
    world.fail = undefined;
    replica.sync();
    await settled(replica);
    expect(world.server.get(id)?.deletedAt).not.toBeNull();
    await removed?.undo();
    await settled(replica);
    expect([world.server.get(id)?.title, replica.get(id)?.title]).toEqual(["Mine", "Mine"]);
    expect(replica.conflicts()).toEqual([]);
    await replica.close();
  });

  it("P7 a restoration beside an edit keeps the edit", async () => {
    const { world, replica, id } = await twoDevices();
    const task = replica.get(id);
    if (!task) throw new Error("absent");
    replica.edit(id, { title: "Mine" });
    replica.restore(task);
    expect(replica.get(id)?.title).toBe("Mine");
    world.fail = undefined;
    replica.sync();
    await settled(replica);
    expect(world.server.get(id)?.title).toBe("Mine");
    await replica.close();
  });

  it("P6 an answer that is not the API's refuses nothing, and an id has one case", async () => {
    const { world, replica } = await twoDevices();
    const id = crypto.randomUUID();
    world.fail = () => new ServerRefusal(404, "network");
    replica.create({ id: id.toUpperCase(), title: "Kept" });
    await expect.poll(() => replica.status().state).toBe("unavailable");
    expect(replica.refusals()).toEqual([]);
    world.fail = undefined;
    replica.sync();
    await settled(replica);
    expect(world.server.get(id)?.title).toBe("Kept");
    expect(replica.list()).toHaveLength(2);
    await replica.close();
  });

  it("P7 the undo of a removal brings the task's conflict back", async () => {
    for (const isSentBetween of [false, true]) {
      const { world, replica, id } = await twoDevices();
      replica.edit(id, { title: "Mine" });
      world.server.run("other", { op: "patch", id, task: { title: "Theirs" } });
      world.fail = undefined;
      replica.sync();
      await expect.poll(() => replica.conflicts().length).toBe(1);
      const removed = replica.remove(id);
      if (isSentBetween) await settled(replica);
      await removed?.undo();
      await settled(replica);
      expect(replica.get(id)?.title).toBe("Theirs");
      expect(replica.conflicts()).toMatchObject([{ kind: "fields", fields: { title: "Mine" } }]);
      await replica.close();
    }
  });

  it("P7 editing a task that was deleted here and changed there keeps the edit that the deletion held", async () => {
    const { world, replica, id } = await twoDevices();
    replica.edit(id, { title: "Mine", tags: ["mine"] });
    replica.remove(id);
    world.server.run("other", { op: "patch", id, task: { description: "Theirs" } });
    world.fail = undefined;
    replica.sync();
    await expect.poll(() => replica.conflicts()[0]?.kind).toBe("deleted-here");
    replica.edit(id, { priority: "high", title: "Newer" });
    await settled(replica);
    expect(world.server.get(id)).toMatchObject({
      ...{ title: "Newer", tags: ["mine"], description: "Theirs", priority: "high" },
    });
    expect(replica.conflicts()).toEqual([]);
    await replica.close();
  });

  it("P7 two tabs delete and edit one task at once: the edit stays, with those that the deletion replaced", async () => {
    const { world, replica, id } = await twoDevices();
    const other = await world.open();
    // The first is being sent; the second waits behind it.
    await replica.edit(id, { tags: ["sent"] })?.stored;
    await expect.poll(() => replica.status().state).toBe("offline");
    replica.edit(id, { title: "Mine" });
    await expect.poll(() => other.get(id)?.title).toBe("Mine");
    replica.remove(id);
    other.edit(id, { priority: "high" });
    await expect.poll(() => replica.get(id)?.priority).toBe("high");
    world.fail = undefined;
    replica.sync();
    await settled(replica);
    expect(world.server.get(id)).toMatchObject({ title: "Mine", priority: "high", deletedAt: null });
    await Promise.all([replica.close(), other.close()]);
  });

  it("P5 P7 the undo of an edit leaves alone what was set since, here or elsewhere, sent or not", async () => {
    const { world, replica, id } = await twoDevices();
    const first = replica.edit(id, { title: "First", priority: "low" });
    const second = replica.edit(id, { title: "Second" });
    await first?.undo();
    expect(replica.get(id)).toMatchObject({ title: "Second", priority: "none" });
    await second?.undo();
    expect(replica.get(id)?.title).toBe("First");
    await online(world, replica);
    world.server.run("other", { op: "patch", id, task: { title: "Theirs" } });
    const sent = replica.edit(id, { description: "Sent" });
    await settled(replica);
    world.fail = offline;
    await busy(world, replica);
    const newer = replica.edit(id, { description: "Newer" });
    await newer?.stored;
    expect(sent?.undo()).toBeUndefined();
    await online(world, replica);
    expect([world.server.get(id), replica.conflicts()]).toMatchObject([{ title: "Theirs", description: "Newer" }, []]);
    await replica.close();
  });

  it("P5 P7 undoing step by step leads back, also through a conflict", async () => {
    const { world, replica, id } = await twoDevices();
    const edited = replica.edit(id, { title: "Mine" });
    world.server.run("other", { op: "patch", id, task: { title: "Theirs" } });
    await online(world, replica);
    const choice = await replica.settle(id, true);
    await settled(replica);
    await choice?.undo();
    await settled(replica);
    expect([replica.get(id)?.title, ours(replica)]).toEqual(["Theirs", [["fields", "Mine"]]]);
    const typed = replica.edit(id, { title: "Typed over it" });
    await settled(replica);
    expect(ours(replica)).toEqual([]);
    await typed?.undo();
    await settled(replica);
    expect([replica.get(id)?.title, ours(replica)]).toEqual(["Theirs", [["fields", "Mine"]]]);
    await edited?.undo();
    await settled(replica);
    expect([world.server.get(id)?.title, ours(replica)]).toEqual(["Theirs", []]);
    await replica.close();
  });

  it("P7 the undo of a deletion that is in conflict ends the conflict", async () => {
    const { world, replica, id } = await twoDevices();
    const removed = replica.remove(id);
    world.server.run("other", { op: "patch", id, task: { title: "Theirs" } });
    await online(world, replica);
    expect(ours(replica)).toEqual([["deleted-here", undefined]]);
    await removed?.undo();
    await settled(replica);
    expect([world.server.get(id)?.title, world.server.get(id)?.deletedAt, ours(replica)]).toEqual(["Theirs", null, []]);
    await replica.close();
  });

  it("P7 of two values of ours for a field in conflict, the one that was shown is offered and the other is told", async () => {
    const { world, replica, id } = await twoDevices();
    const other = await world.open();
    const opened = replica.get(id);
    await other.edit(id, { title: "From the other tab" })?.stored;
    await expect.poll(() => replica.get(id)?.title).toBe("From the other tab");
    await replica.edit(id, { title: "From the editor" }, opened)?.stored;
    world.server.run("other", { op: "patch", id, task: { title: "Theirs" } });
    await online(world, replica);
    expect(ours(replica)).toEqual([["fields", "From the other tab"]]);
    expect(replica.refusals()).toMatchObject([{ code: "replaced", fields: { title: "From the editor" } }]);
    await Promise.all([replica.close(), other.close()]);
  });

  it("P7 no conflict outlives a creation that is refused", async () => {
    const world = createWorld({ quota: 0 });
    world.fail = offline;
    const replica = await world.open();
    const { task } = replica.create({ title: "New" });
    replica.edit(task.id, { title: "Newer" });
    await replica.edit(task.id, { title: "From an old editor" }, task)?.stored;
    expect(ours(replica)).toEqual([["fields", "From an old editor"]]);
    await online(world, replica);
    expect([replica.list(), ours(replica)]).toEqual([[], []]);
    expect(replica.refusals()).toMatchObject([
      { code: "replaced", fields: { title: "From an old editor" } },
      { code: "quota_exceeded", fields: { title: "Newer" } },
    ]);
    await replica.close();
  });

  it("P7 an editor that is saved after another tab changed the same field, unsent, is in conflict with it", async () => {
    const { world, replica, id } = await twoDevices();
    const other = await world.open();
    await busy(world, replica);
    const opened = replica.get(id);
    await other.edit(id, { title: "From the other tab" })?.stored;
    await expect.poll(() => replica.get(id)?.title).toBe("From the other tab");
    await replica.edit(id, { title: "From the editor" }, opened)?.stored;
    await online(world, replica);
    expect([world.server.get(id)?.title, ours(replica)]).toEqual([
      "From the other tab",
      [["fields", "From the editor"]],
    ]);
    await Promise.all([replica.close(), other.close()]);
  });

  it.each([true, false])("P7 taking a choice back overwrites nothing newer; ours kept %s", async (keepsMine) => {
    const { world, replica, id } = await inConflict(
      (device, task) => device.edit(task, { title: "Mine" }),
      (task) => ({ op: "patch", id: task, task: { title: "Theirs" } }),
    );
    world.fail = offline;
    await busy(world, replica);
    const choice = await replica.settle(id, keepsMine);
    await replica.edit(id, { title: "Newer" })?.stored;
    await choice?.undo();
    await online(world, replica);
    expect([world.server.get(id)?.title, ours(replica)]).toEqual(["Newer", [["fields", "Mine"]]]);
    await replica.close();
  });

  it("P7 the undo of an edit that is in conflict ends the conflict, and a newer value of ours replaces it", async () => {
    const { replica, id } = await inConflict(
      (device, task) => device.edit(task, { title: "Mine" }),
      (task) => ({ op: "patch", id: task, task: { title: "Theirs" } }),
    );
    const [{ mine } = { mine: undefined }] = replica.conflicts();
    await replica.edit(id, { title: "Mine, longer" }, mine)?.stored;
    expect(ours(replica)).toEqual([["fields", "Mine, longer"]]);
    await replica.edit(id, { title: "Original" }, { title: "Mine, longer" })?.stored;
    await settled(replica);
    expect([ours(replica), replica.get(id)?.title]).toEqual([[], "Theirs"]);
    await replica.close();
  });

  it("P7 an edit that was made on a task while its restoration waits behind an older edit is kept", async () => {
    const { world, replica, id } = await twoDevices();
    const { batch } = world.server;
    world.server.batch = () => {
      throw new ServerRefusal(503, "database_unavailable");
    };
    world.fail = undefined;
    await replica.edit(id, { description: "Being sent" })?.stored;
    await expect.poll(async () => (await world.storage.load()).meta.batch !== undefined).toBe(true);
    world.server.run("other", { op: "delete", id });
    replica.sync();
    await expect.poll(() => replica.get(id)).toBeUndefined();
    await replica.restore(inTrash(world, id)).stored;
    await replica.edit(id, { title: "Mine" })?.stored;
    world.server.batch = batch;
    await online(world, replica);
    expect(world.server.get(id)).toMatchObject({ title: "Mine", description: "Being sent", deletedAt: null });
    await replica.close();
  });

  it("P5 P7 what was not sent of a restored task survives its removal and the undo, and nothing older comes back", async () => {
    const { world, replica, id } = await twoDevices();
    replica.edit(id, { title: "Held by the first removal" });
    replica.remove(id);
    await online(world, replica);
    world.fail = offline;
    replica.restore(inTrash(world, id));
    replica.edit(id, { description: "Mine" });
    await replica.remove(id)?.undo();
    await online(world, replica);
    expect(world.server.get(id)).toMatchObject({ title: "Original", description: "Mine", deletedAt: null });
    expect(replica.conflicts()).toEqual([]);
    await replica.close();
  });

  it("P5 P7 taking a restoration back brings the conflict back that it settled", async () => {
    for (const isFromTrash of [true, false]) {
      const { world, replica, id } = await inConflict(
        (device, task) => device.edit(task, { title: "Mine" }),
        (task) => ({ op: "delete", id: task }),
      );
      world.fail = offline;
      const restored = isFromTrash ? replica.restore(inTrash(world, id)) : await replica.settle(id, true);
      await restored?.undo();
      await online(world, replica);
      expect([world.server.live(), ours(replica)]).toEqual([[], [["deleted-there", "Mine"]]]);
      await replica.close();
    }
  });

  it("P5 P7 the removal of a task while it is created can be undone once both are sent", async () => {
    const world = createWorld();
    const replica = await world.open();
    await settled(replica);
    const { batch } = world.server;
    let removed: ReturnType<Replica["remove"]>;
    world.server.batch = (...args) => {
      const answer = batch(...args);
      removed ??= replica.remove(replica.list()[0]?.id ?? "");
      return answer;
    };
    const { task } = replica.create({ title: "New" });
    await expect.poll(() => removed).toBeDefined();
    await settled(replica);
    expect(world.server.get(task.id)?.deletedAt).not.toBeNull();
    await removed?.undo();
    await settled(replica);
    expect([world.server.get(task.id)?.deletedAt, ours(replica)]).toEqual([null, []]);
    // Once more, beside a conflict about the same task: what is in conflict is kept.
    world.fail = offline;
    replica.edit(task.id, { title: "Mine" });
    world.server.run("other", { op: "delete", id: task.id });
    await online(world, replica);
    expect(ours(replica)).toEqual([["deleted-there", "Mine"]]);
    await removed?.undo();
    await settled(replica);
    expect([world.server.get(task.id)?.title, ours(replica)]).toEqual(["Mine", []]);
    await replica.close();
  });

  it.each(["kept", "deleted, undone", "deleted by key, undone"])(
    "P7 the edit that a deletion here replaced is kept when the task is %s",
    async (way) => {
      const { world, replica, id } = await inConflict(
        (device, task) => {
          device.edit(task, { title: "Mine" });
          device.remove(task);
        },
        (task) => ({ op: "patch", id: task, task: { description: "Theirs" } }),
      );
      expect(replica.conflicts()).toMatchObject([{ kind: "deleted-here", fields: { title: "Mine" } }]);
      if (way === "kept") await replica.settle(id, false);
      else {
        const change = way === "deleted, undone" ? await replica.settle(id, true) : replica.remove(id);
        await settled(replica);
        await change?.undo();
      }
      await settled(replica);
      expect(world.server.get(id)).toMatchObject({ title: "Mine", description: "Theirs", deletedAt: null });
      expect(replica.conflicts()).toEqual([]);
      await replica.close();
    },
  );

  it("P7 a conflict that changes while the person looks is not settled blindly", async () => {
    const { world, replica, id } = await twoDevices();
    replica.edit(id, { title: "Mine" });
    world.server.run("other", { op: "patch", id, task: { title: "Theirs" } });
    world.fail = undefined;
    replica.sync();
    await expect.poll(() => replica.conflicts().length).toBe(1);
    world.server.run("other", { op: "patch", id, task: { title: "Theirs again" } });
    replica.sync();
    const choice = replica.settle(id, true);
    const title = (await choice) ? "Mine" : "Theirs again";
    await settled(replica);
    if (title === "Theirs again") expect(replica.conflicts()).toHaveLength(1);
    await replica.close();
  });
});

describe("P6 refusals and trouble", () => {
  it("P5 what the server refuses for good is undone, reported, and blocks nothing", async () => {
    const world = createWorld({ quota: 1 });
    world.fail = offline;
    const replica = await world.open();
    for (const title of ["First", "Second", "Third"]) replica.create({ title });
    world.fail = undefined;
    replica.sync();
    await settled(replica);
    expect(replica.list().map(({ title }) => title)).toEqual(["First"]);
    expect(replica.refusals()).toMatchObject([
      { code: "quota_exceeded", status: 403, task: { title: "Second" } },
      { code: "quota_exceeded", task: { title: "Third" } },
    ]);
    await replica.dismiss(replica.refusals()[0]?.key ?? "");
    expect(replica.refusals()).toHaveLength(1);
    await replica.close();
  });

  it("P6 410 starts over, and keeps what waits", async () => {
    const world = createWorld();
    const replica = await world.open();
    const { task } = replica.create({ title: "Here" });
    await settled(replica);
    world.server.expireTokens();
    world.server.run("other", { op: "delete", id: task.id });
    const added = replica.create({ title: "New" });
    await added.stored;
    replica.sync();
    await expect.poll(() => replica.list().map(({ title }) => title)).toEqual(["New"]);
    await settled(replica);
    await replica.close();
  });

  it.each([
    ["signed-out", 401, "session_ended"],
    ["other-user", 403, "forbidden"],
    ["unavailable", 403, "unknown"],
    ["unavailable", 503, "database_unavailable"],
    ["offline", 0, "network"],
  ])("P6 %s after %i keeps what waits, and goes on afterwards", async (state, status, code) => {
    const world = createWorld();
    world.fail = () => new ServerRefusal(status, code);
    const replica = await world.open();
    replica.create({ title: "Kept" });
    await expect.poll(() => replica.status().state).toBe(state);
    expect(replica.status().waiting).toBe(1);
    world.fail = undefined;
    replica.sync();
    await settled(replica);
    expect(world.server.live()).toHaveLength(1);
    await replica.close();
  });

  it("P6 a full disk says so, and what is entered is still sent", async () => {
    const world = createWorld();
    const disk = createDisk();
    disk.isFull = true;
    const replica = await world.open("device", disk.storage);
    const { stored } = replica.create({ title: "Kept in memory" });
    await expect.poll(() => world.server.live().length).toBe(1);
    expect(replica.status().isStored).toBe(false);
    disk.isFull = false;
    replica.create({ title: "Stored" });
    await stored;
    expect(replica.status().isStored).toBe(true);
    await settled(replica);
    expect((await disk.storage.load()).tasks.size).toBe(2);
    await replica.close();
  });

  it("P6 a storage that can be written and not read hinders nothing", async () => {
    const world = createWorld();
    const memory = createMemoryStorage();
    const storage: ReplicaStorage = { ...memory, load: () => Promise.reject(new Error("UnknownError")) };
    const other = await world.open("device", memory);
    await other.create({ title: "Stored" }).stored;
    await settled(other);
    await other.close();
    const replica = await world.open("device", storage);
    replica.create({ title: "Kept in memory" });
    await expect.poll(() => world.server.live().length).toBe(2);
    expect(replica.status().isStored).toBe(false);
    await replica.close();
  });

  it("P5 a deletion can be undone while the device stores nothing", async () => {
    const world = createWorld();
    const disk = createDisk();
    const replica = await world.open("device", disk.storage);
    const { task } = replica.create({ title: "Back again" });
    await settled(replica);
    disk.isFull = true;
    world.fail = offline;
    void replica.remove(task.id)?.undo();
    await expect.poll(() => replica.list().map(({ title }) => title)).toEqual(["Back again"]);
    await replica.close();
  });

  it("P6 a server that asks to wait is not asked again by what the person types", async () => {
    const world = createWorld();
    const replica = await world.open();
    await settled(replica);
    let calls = 0;
    world.fail = () => {
      calls += 1;
      return new ServerRefusal(503, "database_unavailable", 60);
    };
    for (let n = 0; n < 5; n += 1) {
      replica.create({ title: `${n}` });
      await sleep(2);
    }
    expect(calls).toBeLessThanOrEqual(5);
    world.fail = undefined;
    replica.sync();
    await settled(replica);
    expect(world.server.live()).toHaveLength(5);
    await replica.close();
  });

  it("P6 a storage that the browser has emptied is filled again from memory", async () => {
    const world = createWorld();
    let inner = createMemoryStorage();
    const storage: ReplicaStorage = {
      load: () => inner.load(),
      commit: (...args) => inner.commit(...args),
      clear: () => inner.clear(),
      close() {},
    };
    const replica = await world.open("device", storage);
    replica.create({ title: "One" });
    await settled(replica);
    world.fail = offline;
    await replica.create({ title: "Two" }).stored;
    inner = createMemoryStorage();
    await replica.create({ title: "Three" }).stored;
    const { tasks, outbox } = await inner.load();
    expect([tasks.size, outbox.size]).toEqual([1, 2]);
    await replica.close();
  });

  it("P6 a storage that the browser has emptied while it was full is filled again with all that waits", async () => {
    const world = createWorld();
    let disk = createDisk();
    const storage: ReplicaStorage = {
      load: () => disk.storage.load(),
      commit: (...args) => disk.storage.commit(...args),
      clear: () => disk.storage.clear(),
      close() {},
    };
    const replica = await world.open("device", storage);
    await settled(replica);
    world.fail = offline;
    for (const title of ["One", "Two"]) await replica.create({ title }).stored;
    disk.isFull = true;
    replica.create({ title: "Three" });
    await expect.poll(() => replica.status().isStored).toBe(false);
    disk = createDisk();
    await replica.create({ title: "Four" }).stored;
    expect((await disk.storage.load()).outbox.size).toBe(4);
    await online(world, replica);
    expect(world.server.live()).toHaveLength(4);
    await replica.close();
  });

  it.each(["after a while", "when the tab is closed"])(
    "P6 what a following tab could not store is stored and sent %s",
    async (when) => {
      const world = createWorld();
      const leader = await world.open();
      await settled(leader);
      let failsOnce = false;
      const storage: ReplicaStorage = {
        ...world.storage,
        commit(...args) {
          if (!failsOnce) return world.storage.commit(...args);
          failsOnce = false;
          return Promise.reject(new Error("UnknownError"));
        },
      };
      const follower = await world.open("device", storage);
      await settled(leader);
      failsOnce = true;
      follower.create({ title: "Mine" });
      if (when !== "after a while") await follower.close();
      await expect.poll(() => world.server.live().length).toBe(1);
      await Promise.all([leader.close(), follower.close()]);
    },
  );

  it("P6 the loop ends by itself when the copy was deleted while it starts over", async () => {
    const world = createWorld();
    const replica = await world.open();
    await settled(replica);
    let hasEnded = false;
    const ended = world.leader.then(() => {
      hasEnded = true;
    });
    world.fail = () => new ServerRefusal(410, "changes_expired");
    // Another tab deletes the copy, and is killed before it tells.
    await world.storage.clear();
    replica.sync();
    await ended;
    expect([hasEnded, replica.isWiped()]).toEqual([true, true]);
  });

  it("P6 a clock that jumps by years changes nothing", async () => {
    const world = createWorld();
    const replica = await world.open();
    for (const year of [2090, 1971, 2026]) {
      world.now = Date.UTC(year, 0);
      replica.create({ title: `${year}` });
      await settled(replica);
    }
    expect(world.server.live()).toHaveLength(3);
    await replica.close();
  });
});

describe("P5 tabs and persons", () => {
  it("P6 tabs show the same, and another leads when the first ends", async () => {
    const world = createWorld();
    const [one, two] = [await world.open(), await world.open()];
    const { task } = one.create({ title: "From the first" });
    await expect.poll(() => two.get(task.id)?.title).toBe("From the first");
    two.edit(task.id, { title: "From the second" });
    await expect.poll(() => one.get(task.id)?.title).toBe("From the second");
    await settled(two);
    await one.close();
    two.create({ title: "After the first" });
    await expect.poll(() => world.server.live().length).toBe(2);
    await two.close();
  });

  it("P5 wiping deletes the copy in every tab, and no tab brings it back", async () => {
    const world = createWorld();
    const [one, two] = [await world.open(), await world.open()];
    one.create({ title: "Private" });
    await settled(one);
    await one.wipe();
    expect(two.isWiped()).toBe(true);
    await two.edit(two.list()[0]?.id ?? "", { title: "x" })?.stored.catch(() => {});
    const { tasks, outbox } = await world.storage.load();
    expect([tasks.size, outbox.size]).toEqual([0, 0]);
    const again = await world.open();
    await settled(again);
    expect(again.list().map(({ title }) => title)).toEqual(["Private"]);
    await again.close();
  });
});
