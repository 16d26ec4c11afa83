/**
 * One random history of devices that edit the same tasks, replayable by its seed: requests and answers that are lost, tabs
 * killed wherever they wait, storage that fails, sign-outs. It tells what went wrong, if anything did.
 */
import type { Conflict } from "../../../src/client/replica/model.ts";
import type { openReplica as OpenReplica, Replica } from "../../../src/client/replica/replica.ts";
import { createMemoryStorage, type ReplicaStorage } from "../../../src/client/replica/storage.ts";
import type { Message, Surroundings } from "../../../src/client/replica/surroundings.ts";
import type { Change, Operation, OperationResult, Task, TaskChanges } from "../../../src/client/types.ts";
import { createModelServer, type Effect, ServerRefusal } from "./model-server.ts";
import { createRandom, createScheduler, type Owner, type Random, type Scheduler } from "./scheduler.ts";

/** The API: the model of it, or the Worker. */
export type SimulatedServer = {
  effects: Effect[];
  live(): readonly Task[];
  all(): readonly Task[];
  expireTokens(): void;
  batch(by: string, operations: Operation[], key: string): OperationResult[] | Promise<OperationResult[]>;
  run(by: string, operation: Operation): unknown;
  page(since: string | undefined, size: number): FeedPage | Promise<FeedPage>;
  /** Reads what `live` and `all` return. */
  refresh?(): Promise<void>;
};

export type FeedPage = { changes: Change[]; token: string; hasMore: boolean };

export type Options = {
  openReplica: typeof OpenReplica;
  server?: SimulatedServer;
  devices?: number;
  steps?: number;
  /** Every request has a key of its own, as if there were none. */
  withoutKeys?: boolean;
  /** What waits is not stored. */
  withoutOutbox?: boolean;
};

/** What a person did to a field: the value, and the one that they saw before. `isStored` once the device has kept it. */
type Deed = {
  device: string;
  tab: Tab;
  id: string;
  what: string;
  seen: unknown;
  value: unknown;
  isStored: boolean;
  /** It takes back the edit that set `seen`. */
  isUndo?: boolean;
};

type Tab = Owner & {
  replica: Replica;
  inbox: Message[];
  listener: ((message: Message) => void) | undefined;
  /** The task of an open editor, as it was when it was opened. */
  opened?: Task | undefined;
  /** What can be taken back, whenever the person does it. */
  undos: (() => void)[];
};
type Device = {
  name: string;
  tabs: Tab[];
  listening: Tab[];
  storage: ReplicaStorage;
  waitingForLead: { tab: Tab; work: () => Promise<void> }[];
  leader: Tab | undefined;
  isOffline: boolean;
  isSignedOut: boolean;
};

const FIELDS = ["title", "description"] as const;
const SETTLE_STEPS = 30_000;

/** Runs a history to its end. @returns the faults, in words; none if all is well */
export async function runHistory(seed: number, options: Options): Promise<string[]> {
  const random = createRandom(seed);
  const scheduler = createScheduler(random);
  const model = createModelServer(random, random.chance(0.2) ? 4 : 1000);
  const server: SimulatedServer = options.server ?? model;
  const history = createHistory(server);
  let isCalm = false;
  const devices = Array.from(
    { length: options.devices ?? 1 + random.below(4) },
    (_, at): Device => ({
      ...{
        name: `device ${at}`,
        tabs: [],
        listening: [],
        storage: createMemoryStorage(),
        waitingForLead: [],
        leader: undefined,
      },
      ...{ isOffline: false, isSignedOut: false },
    }),
  );
  const world = { random, scheduler, server, options, isCalm: () => isCalm, isDiskBad: random.chance(0.4) };

  for (let step = 0; step < (options.steps ?? 300); step += 1) {
    const device = random.pick(devices);
    if (device.tabs.length === 0 || random.chance(0.01)) await openTab(world, device);
    if (random.chance(0.15)) act(random, device, history);
    if (random.chance(0.03)) await callPlainly(random, server, history);
    if (random.chance(0.02)) device.isOffline = !device.isOffline;
    if (random.chance(0.005)) device.isSignedOut = !device.isSignedOut;
    if (random.chance(0.01)) kill(world, device, random.pick(device.tabs));
    if (random.chance(0.003)) server.expireTokens();
    await scheduler.step();
  }

  isCalm = true;
  for (const device of devices) {
    Object.assign(device, { isOffline: false, isSignedOut: false });
    if (device.tabs.length === 0) await openTab(world, device);
  }
  const isSettled = () => devices.every((device) => device.tabs.every((tab) => isEqual(tab.replica, server)));
  for (let step = 0; step < SETTLE_STEPS; step += 1) {
    if (step % 100 === 0 && devices.every(({ tabs }) => tabs.every(({ replica }) => replica.status().waiting === 0))) {
      await server.refresh?.();
      if (isSettled()) break;
    }
    if (step % 200 === 0) for (const { tabs } of devices) tabs[0]?.replica.sync();
    await scheduler.step();
  }
  const faults = isSettled() ? [] : devices.flatMap((device) => differences(device, server));
  for (const { tabs } of devices) for (const tab of tabs) history.read(tab.replica);
  for (const { tabs } of devices) for (const tab of tabs) tab.isDead = true;
  return [...faults, ...history.faults(world.isDiskBad || server !== model)];
}

type World = {
  random: Random;
  scheduler: Scheduler;
  server: SimulatedServer;
  options: Options;
  isCalm: () => boolean;
  /** Whether the devices sometimes cannot store. */
  isDiskBad: boolean;
};

async function openTab(world: World, device: Device): Promise<void> {
  const { scheduler } = world;
  const tab: Partial<Tab> & Owner = { isDead: false, inbox: [], listener: undefined, undos: [] };
  let isOpen = false;
  const opening = world.options.openReplica(surroundingsOf(world, device, tab as Tab)).then((replica) => {
    device.tabs.push(Object.assign(tab, { replica }) as Tab);
    isOpen = true;
  });
  while (!isOpen) await scheduler.step();
  await opening;
}

function kill({ random }: World, device: Device, tab: Tab | undefined): void {
  if (!tab) return;
  tab.isDead = true;
  device.tabs = device.tabs.filter((other) => other !== tab);
  device.waitingForLead = device.waitingForLead.filter((waiting) => !waiting.tab.isDead);
  if (device.leader === tab) passLead(random, device);
}

function passLead(random: Random, device: Device): void {
  const next = device.waitingForLead.length > 0 ? random.pick(device.waitingForLead) : undefined;
  device.leader = next?.tab;
  if (!next) return;
  device.waitingForLead = device.waitingForLead.filter((waiting) => waiting !== next);
  void next.work();
}

function surroundingsOf(world: World, device: Device, tab: Tab): Surroundings {
  const { random, scheduler, server, options, isCalm } = world;
  const wait = () => scheduler.wait(tab);

  /** A request that may be lost on its way, or whose answer may. */
  async function call<Result>(work: () => Result | Promise<Result>, mayRepeat: boolean): Promise<Result> {
    await wait();
    if (device.isOffline || (!isCalm() && random.chance(0.1))) throw new ServerRefusal(0, "network");
    if (device.isSignedOut)
      throw random.chance(0.5) ? new ServerRefusal(401, "session_ended") : new ServerRefusal(403, "forbidden");
    if (!isCalm() && random.chance(0.05)) throw new ServerRefusal(503, "database_unavailable");
    const result = await scheduler.outside(Promise.resolve(work()));
    if (mayRepeat && random.chance(0.1)) await scheduler.outside(Promise.resolve(work()));
    await wait();
    if (device.isOffline || (!isCalm() && random.chance(0.1))) throw new ServerRefusal(0, "network");
    return result;
  }

  return {
    newId: random.uuid,
    clock: { now: () => Date.UTC(2000 + random.below(100), 0), sleep: () => scheduler.wait(tab, true) },
    network: {
      send: (operations, key) =>
        call(
          () => server.batch(device.name, operations, options.withoutKeys ? random.uuid() : key),
          !options.withoutKeys,
        ),
      async *changes(since) {
        const size = 1 + random.below(5);
        for (let token = since; ; ) {
          const page = await call(() => server.page(token, size), true);
          token = page.token;
          yield page;
          if (!page.hasMore) return;
        }
      },
      count: () => call(() => server.live().length, true),
    },
    storage: {
      async load() {
        await wait();
        const data = await device.storage.load();
        await wait();
        return data;
      },
      async commit(version, changes) {
        await wait();
        if (world.isDiskBad && !isCalm() && random.chance(0.05)) throw new Error("QuotaExceededError");
        const kept = options.withoutOutbox
          ? { ...changes, outbox: [], meta: { ...changes.meta, batch: undefined } }
          : changes;
        const isDone = await device.storage.commit(version, kept);
        await wait();
        return isDone;
      },
      clear: () => device.storage.clear(),
      close() {},
    },
    lock(work) {
      device.waitingForLead.push({ tab, work });
      if (!device.leader) passLead(random, device);
    },
    channel: {
      post(message) {
        for (const other of device.listening) {
          if (other === tab || other.isDead) continue;
          other.inbox.push(message);
          void scheduler.wait(other).then(() => {
            const next = other.inbox.shift();
            if (next) other.listener?.(next);
          });
        }
      },
      listen(listener) {
        tab.listener = listener;
        device.listening.push(tab);
      },
      close() {},
    },
  };
}

/** Something that a person does in a tab. */
function act(random: Random, device: Device, history: History): void {
  const tab = random.pick(device.tabs);
  if (!tab) return;
  const { replica, undos } = tab;
  if (undos.length > 0 && random.chance(0.2)) {
    undos.splice(random.below(undos.length), 1)[0]?.();
    return;
  }
  const shown = replica.list();
  const task = shown.length > 0 ? random.pick(shown) : undefined;
  const conflicts = replica.conflicts();
  if (conflicts.length > 0 && random.chance(0.3)) {
    settle(random, device, tab, random.pick(conflicts), history);
    return;
  }
  const trash = history.trash().filter(({ id }) => !replica.get(id));
  if (trash.length > 0 && random.chance(0.08)) {
    const gone = random.pick(trash);
    const restored = replica.restore(gone);
    history.restores(device.name, tab, gone, restored.stored);
    undos.push(() => history.removes(device.name, tab, gone, stored(restored.undo())));
    return;
  }
  if (!task || random.chance(0.3)) {
    const created = replica.create({ title: history.value("title"), description: history.value("description") });
    history.creates(device.name, tab, created.task, created.stored);
    undos.push(() => history.removes(device.name, tab, created.task, stored(created.undo())));
    return;
  }
  if (random.chance(0.15)) {
    const removed = replica.remove(task.id);
    if (!removed) return;
    history.removes(device.name, tab, task, removed.stored);
    const undo = () => history.restores(device.name, tab, task, stored(removed.undo()));
    if (random.chance(0.5)) undo();
    else undos.push(undo);
    return;
  }
  if (random.chance(0.15)) {
    tab.opened = task;
    return;
  }
  const seen = tab.opened ?? task;
  const field = random.pick(FIELDS);
  const value = history.value(field);
  const changes: TaskChanges = { [field]: value };
  const changed = replica.edit(seen.id, changes, tab.opened);
  tab.opened = undefined;
  if (!changed) return;
  history.edits(device.name, tab, seen, field, value, changed.stored);
  const undo = () =>
    history.edits(device.name, tab, { ...seen, [field]: value }, field, seen[field], stored(changed.undo()), true);
  if (random.chance(0.2)) undo();
  else undos.push(undo);
}

/** Settles a conflict, which can be taken back. */
function settle(random: Random, device: Device, tab: Tab, conflict: Conflict, history: History): void {
  const { id, kind, fields, base, mine } = conflict;
  const keepsMine = random.chance(0.5);
  const theirs = tab.replica.get(id);
  if (keepsMine) history.settles(device.name, tab, conflict, theirs);
  else history.letsGo(device.name, id);
  const undo = (undone: Promise<void>) => {
    const seen = theirs ?? mine;
    if (kind === (keepsMine ? "deleted-there" : "deleted-here")) history.removes(device.name, tab, seen, undone);
    else if (kind === "deleted-here") history.restores(device.name, tab, seen, undone);
    else {
      for (const what of FIELDS.filter((name) => name in fields)) {
        const [from, to] = keepsMine ? [fields[what], theirs?.[what]] : [base[what], fields[what]];
        history.edits(device.name, tab, { ...seen, [what]: from }, what, to, undone, keepsMine);
      }
    }
  };
  tab.replica.settle(id, keepsMine).then(
    (choice) => choice && tab.undos.push(() => undo(stored(choice.undo()))),
    () => {},
  );
}

/** Of a tab that has ended, or where nothing was left to take back, nothing is stored. */
function stored(undone: Promise<void> | undefined): Promise<void> {
  return undone ?? Promise.reject(new Error("Nothing was stored."));
}

/** Somebody who calls the API without conditions: who undoes and repeats what others did. */
async function callPlainly(random: Random, server: SimulatedServer, history: History): Promise<void> {
  await server.refresh?.();
  const all = server.all();
  const task = all.length > 0 ? random.pick(all) : undefined;
  if (!task) return;
  const { id } = task;
  if (task.deletedAt !== null) await server.run("caller", { op: "restore", id });
  else if (random.chance(0.25)) await server.run("caller", { op: "delete", id });
  else {
    const field = random.pick(FIELDS);
    const former = server.effects.filter((effect) => effect.id === id && effect.what === field).map(({ to }) => to);
    const value = random.chance(0.5) && former.length > 0 ? random.pick(former) : history.value(field);
    await server.run("caller", { op: "patch", id, task: { [field]: value } as TaskChanges });
  }
}

type History = ReturnType<typeof createHistory>;

/** What people did and saw, and whether the server's record agrees. */
function createHistory(server: SimulatedServer) {
  const deeds: Deed[] = [];
  const kept: { id: string; what: string; value: unknown }[] = [];
  const letGo: { device: string; id: string; at: number }[] = [];
  let values = 0;

  function add(deed: Omit<Deed, "isStored">, stored: Promise<unknown>): void {
    const added = { ...deed, isStored: false };
    deeds.push(added);
    stored.then(
      () => (added.isStored = true),
      () => {},
    );
  }

  return {
    value(field: string): string {
      values += 1;
      return `${field} ${values}`;
    },
    creates(device: string, tab: Tab, task: Task, stored: Promise<void>): void {
      for (const what of FIELDS) add({ device, tab, id: task.id, what, seen: undefined, value: task[what] }, stored);
    },
    edits(
      device: string,
      tab: Tab,
      task: Task,
      what: (typeof FIELDS)[number],
      value: unknown,
      stored: Promise<void>,
      isUndo = false,
    ): void {
      add({ device, tab, id: task.id, what, seen: task[what], value, isUndo }, stored);
    },
    removes(device: string, tab: Tab, task: Task, stored: Promise<void>): void {
      add({ device, tab, id: task.id, what: "deletedAt", seen: null, value: "now" }, stored);
    },
    restores(device: string, tab: Tab, task: Task, stored: Promise<void>): void {
      add({ device, tab, id: task.id, what: "deletedAt", seen: "now", value: null }, stored);
    },
    /** The person sees both values before choosing, so that setting theirs again overwrites nothing silently. */
    settles(device: string, tab: Tab, { id, kind, fields }: Conflict, theirs: Task | undefined): void {
      if (kind === "deleted-there")
        deeds.push({ device, tab, id, what: "deletedAt", seen: "now", value: null, isStored: false });
      if (kind === "deleted-here")
        deeds.push({ device, tab, id, what: "deletedAt", seen: null, value: "now", isStored: false });
      for (const what of FIELDS) {
        if (what in fields)
          deeds.push({ device, tab, id, what, seen: theirs?.[what] ?? null, value: fields[what], isStored: false });
      }
    },
    trash: (): Task[] => server.all().filter(({ deletedAt }) => deletedAt !== null),
    letsGo: (device: string, id: string): void => void letGo.push({ device, id, at: deeds.length }),

    /** Notes what a device still shows to its person. */
    read(replica: Replica): void {
      for (const { id, kind, fields, mine } of replica.conflicts()) {
        for (const what of FIELDS) kept.push({ id, what, value: kind === "deleted-there" ? mine[what] : fields[what] });
        for (const what of FIELDS) if (what in fields) kept.push({ id, what, value: fields[what] });
        if (kind === "deleted-here") kept.push({ id, what: "deletedAt", value: "now" });
      }
      for (const { id, task, fields } of replica.refusals()) {
        for (const what of FIELDS) kept.push({ id, what, value: task[what] }, { id, what, value: fields[what] });
      }
    },

    /**
     * @param mayRepeat a device that cannot store its key may send a change anew; and what the Worker left as it was is not known
     */
    faults: (mayRepeat: boolean): string[] => [
      ...deeds.flatMap(lost),
      ...server.effects.flatMap(overwritten),
      ...(mayRepeat ? [] : doubled()),
    ],
  };

  /** An edit that the device had stored, and that is nowhere. */
  function lost(deed: Deed, at: number): string[] {
    const { device, tab, id, what, value, isStored, isUndo, seen } = deed;
    if (!isStored || what === "deletedAt") return [];
    const isEffect = (to: unknown) => server.effects.some((effect) => effect.what === what && effect.to === to);
    const isThere = isEffect(value);
    // An edit that never took effect is taken back by leaving it out.
    if (isUndo && !isEffect(seen)) return [];
    const isKept = kept.some((each) => each.what === what && each.value === value);
    // Two tabs of a device may store in another order.
    const later = deeds.filter(
      (other, n) => other.device === device && other.id === id && (n > at || other.tab !== tab),
    );
    const isSuperseded = later.some(
      (other) => other.what === what || (other.what === "deletedAt" && other.value === "now"),
    );
    const isLetGo = letGo.some((choice) => choice.device === device && choice.id === id && choice.at > at);
    return isThere || isKept || isSuperseded || isLetGo ? [] : [`lost: ${JSON.stringify({ ...deed, tab: undefined })}`];
  }

  /** A device that overwrote a value which its person had not seen. */
  function overwritten({ by, id, what, from, to }: (typeof server.effects)[number]): string[] {
    if (by === "caller" || from === undefined || from === "" || !FIELDS.includes(what as "title")) return [];
    const mine = deeds.filter((deed) => deed.device === by && deed.id === id && deed.what === what);
    const seen = new Set<unknown>([to]);
    for (let size = 0; size !== seen.size; ) {
      size = seen.size;
      for (const deed of mine) if (seen.has(deed.value)) seen.add(deed.seen);
    }
    // A tab may act before it hears what its person did in another.
    if (mine.some((deed) => deed.seen === from && mine.some((other) => other.tab !== deed.tab))) return [];
    return seen.has(from) ? [] : [`overwritten: ${JSON.stringify({ by, id, what, from, to })}`];
  }

  /** What took effect more often than it was done. */
  function doubled(): string[] {
    const counts = new Map<string, number>();
    const keyOf = (by: string, id: string, what: string, value: unknown) => JSON.stringify([by, id, what, value]);
    for (const { device, id, what, value } of deeds) {
      const key = keyOf(device, id, what, value);
      counts.set(key, (counts.get(key) ?? 0) + 1);
    }
    return server.effects.flatMap(({ by, id, what, to }) => {
      if (by === "caller" || !(FIELDS.includes(what as "title") || what === "deletedAt")) return [];
      const key = keyOf(by, id, what, to);
      // A task that could not be restored any more is created again, once, under another id.
      const isRecreated = !deeds.some((deed) => deed.id === id && deed.seen === undefined) && !counts.has(key);
      const left = (isRecreated ? 1 : (counts.get(key) ?? 0)) - 1;
      counts.set(key, left);
      return left < 0 ? [`twice: ${key}`] : [];
    });
  }
}

const SHOWN = ["title", "description", "completed", "priority", "due", "tags", "revision"] as const;

function isEqual(replica: Replica, server: SimulatedServer): boolean {
  return replica.status().waiting === 0 && stateOf(replica.list()) === stateOf(server.live());
}

function stateOf(tasks: readonly Task[]): string {
  const shown = tasks.map((task) => [task.id, ...SHOWN.map((name) => task[name])]);
  return JSON.stringify(shown.sort(([one], [other]) => (String(one) < String(other) ? -1 : 1)));
}

function differences(device: Device, server: SimulatedServer): string[] {
  return device.tabs.flatMap(({ replica }) =>
    isEqual(replica, server)
      ? []
      : [
          `${device.name} is not equal: ${JSON.stringify(replica.status())} ${differenceOf(replica.list(), server.live())}`,
        ],
  );
}

/** The first task that differs. */
function differenceOf(here: readonly Task[], there: readonly Task[]): string {
  const other = new Set([...there].map((task) => stateOf([task])));
  const mine = new Set([...here].map((task) => stateOf([task])));
  return JSON.stringify({
    here: [...mine].find((task) => !other.has(task)),
    there: [...other].find((task) => !mine.has(task)),
  });
}
