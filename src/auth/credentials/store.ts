/**
 * Changes of credentials, each in one transaction: the password, the address, and the sessions and links that end with
 * them. A transaction writes nothing if the password, the session or the link that allowed it has changed.
 */
import { type SQL, sql } from "drizzle-orm";
import type { BatchItem } from "drizzle-orm/batch";
import type { Database } from "../../db/client.ts";
import { refusalOf, refuse } from "../../db/refusal.ts";
import { rawQuery } from "../../db/workarounds/raw-query.ts";
import { endLink, endLinks, insertLink, requireLink, type UsableLink } from "../mail/one-time-links.ts";
import { insertSession, type SessionRow } from "../session-insert.ts";
import { shareCount } from "../throttling/known-sources.ts";

/** A verified password, by its hash, and the session in which it was verified. */
export type Verified = SessionOwner & { hash: string };

/** A session and its user. */
export type SessionOwner = { userId: string; sessionId: string };

export type CredentialStore = ReturnType<typeof createCredentialStore>;

export function createCredentialStore(db: Database) {
  const write = (query: SQL) => rawQuery(db, query);

  return {
    /**
     * Sets a new password.
     * @param replacement a session that replaces all others; without it, they stay
     * @returns whether the password and the session were still as verified
     */
    changePassword: (verified: Verified, hash: string, replacement?: SessionRow): Promise<boolean> =>
      runGuarded(() =>
        db.batch([
          requireVerified(verified),
          setPassword(verified.userId, hash),
          endLinks(db, verified.userId),
          ...(replacement ? [...endAccess(verified.userId), ...insertSession(db, replacement)] : []),
        ]),
      ),

    /** Sets a password with a link. The link proves the mailbox, so the address is confirmed; sessions and links end. */
    resetPassword: (digest: string, { userId }: UsableLink, hash: string): Promise<boolean> =>
      runGuarded(() =>
        db.batch([
          requireLink(db, digest, "password"),
          setPassword(userId, hash),
          confirmAddress(userId),
          ...endAccess(userId),
          endLinks(db, userId),
        ]),
      ),

    /** Confirms the address, and ends the links that would move the account without asking it. */
    confirmAddress: (digest: string, { userId }: UsableLink): Promise<boolean> =>
      runGuarded(() =>
        db.batch([
          requireLink(db, digest, "verify"),
          write(sql`delete from mailed_link where user_id = ${userId} and purpose = 'arrive'
            and exists (select 1 from user where id = ${userId} and not email_verified)`),
          confirmAddress(userId),
          endLink(db, digest),
        ]),
      ),

    /** Records that the old address agreed to a move: a link to the new address replaces this one. */
    leaveAddress: (
      digest: string,
      { userId, email, newEmail, sessionId }: UsableLink,
      next: string,
    ): Promise<boolean> =>
      runGuarded(async () => {
        const target = { userId, email, newEmail: newEmail ?? "", purpose: "arrive" as const };
        const [, , kept] = await db.batch([
          requireLink(db, digest, "leave"),
          endLink(db, digest),
          insertLink(db, next, { ...target, ...(sessionId && { sessionId }) }),
        ]);
        return kept.length > 0;
      }),

    /**
     * Moves the account to the new address. Fails if another account has it.
     * @param hash of a password that the owner of the new mailbox chose; then all sessions end
     */
    arriveAddress: (digest: string, { userId, newEmail }: UsableLink, hash?: string): Promise<boolean> =>
      runGuarded(() =>
        db.batch([
          requireLink(db, digest, "arrive"),
          write(sql`update user set email = ${newEmail}, email_verified = 1, updated_at = ${Date.now()}
            where id = ${userId}`),
          ...(hash ? [setPassword(userId, hash), ...endAccess(userId)] : []),
          endLinks(db, userId),
        ]),
      ),

    changeProfile: (owner: SessionOwner, { name, image }: { name: string; image: string | null }): Promise<boolean> =>
      runGuarded(() =>
        db.batch([
          requireActiveSession(owner),
          write(sql`update user set name = ${name}, image = ${image}, updated_at = ${Date.now()}
            where id = ${owner.userId}`),
        ]),
      ),

    /**
     * Deletes the user. All rows that refer to the user are deleted with it.
     * @param alsoDelete deletes what refers to the user by another name
     */
    deleteAccount: (verified: Verified, alsoDelete: BatchItem<"sqlite">): Promise<boolean> =>
      runGuarded(() =>
        db.batch([requireVerified(verified), write(sql`delete from user where id = ${verified.userId}`), alsoDelete]),
      ),

    /** Ends one of the user's sessions, and the links that it requested. */
    endSession({ userId, sessionId }: SessionOwner, token: string): Promise<boolean> {
      const isIt = sql`user_id = ${userId} and token = ${token}`;
      return runGuarded(() =>
        db.batch([
          requireActiveSession({ userId, sessionId }),
          write(sql`delete from mailed_link where user_id = ${userId}
            and session_id = (select id from session where ${isIt})`),
          write(sql`delete from session where ${isIt}`),
        ]),
      );
    },

    /** Ends all the user's sessions and links. With `keepsThis`, the session that asks for it stays. */
    endSessions: ({ userId, sessionId }: SessionOwner, keepsThis: boolean): Promise<boolean> =>
      runGuarded(() =>
        db.batch([
          requireActiveSession({ userId, sessionId }),
          endSessions(userId, keepsThis ? sessionId : ""),
          endLinks(db, userId),
        ]),
      ),

    /** Replaces a hash that was just verified by a stronger one. */
    async upgradeHash(userId: string, verified: string, hash: string): Promise<void> {
      await write(sql`update account set password = ${hash} where user_id = ${userId} and password = ${verified}`);
    },
  };

  /** Stops the transaction unless the password is as verified and the session is active. */
  function requireVerified({ userId, sessionId, hash }: Verified) {
    const isPassword = sql`exists (select 1 from account where user_id = ${userId} and provider_id = 'credential'
      and password = ${hash})`;
    const holds = sql`${isPassword} and ${sessionIsActive({ userId, sessionId })}`;
    return write(sql`select case when ${holds} then 1 else ${refuse(sql`'verified'`)} end`);
  }

  /** Stops the transaction unless the session is active. */
  function requireActiveSession(owner: SessionOwner) {
    return write(sql`select case when ${sessionIsActive(owner)} then 1 else ${refuse(sql`'session'`)} end`);
  }

  function sessionIsActive({ userId, sessionId }: SessionOwner): SQL {
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

  /** Ends all sessions, and lets the sources in which they were opened share one count. */
  function endAccess(userId: string) {
    return [endSessions(userId), ...shareCount(db, userId)] as const;
  }

  function endSessions(userId: string, kept = "") {
    return write(sql`delete from session where user_id = ${userId} and id <> ${kept}`);
  }
}

/** Runs a transaction. Returns false if one of its guards stopped it. */
async function runGuarded(transaction: () => Promise<unknown>): Promise<boolean> {
  try {
    return (await transaction()) !== false;
  } catch (error) {
    if (refusalOf(error) === undefined) throw error;
    return false;
  }
}
