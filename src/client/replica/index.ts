/**
 * A copy of a person's tasks on their device: local reads and writes, and a loop that keeps it equal to the server's.
 *
 *     const replica = await openReplica(browserSurroundings(client, user.id));
 *     replica.create({ title: "Buy oat milk" });
 */
export { InvalidTask } from "./fields.ts";
export type { Conflict, Field, Fields, Refusal } from "./model.ts";
export { type Change, openReplica, type Replica, type ReplicaStatus } from "./replica.ts";
export { createMemoryStorage, type ReplicaStorage } from "./storage.ts";
export type { ReplicaChannel, ReplicaClock, ReplicaLock, ReplicaNetwork, Surroundings } from "./surroundings.ts";
export type { SyncStatus } from "./sync.ts";
export type { Counts, ShownTask, ViewQuery } from "./view.ts";
