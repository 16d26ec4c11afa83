/** Where a replica is kept. */
import { applyChanges, type Changes, type Data, emptyData, wipedData } from "./model.ts";

export type ReplicaStorage = {
  /** Everything that is stored. An empty storage has the version 0. */
  load(): Promise<Data>;
  /**
   * Stores a commit as a whole or not at all, if nobody has stored another since.
   * @param version the version that the commit was made on
   * @returns false if the stored version is another
   */
  commit(version: number, changes: Changes): Promise<boolean>;
  /** Deletes everything, and leaves the mark `isWiped`. */
  clear(): Promise<void>;
  close(): void;
};

/** A storage that ends with the page. Several replicas may share one. */
export function createMemoryStorage(): ReplicaStorage {
  let data = emptyData();
  return {
    load: async () => structuredCopy(data),
    async commit(version, changes) {
      if (data.meta.version !== version) return false;
      applyChanges(data, changes);
      return true;
    },
    async clear() {
      data = wipedData(data);
    },
    close() {},
  };
}

/** Tables of its own; their values are never changed in place. */
function structuredCopy({ tasks, outbox, conflicts, refusals, meta }: Data): Data {
  return {
    tasks: new Map(tasks),
    outbox: new Map(outbox),
    conflicts: new Map(conflicts),
    refusals: new Map(refusals),
    meta,
  };
}
