/**
 * Changes of credentials, each in one transaction: the password, the address, the sessions and the links that end with
 * them. Nothing that was decided by a password, a session or a link is written once that has changed.
 */
import { type SQL, sql } from "drizzle-orm";
import type { BatchItem } from "drizzle-orm/batch";
import { type Database, rawQuery } from "../../db/client.ts";
import { refusalOf, refuse } from "../../db/refusal.ts";
import { endLink, endLinks, insertLink, requireLink, type UsableLink } from "../mail/links.ts";
import { insertSession, type SessionRow } from "../session-insert.ts";
import { shareCount } from "../throttling/known-sources.ts";

/** A password that was verified, by its hash, and the session that its owner did so in. */
export type Verified = Live & { hash: string };

/** A session, and whose it is. */
export type Live = { userId: string; sessionId: string };

export type CredentialStore = ReturnType<typeof createCredentialStore>;

export function createCredentialStore(db: Database) {
  const write = (query: SQL) => rawQuery(db, query);

  return {
    /**
     * Sets another password.
     * @param replacement opened in place of all sessions that there are; without one they stay
     * @returns whether what was verified still held
     */
    changePassword: (verified: Verified, hash: string, replacement?: SessionRow): Promise<boolean> =>
      holding(() =>
        db.batch([
          requireVerified(verified),
          setPassword(verified.userId, hash),
          endLinks(db, verified.userId),
          ...(replacement ? [...endAccess(verified.userId), ...insertSession(db, replacement)] : []),
        ]),
      ),

    /** Sets a password by a link: whoever has it has the mailbox, so the address is confirmed, and all else ends. */
    resetPassword: (digest: string, { userId }: UsableLink, hash: string): Promise<boolean> =>
      holding(() =>
        db.batch([
          requireLink(db, digest, "password"),
          setPassword(userId, hash),
          confirmAddress(userId),
          ...endAccess(userId),
          endLinks(db, userId),
        ]),
      ),

    /** Confirms the address. Who could move the account without asking there can do so no more. */
    confirmAddress: (digest: string, { userId }: UsableLink): Promise<boolean> =>
      holding(() =>
        db.batch([
          requireLink(db, digest, "verify"),
          write(sql`delete from mailed_link where user_id = ${userId} and purpose = 'arrive'
            and exists (select 1 from user where id = ${userId} and not email_verified)`),
          confirmAddress(userId),
          endLink(db, digest),
        ]),
      ),

    /** Agrees to a change of address at the old one: the link to the new one takes this one's place. */
    leaveAddress: (
      digest: string,
      { userId, email, newEmail, sessionId }: UsableLink,
      next: string,
    ): Promise<boolean> =>
      holding(async () => {
        const target = { userId, email, newEmail: newEmail ?? "", purpose: "arrive" as const };
        const [, , kept] = await db.batch([
          requireLink(db, digest, "leave"),
          endLink(db, digest),
          insertLink(db, next, { ...target, ...(sessionId && { sessionId }) }),
        ]);
        return kept.length > 0;
      }),

    /**
     * Moves the account to the new address. Fails where another account has it.
     * @param hash of a password that whoever has the new mailbox chose: then the sessions of before end
     */
    arriveAddress: (digest: string, { userId, newEmail }: UsableLink, hash?: string): Promise<boolean> =>
      holding(() =>
        db.batch([
          requireLink(db, digest, "arrive"),
          write(sql`update user set email = ${newEmail}, email_verified = 1, updated_at = ${Date.now()}
            where id = ${userId}`),
          ...(hash ? [setPassword(userId, hash), ...endAccess(userId)] : []),
          endLinks(db, userId),
        ]),
      ),

    changeProfile: (live: Live, { name, image }: { name: string; image: string | null }): Promise<boolean> =>
      holding(() =>
        db.batch([
          requireLive(live),
          write(sql`update user set name = ${name}, image = ${image}, updated_at = ${Date.now()}
            where id = ${live.userId}`),
        ]),
      ),

    /**
     * Deletes the account: everything of a user refers to them and goes with them.
     * @param forgetting forgets what refers to them by another name
     */
    deleteAccount: (verified: Verified, forgetting: BatchItem<"sqlite">): Promise<boolean> =>
      holding(() =>
        db.batch([requireVerified(verified), write(sql`delete from user where id = ${verified.userId}`), forgetting]),
      ),

    /** Ends one of the user's sessions, and the links that it asked for. */
    endSession({ userId, sessionId }: Live, token: string): Promise<boolean> {
      const isIt = sql`user_id = ${userId} and token = ${token}`;
      return holding(() =>
        db.batch([
          requireLive({ userId, sessionId }),
          write(sql`delete from mailed_link where user_id = ${userId}
            and session_id = (select id from session where ${isIt})`),
          write(sql`delete from session where ${isIt}`),
        ]),
      );
    },

    /** Ends the user's sessions, however many, and all links; with `isKept`, the session that asks for it stays. */
    endSessions: ({ userId, sessionId }: Live, isKept: boolean): Promise<boolean> =>
      holding(() =>
        db.batch([
          requireLive({ userId, sessionId }),
          endSessions(userId, isKept ? sessionId : ""),
          endLinks(db, userId),
        ]),
      ),

    /** Puts a stronger hash in the place of the one that was just verified. */
    async upgradeHash(userId: string, verified: string, hash: string): Promise<void> {
      await write(sql`update account set password = ${hash} where user_id = ${userId} and password = ${verified}`);
    },
  };

  /** Stops a transaction, unless the password and the session are what they were. */
  function requireVerified({ userId, sessionId, hash }: Verified) {
    const isPassword = sql`exists (select 1 from account where user_id = ${userId} and provider_id = 'credential'
      and password = ${hash})`;
    const holds = sql`${isPassword} and ${isLive({ userId, sessionId })}`;
    return write(sql`select case when ${holds} then 1 else ${refuse(sql`'verified'`)} end`);
  }

  /** Stops a transaction, unless the session is still live: what an ended one asked for is not done. */
  function requireLive(live: Live) {
    return write(sql`select case when ${isLive(live)} then 1 else ${refuse(sql`'session'`)} end`);
  }

  function isLive({ userId, sessionId }: Live): SQL {
    return sql`exists (
      select 1 from session where id = ${sessionId} and user_id = ${userId} and expires_at > ${Date.now()})`;
  }

  function setPassword(userId: string, hash: string) {
    return write(sql`update account set password = ${hash}, updated_at = ${Date.now()}
      where user_id = ${userId} and provider_id = 'credential'`);
  }

  function confirmAddress(userId: string) {
    return write(sql`update user set email_verified = 1, updated_at = ${Date.now()}
      where id = ${userId} and not email_verified`);
  }

  /** Ends what anybody has of the account: its sessions, and what was known of where they were opened. */
  function endAccess(userId: string) {
    return [endSessions(userId), ...shareCount(db, userId)] as const;
  }

  function endSessions(userId: string, kept = "") {
    return write(sql`delete from session where user_id = ${userId} and id <> ${kept}`);
  }
}

/** Runs a transaction, and tells whether what it depends on held. */
async function holding(transaction: () => Promise<unknown>): Promise<boolean> {
  try {
    return (await transaction()) !== false;
  } catch (error) {
    if (refusalOf(error) === undefined) throw error;
    return false;
  }
}
