/** Deletes an account: every row of the user in every table, in one transaction. */

import type { BetterAuthPlugin } from "better-auth";
import { APIError, createAuthMiddleware } from "better-auth/api";
import { eq } from "drizzle-orm";
import type { Database } from "../db/client.ts";
import { user as users, verification } from "./tables.ts";
import type { AccountThrottle } from "./throttling/account.ts";

/** Ends every link that was mailed to a user. */
export async function endLinks(db: Database, userId: string): Promise<void> {
  await db.delete(verification).where(eq(verification.value, userId));
}

/** Everything that belongs to a user refers to them and goes with them; links in mails do not. */
export async function eraseUser(db: Database, throttle: AccountThrottle, user: { id: string; email: string }) {
  await throttle.forget(user.email);
  await db.batch([
    db.delete(verification).where(eq(verification.value, user.id)),
    db.delete(users).where(eq(users.id, user.id)),
  ]);
}

/** Better Auth would take a young session for a password. */
export function deletionPolicy() {
  return {
    id: "deletion-policy",
    hooks: {
      before: [
        {
          matcher: ({ path }) => path === "/delete-user",
          handler: createAuthMiddleware(async (c) => {
            if (typeof c.body?.password === "string" && c.body.password !== "") return;
            throw new APIError("BAD_REQUEST", { code: "PASSWORD_REQUIRED", message: "Deleting needs the password" });
          }),
        },
      ],
    },
  } satisfies BetterAuthPlugin;
}
