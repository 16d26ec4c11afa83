/** What a replica is given: the network, the clock, the lock and the channel. The core touches nothing else of its platform. */
import type { Operation, OperationResult } from "../types.ts";
import type { Changes } from "./model.ts";
import type { Page } from "./pull.ts";
import type { ReplicaStorage } from "./storage.ts";
import type { SyncStatus } from "./sync.ts";

export type ReplicaNetwork = {
  /** Runs independent operations under a key: the same key again returns the same results. */
  send(operations: Operation[], key: string): Promise<OperationResult[]>;
  /** The pages of the change feed since a token, up to now. */
  changes(since: string | undefined): AsyncIterable<Page>;
  /** How many tasks the server has. */
  count(): Promise<number>;
};

export type ReplicaClock = {
  /** Unix milliseconds. Only shown to the person: nothing is decided by it. */
  now(): number;
  sleep(ms: number): Promise<void>;
  /** Resolves when somebody looks: a copy that nobody looks at need not be fresh. */
  untilLookedAt?(): Promise<void>;
};

/** Runs `work` while no other tab does; one tab at a time leads. */
export type ReplicaLock = (work: () => Promise<void>) => void;

/** What tabs tell each other. */
export type Message =
  | { type: "commit"; version: number; changes: Changes }
  | { type: "sync" }
  | { type: "status"; version: number; status: SyncStatus }
  | { type: "wiped" };

export type ReplicaChannel = {
  post(message: Message): void;
  listen(listener: (message: Message) => void): void;
  close(): void;
};

export type Surroundings = {
  storage: ReplicaStorage;
  network: ReplicaNetwork;
  clock: ReplicaClock;
  lock: ReplicaLock;
  channel: ReplicaChannel;
  /** Makes ids of tasks and keys of batches: UUIDs. */
  newId: () => string;
};
