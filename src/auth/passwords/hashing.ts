/** Puts the password hasher where Better Auth hashes, and stronger parameters in place of older ones at a sign-in. */
import type { BetterAuthPlugin } from "better-auth";
import { createAuthMiddleware } from "better-auth/api";
import type { CredentialStore } from "../credentials/store.ts";
import { requestNotes } from "../request-notes.ts";
import { isOutdated } from "./hash.ts";
import { nearbyHasher } from "./hasher.ts";

/** The hasher is out of reach or overloaded. */
export class PasswordHasherTrouble extends Error {
  override readonly name = "PasswordHasherTrouble";
}

export function passwords(hashers: Env["PASSWORD_HASHER"], store: CredentialStore) {
  const hash = (password: string) => noteTrouble(() => nearbyHasher(hashers, requestNotes().place).hash(password));

  async function verify({ hash: stored, password }: { hash: string; password: string }): Promise<boolean> {
    const against = (hashed: string) =>
      noteTrouble(() => nearbyHasher(hashers, requestNotes().place).verify(hashed, password));
    const verified = await against(stored);
    if (verified) Object.assign(requestNotes(), { verifiedHash: stored, verifyAgain: against });
    return verified;
  }

  const upgrade = {
    id: "password-upgrade",
    hooks: {
      after: [
        {
          matcher: ({ path }) => path === "/sign-in/email",
          handler: createAuthMiddleware(async (c) => {
            const user = c.context.newSession?.user;
            const { verifiedHash } = requestNotes();
            if (!user || !verifiedHash || !isOutdated(verifiedHash)) return;
            await store.upgradeHash(user.id, verifiedHash, await hash(c.body.password));
          }),
        },
      ],
    },
  } satisfies BetterAuthPlugin;

  return { hash, verify, upgrade };
}

async function noteTrouble<Result>(work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    const trouble = new PasswordHasherTrouble("password hasher", { cause: error });
    requestNotes().trouble = trouble;
    throw trouble;
  }
}
