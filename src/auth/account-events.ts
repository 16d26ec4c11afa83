/** Notes whose account a request is about, for the line that it leaves in the log. */
import type { BetterAuthOptions, BetterAuthPlugin } from "better-auth";
import { createAuthMiddleware } from "better-auth/api";
import { requestNotes } from "./request-notes.ts";

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
