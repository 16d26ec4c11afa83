/** The line that each event of an account leaves in the log: whose, which, and with which outcome. Never an address. */
import type { BetterAuthOptions, BetterAuthPlugin } from "better-auth";
import { createAuthMiddleware } from "better-auth/api";
import type { Context } from "hono";
import { logEvent } from "../http/request-log.ts";
import { type RequestNotes, requestNotes } from "./request-notes.ts";

/** Notes whose account a request is about. */
export function accountEvents() {
  return {
    id: "account-events",
    hooks: {
      after: [
        {
          matcher: () => true,
          handler: createAuthMiddleware(async (c) => {
            const userId = c.context.newSession?.user.id ?? c.context.session?.user.id;
            if (userId) requestNotes().userId = userId;
          }),
        },
      ],
    },
  } satisfies BetterAuthPlugin;
}

/** Signing out reads the session that it ends itself. */
export const notingEndedSessions = {
  delete: {
    after: async ({ userId }) => {
      requestNotes().userId = userId;
    },
  },
} satisfies NonNullable<BetterAuthOptions["databaseHooks"]>["session"];

/** Writes the line, if the request was one that does something to an account. */
export function logAccountEvent(c: Context, notes: RequestNotes, status: number): void {
  const isEvent = c.req.method === "POST" || c.req.path.endsWith("/verify-email");
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
