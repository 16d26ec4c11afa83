/** The part of the task API that a replica uses, in memory, with a record of every effect. */
import type { Change, Operation, OperationResult, Task } from "../../../src/client/types.ts";
import type { Random } from "./scheduler.ts";

/** What a write did to a field of a task. `by` is the device. */
export type Effect = { by: string; id: string; what: string; from: unknown; to: unknown };

export class ServerRefusal extends Error {
  readonly status: number;
  readonly code: string;
  readonly retryAfterSeconds: number;
  constructor(status: number, code: string, retryAfterSeconds = 0) {
    super(code);
    this.status = status;
    this.code = code;
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

export type ModelServer = ReturnType<typeof createModelServer>;

/** @param quota how many tasks there may be */
export function createModelServer(random: Random, quota: number) {
  const tasks = new Map<string, Task>();
  const keys = new Map<string, { body: string; results: OperationResult[] }>();
  const effects: Effect[] = [];
  let revision = 0;
  /** Tokens of former epochs are too old. */
  let epoch = 0;
  const now = () => new Date(Date.UTC(2026, 5) + revision).toISOString();

  return {
    effects,
    live: (): Task[] => [...tasks.values()].filter(({ deletedAt }) => deletedAt === null),
    all: (): Task[] => [...tasks.values()],
    get: (id: string): Task | undefined => tasks.get(id),
    expireTokens(): void {
      epoch += 1;
    },
    token: () => `${epoch} ${revision}`,

    batch(by: string, operations: Operation[], key: string): OperationResult[] {
      const body = JSON.stringify(operations);
      const known = keys.get(key);
      if (known && known.body !== body) throw new ServerRefusal(422, "idempotency_key_reused");
      if (known)
        return known.results.map((result) => ({ ...result, task: result.task && (tasks.get(result.id) ?? null) }));
      const before = revision;
      const results = operations.map((operation) => run(by, operation));
      // As in the API: a key under which nothing changed is not kept.
      if (revision !== before) keys.set(key, { body, results });
      return results;
    },

    /** One operation of a plain caller. */
    run,

    page(since: string | undefined, size: number): { changes: Change[]; token: string; hasMore: boolean } {
      const [of = epoch, from = 0] = since?.split(" ").map(Number) ?? [];
      if (of !== epoch) throw new ServerRefusal(410, "changes_expired");
      const newer = [...tasks.values()].filter((task) => task.revision > from).sort((a, b) => a.revision - b.revision);
      const changes = newer.slice(0, size).map((task) => ({
        ...{ id: task.id, revision: task.revision, deleted: task.deletedAt !== null },
        task: task.deletedAt === null ? task : null,
      }));
      return { changes, token: `${epoch} ${changes.at(-1)?.revision ?? from}`, hasMore: newer.length > size };
    },
  };

  function run(by: string, operation: Operation): OperationResult {
    const { op } = operation;
    if (op === "create") return create(by, operation.id ?? random.uuid(), operation.task);
    const { id, ifMatch } = operation;
    const task = tasks.get(id);
    if (!task || (op !== "restore" && task.deletedAt !== null)) return refused(op, id, 404, "not_found");
    if (ifMatch !== undefined && ifMatch !== `"${task.revision}"`) {
      return { ...refused(op, id, 412, "precondition_failed"), revision: task.revision };
    }
    if (op === "delete") return { ...changed(by, op, task, { deletedAt: "now" }), status: 204, task: null };
    if (op === "restore") return changed(by, op, task, { deletedAt: null });
    if (op === "complete") return changed(by, op, task, { completed: operation.completed });
    return changed(by, op, task, operation.task);
  }

  function create(by: string, id: string, fields: Partial<Task>): OperationResult {
    const known = tasks.get(id);
    const wanted: Task = { ...EMPTY, ...fields, id, createdAt: now(), updatedAt: now() };
    if (known) {
      const isSame = known.deletedAt === null && NAMES.every((name) => same(known[name], wanted[name]));
      return isSame ? { op: "create", id, status: 201, task: known } : refused("create", id, 409, "id_taken");
    }
    if ([...tasks.values()].filter(({ deletedAt }) => deletedAt === null).length >= quota) {
      return refused("create", id, 403, "quota_exceeded");
    }
    effects.push({ by, id, what: "create", from: undefined, to: id });
    for (const name of NAMES) effects.push({ by, id, what: name, from: undefined, to: wanted[name] });
    return store("create", wanted, 201);
  }

  function changed(by: string, op: string, task: Task, changes: Partial<Task>): OperationResult {
    const different = Object.entries(changes).filter(([name, value]) => !same(task[name as keyof Task], value));
    if (different.length === 0) return { op, id: task.id, status: 200, task };
    for (const [name, to] of different)
      effects.push({ by, id: task.id, what: name, from: task[name as keyof Task], to });
    return store(op, { ...task, ...changes }, 200);
  }

  function store(op: string, task: Task, status: number): OperationResult {
    revision += 1;
    const stored = { ...task, revision };
    tasks.set(task.id, stored);
    return { op, id: task.id, status, task: stored };
  }
}

const NAMES = ["title", "description", "completed", "priority", "due", "tags"] as const;
const EMPTY: Task = {
  ...{ id: "", title: "", description: null, completed: false, completedAt: null, priority: "none", due: null },
  ...{ tags: [], createdAt: "", updatedAt: "", deletedAt: null, revision: 0 },
};

function refused(op: string, id: string, status: number, code: OperationResult["code"] & string): OperationResult {
  return { op, id, status, code, task: null };
}

function same(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}
