/** The copy of the tasks that the pages show, as signals. */
import { computed, signal } from "@preact/signals";
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

let openFor: string | undefined;
const whenWiped = new Set<() => void>();

/** Called when another tab has deleted the copy. */
export function onWiped(listener: () => void): void {
  whenWiped.add(listener);
}

/** Opens somebody's copy; the former person's is closed first, and stays on the device. */
export async function openTasks(client: TasksClient, userId: string): Promise<void> {
  if (openFor === userId && tasks.value) return;
  await closeTasks({ wipes: false });
  openFor = userId;
  const replica = await openReplica(browserSurroundings(client, userId));
  if (openFor !== userId) return replica.close();
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
  openFor = undefined;
  tasks.value = undefined;
  moves.value += 1;
  if (wipes) await replica?.wipe();
  else await replica?.close();
}
