/** The copy of the tasks that the pages show, as signals. */
import { batch, computed, signal } from "@preact/signals";
import type { TasksClient } from "../../client/index.ts";
import { browserSurroundings, openReplica, type Replica, type ReplicaStatus } from "../../client/replica/index.ts";

/** Undefined while nobody's tasks are open. */
export const tasks = signal<Replica | undefined>();
/** Moves with each change of the copy; whoever reads the copy in a computed value reads this first. */
export const moves = signal(0);

export const status = computed<ReplicaStatus | undefined>(() => {
  moves.value;
  return tasks.value?.status();
});

/** Whether the browser says that there is a network. */
export const isOnline = signal(navigator.onLine);

type Opening = { userId: string; opened: Promise<void> };
/** Whose copy is open, or is being opened. */
const current = signal<Opening | undefined>();
/** Whether somebody's copy is open, or is being opened. */
export const isOpen = computed(() => current.value !== undefined);

/** The calls of the person whose copy is open. They are refused once somebody else is signed in. */
export function callsOf(client: TasksClient) {
  return client.of(current.value?.userId ?? "");
}

const whenWiped = new Set<() => void>();

/** Called when another tab has deleted the copy. */
export function onWiped(listener: () => void): void {
  whenWiped.add(listener);
}

/** Opens somebody's copy; the former person's is closed first, and stays on the device. */
export function openTasks(client: TasksClient, userId: string): Promise<void> {
  if (current.value?.userId === userId) return current.value.opened;
  const former = tasks.value;
  const opening: Opening = { userId, opened: Promise.resolve() };
  batch(() => {
    current.value = opening;
    tasks.value = undefined;
    moves.value += 1;
  });
  opening.opened = Promise.resolve(former?.close()).then(() => open(client, opening));
  return opening.opened;
}

async function open(client: TasksClient, opening: Opening): Promise<void> {
  const replica = await openReplica(browserSurroundings(client, opening.userId));
  if (current.value !== opening) return replica.close();
  let isTold = false;
  replica.subscribe(() => {
    if (isTold) return;
    isTold = true;
    // One commit tells of several changes.
    queueMicrotask(() => {
      isTold = false;
      moves.value += 1;
      if (tasks.value === replica && replica.isWiped()) for (const listener of whenWiped) listener();
    });
  });
  tasks.value = replica;
  moves.value += 1;
}

/** Deletes somebody's copy that is not open. */
export async function deleteCopy(client: TasksClient, userId: string): Promise<void> {
  const { storage, channel } = browserSurroundings(client, userId);
  await storage.clear();
  channel.post({ type: "wiped" });
  storage.close();
  channel.close();
}

/** @param wipes whether the copy is deleted from the device, with what waits */
export async function closeTasks({ wipes }: { wipes: boolean }): Promise<void> {
  const replica = tasks.value;
  batch(() => {
    current.value = undefined;
    tasks.value = undefined;
    moves.value += 1;
  });
  if (wipes) await replica?.wipe();
  else await replica?.close();
}
