/** What the repository returns to HTTP: expected outcomes are values, and only failures are thrown. */
import type { ExceededQuota } from "../http/problem-details.ts";
import type { ChangePage, Task, TaskPage } from "./model.ts";

/** A caller's name for a request, and a digest of the request's body. */
export type IdempotencyKey = { key: string; digest: string };

/** A change that would exceed a quota: nothing was written. */
export type OverQuota = { outcome: "over-quota"; quota: ExceededQuota };

/** `revision` is the newest of all the user's tasks; a first page carries it for its ETag. */
export type ListResult =
  | { outcome: "page"; page: TaskPage; revision?: number }
  | { outcome: "unchanged"; revision: number }
  | { outcome: "foreign-cursor" };

export type ChangesResult =
  | { outcome: "page"; page: ChangePage }
  | { outcome: "foreign-token" }
  | { outcome: "expired-token" };

/** A task that already was as wanted is `done` too: nothing was written then. */
export type WriteResult =
  | { outcome: "done"; task: Task }
  | { outcome: "absent" }
  | { outcome: "stale"; revision: number }
  | OverQuota;

/**
 * `replayed`: the key, or the same creation with the same id, made this task before.
 * `id-taken`: a task with other contents, or a deleted one, has this id.
 * `erased`: the key created a task whose contents were erased since.
 */
export type CreateResult =
  | { outcome: "created" | "replayed"; task: Task }
  | { outcome: "key-reused" }
  | { outcome: "id-taken" }
  | { outcome: "erased" }
  | OverQuota;

/** Why an operation was refused, and the fact that belongs to the reason. */
export type Refusal =
  | { outcome: "absent" | "id-taken" }
  | { outcome: "stale"; revision: number }
  | { outcome: "over-quota"; quota: ExceededQuota["name"] };

/** The result of one operation of a batch. */
export type OperationResult = { id: string; task: Task | undefined } & (Refusal | { outcome: "done" });

/** `refused` names the operation because of which the whole batch was not run. */
export type BatchResult =
  | { outcome: "done"; results: OperationResult[]; replayed: boolean }
  | { outcome: "refused"; index: number; refusal: Exclude<Refusal, { outcome: "over-quota" }> | OverQuota }
  | { outcome: "key-reused" };

/** `ids` are those of the tasks that this import created. */
export type ImportResult = { outcome: "imported"; ids: Set<string> } | OverQuota;
