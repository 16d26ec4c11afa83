/** The network of a replica: the task API, through the client. */
import type { TasksClient } from "../index.ts";
import type { ReplicaNetwork } from "./surroundings.ts";

/**
 * Calls the API under the person's own path. When somebody else is signed in, the server refuses, and nobody's changes
 * reach another's tasks.
 */
export function networkOf(client: TasksClient, userId: string): ReplicaNetwork {
  const own = client.of(userId);
  return {
    send: (operations, idempotencyKey) => own.tasks.batch(operations, { atomic: false, idempotencyKey }),
    changes: (since) => own.tasks.changes(since),
    count: async () => (await own.usage()).tasks.used,
  };
}
