/** Logs a line for each account event: the user's id, the event and its outcome. Never an address. */
import type { BetterAuthOptions, BetterAuthPlugin } from "better-auth";
import { createAuthMiddleware } from "better-auth/api";
import type { Context } from "hono";
import { logEvent } from "../log.ts";
import { ENDPOINTS } from "./endpoints.ts";
import { on } from "./hooks.ts";
import { type RequestNotes, requestNotes } from "./request-notes.ts";

/** Notes the user that a request is about. */
export function accountEvents() {
  return {
    id: "account-events",
    hooks: {
      after: [
        on(
          () => true,
          createAuthMiddleware(async (c) => {
            const userId = c.context.newSession?.user.id ?? c.context.session?.user.id;
            if (userId) requestNotes().userId = userId;
          }),
        ),
      ],
    },
  } satisfies BetterAuthPlugin;
}

/** Notes the user of a session that is deleted: on sign-out, no hook sees the session. */
export const noteEndedSession = {
  delete: {
    after: async ({ userId }) => {
      requestNotes().userId = userId;
    },
  },
} satisfies NonNullable<BetterAuthOptions["databaseHooks"]>["session"];

/** Logs the line, if the request changes something about an account. */
export function logAccountEvent(c: Context, notes: RequestNotes, status: number): void {
  const isEvent = c.req.method === "POST" || c.req.path.endsWith(ENDPOINTS.verifyEmail.path);
  if (!isEvent) return;
  const { userId, outcome = outcomeOf(status) } = notes;
  const event = c.req.path.replace("/api/auth/", "");
  logEvent("info", "account", { requestId: c.get("requestId"), event, outcome, userId });
}

function outcomeOf(status: number): "done" | "throttled" | "refused" | "failed" {
  if (status < 400) return "done";
  if (status === 429) return "throttled";
  return status < 500 ? "refused" : "failed";
}
