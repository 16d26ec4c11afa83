/**
 * A copy of a person's tasks on their device: local reads and writes, and a loop that keeps it equal to the server's.
 *
 *     const replica = await openReplica(browserSurroundings(client, user.id));
 *     replica.create({ title: "Buy oat milk" });
 */
export { browserSurroundings } from "./browser.ts";
export type { Change } from "./edits.ts";
export {
  InvalidTask,
  MAX_DESCRIPTION_CHARACTERS,
  MAX_TAG_CHARACTERS,
  MAX_TAGS,
  MAX_TITLE_CHARACTERS,
} from "./fields.ts";
export { createIndexedDbStorage } from "./indexed-db.ts";
export type { Conflict, Field, Fields, Refusal } from "./model.ts";
export { networkOf } from "./network.ts";
export { openReplica, type Replica, type ReplicaStatus } from "./replica.ts";
export { createMemoryStorage, type ReplicaStorage } from "./storage.ts";
export type { ReplicaChannel, ReplicaClock, ReplicaLock, ReplicaNetwork, Surroundings } from "./surroundings.ts";
export type { SyncStatus } from "./sync.ts";
export type { Counts, ShownTask, ViewQuery } from "./view.ts";
