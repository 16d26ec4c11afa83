/**
 * Links in mails. Better Auth's verification links are signed and good for as many uses as their time allows; here each
 * is remembered when it is sent and taken out of the table by the use of it, so that of any number one succeeds.
 */
import type { BetterAuthPlugin } from "better-auth";
import { createAuthMiddleware } from "better-auth/api";
import { and, eq, gt } from "drizzle-orm";
import { jwtVerify, SignJWT } from "jose";
import { uuidv7 } from "uuidv7";
import type { Keys } from "../../access/keys.ts";
import type { Database } from "../../db/client.ts";
import { verification } from "../tables.ts";

export const VERIFICATION_MINUTES = 60;
export const PASSWORD_RESET_MINUTES = 15;
/** Stands in for a token that may not be used again. */
const USED_UP = "used-up";

export type OneTimeLinks = ReturnType<typeof createOneTimeLinks>;

export function createOneTimeLinks(db: Database, keys: Keys) {
  const [newest] = keys;

  return {
    /** Remembers a verification link that is about to be sent to a user. */
    async remember(token: string, userId: string): Promise<void> {
      const expiresAt = new Date(Date.now() + VERIFICATION_MINUTES * 60_000);
      await db
        .insert(verification)
        .values({ id: uuidv7(), identifier: await nameLink(token), value: userId, expiresAt });
    },

    /** Lets a verification link through once, whichever accepted secret it was signed with. */
    plugin: {
      id: "one-time-links",
      hooks: {
        before: [
          {
            matcher: ({ path }) => path === "/verify-email",
            handler: createAuthMiddleware(async (c) => {
              const token: unknown = c.query?.["token"];
              if (typeof token !== "string") return;
              const resigned = await resign(token, keys);
              // What no accepted secret signed, Better Auth refuses in its own words.
              if (resigned === undefined) return;
              const once = (await take(token)) ? resigned : USED_UP;
              return { context: { query: { ...c.query, token: once } } };
            }),
          },
        ],
      },
    } satisfies BetterAuthPlugin,
  };

  async function take(token: string): Promise<boolean> {
    const isLive = and(eq(verification.identifier, await nameLink(token)), gt(verification.expiresAt, new Date()));
    const taken = await db.delete(verification).where(isLive).returning({ id: verification.id });
    return taken.length > 0;
  }

  /** The token signed with the newest secret, which is the one that Better Auth verifies with. */
  async function resign(token: string, accepted: Keys): Promise<string | undefined> {
    for (const { secret } of accepted) {
      const verified = await jwtVerify(token, encode(secret), { algorithms: ["HS256"] }).catch(() => undefined);
      if (verified && secret === newest.secret) return token;
      if (verified)
        return new SignJWT(verified.payload).setProtectedHeader({ alg: "HS256" }).sign(encode(newest.secret));
    }
    return undefined;
  }
}

/** A link is remembered by its digest: who reads the table cannot use it. */
async function nameLink(token: string): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", encode(token));
  return `verify-email:${Buffer.from(digest).toString("base64url")}`;
}

function encode(text: string) {
  return new TextEncoder().encode(text);
}
