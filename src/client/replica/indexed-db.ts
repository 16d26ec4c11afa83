/** Keeps a replica in IndexedDB: one database a person, one transaction a commit. */
import { type DBSchema, type IDBPDatabase, type IDBPTransaction, openDB } from "idb";
import type { Task } from "../types.ts";
import { type Changes, type Conflict, type Entry, emptyData, type Meta, type Refusal, wipedData } from "./model.ts";
import type { ReplicaStorage } from "./storage.ts";

type Schema = DBSchema & {
  tasks: { key: string; value: Task };
  outbox: { key: number; value: Entry };
  conflicts: { key: string; value: Conflict };
  refusals: { key: string; value: Refusal };
  meta: { key: "meta"; value: Meta };
};

const TABLES = ["tasks", "outbox", "conflicts", "refusals"] as const;
const ALL: ((typeof TABLES)[number] | "meta")[] = [...TABLES, "meta"];
const KEY_PATHS = { tasks: "id", outbox: "seq", conflicts: "id", refusals: "key" } as const;

/** @param name the database's, which holds one person's copy */
export function createIndexedDbStorage(name: string): ReplicaStorage {
  let opening: Promise<IDBPDatabase<Schema>> | undefined;

  return {
    async load() {
      const transaction = (await open()).transaction(ALL, "readonly");
      const [meta, tasks, outbox, conflicts, refusals] = await Promise.all([
        transaction.objectStore("meta").get("meta"),
        transaction.objectStore("tasks").getAll(),
        transaction.objectStore("outbox").getAll(),
        transaction.objectStore("conflicts").getAll(),
        transaction.objectStore("refusals").getAll(),
      ]);
      return {
        tasks: new Map(tasks.map((task) => [task.id, task])),
        outbox: new Map(outbox.map((entry) => [entry.seq, entry])),
        conflicts: new Map(conflicts.map((conflict) => [conflict.id, conflict])),
        refusals: new Map(refusals.map((refusal) => [refusal.key, refusal])),
        meta: meta ?? emptyData().meta,
      };
    },

    async commit(version, changes) {
      const transaction = (await open()).transaction(ALL, "readwrite", { durability: "strict" });
      const stored = (await transaction.objectStore("meta").get("meta")) ?? emptyData().meta;
      if (stored.version !== version) {
        transaction.abort();
        await transaction.done.catch(() => {});
        return false;
      }
      await Promise.all([...writes(transaction, changes), transaction.done]);
      return true;
    },

    async clear() {
      const transaction = (await open()).transaction(ALL, "readwrite");
      const meta = (await transaction.objectStore("meta").get("meta")) ?? emptyData().meta;
      await Promise.all([
        ...TABLES.map((table) => transaction.objectStore(table).clear()),
        transaction.objectStore("meta").put(wipedData({ ...emptyData(), meta }).meta, "meta"),
        transaction.done,
      ]);
    },

    close() {
      opening?.then((database) => database.close()).catch(() => {});
      opening = undefined;
    },
  };

  /** Opens the database, and again after the browser has closed it. */
  function open(): Promise<IDBPDatabase<Schema>> {
    opening ??= openDB<Schema>(name, 1, {
      upgrade(database) {
        for (const table of TABLES) database.createObjectStore(table, { keyPath: KEY_PATHS[table] });
        database.createObjectStore("meta");
      },
      blocking: (_current, _blocked, event) => (event.target as IDBDatabase).close(),
      terminated() {
        opening = undefined;
      },
    }).catch((error) => {
      opening = undefined;
      throw error;
    });
    return opening;
  }
}

type Writing = IDBPTransaction<Schema, (typeof ALL)[number][], "readwrite">;

/** The writes of a commit, all in its transaction. */
function writes(transaction: Writing, changes: Changes): Promise<unknown>[] {
  const [tasks, outbox] = [transaction.objectStore("tasks"), transaction.objectStore("outbox")];
  const [conflicts, refusals] = [transaction.objectStore("conflicts"), transaction.objectStore("refusals")];
  return [
    ...changes.tasks.map(([key, value]) => (value ? tasks.put(value) : tasks.delete(key))),
    ...changes.outbox.map(([key, value]) => (value ? outbox.put(value) : outbox.delete(key))),
    ...changes.conflicts.map(([key, value]) => (value ? conflicts.put(value) : conflicts.delete(key))),
    ...changes.refusals.map(([key, value]) => (value ? refusals.put(value) : refusals.delete(key))),
    transaction.objectStore("meta").put(changes.meta, "meta"),
  ];
}
