/**
 * How often one account's password may be tried, wherever the tries come from. After a few each further try has to
 * wait, twice as long every time, up to a quarter of an hour: guessing becomes hopeless and nobody is locked out.
 *
 * An address from which the account was signed in to before is counted by itself, so that whoever guesses from
 * elsewhere does not make the owner wait. Unknown accounts are counted like known ones. A try is counted before the
 * password is looked at, in one statement, so that no number of parallel tries passes.
 */
import { and, eq, lte, type SQL, sql } from "drizzle-orm";
import { base64url } from "jose";
import type { Database } from "../../db/client.ts";
import { accountThrottle } from "./tables.ts";

export const FREE_TRIES = 5;
const LONGEST_WAIT_MS = 15 * 60 * 1000;
const FORGOTTEN_AFTER_MS = 24 * 60 * 60 * 1000;

/** All addresses from which the account was never signed in to. */
const UNKNOWN_ADDRESS = "unknown";
/** Mails that strangers can have sent to the account. */
const MAIL = "mail";

export type Claim = { ok: true } | { ok: false; retryAfterSeconds: number };

export type AccountThrottle = ReturnType<typeof createAccountThrottle>;

/** @param key names accounts by a keyed hash: an address is personal, and stays out of this table */
export function createAccountThrottle(db: Database, key: CryptoKey) {
  return {
    /** Claims a try at an account's password. */
    async claimTry(email: string, address: string): Promise<Claim> {
      const account = await nameAccount(key, email);
      return claim(account, scopeOf(account, address));
    },

    /** Claims a mail to an account that somebody asked for without being signed in. */
    async claimMail(email: string): Promise<Claim> {
      return claim(await nameAccount(key, email), sql`${MAIL}`);
    },

    /** Forgets the tries, and knows the address from now on. */
    async succeed(email: string, address: string): Promise<void> {
      const account = await nameAccount(key, email);
      const now = Date.now();
      const forgetTries = db
        .update(accountThrottle)
        .set({ tries: 0, blockedUntil: 0, lastTryAt: now })
        .where(and(eq(accountThrottle.account, account), eq(accountThrottle.scope, scopeOf(account, address))));
      const knowAddress = db
        .insert(accountThrottle)
        .values({ account, scope: address, tries: 0, blockedUntil: 0, lastTryAt: now })
        .onConflictDoNothing();
      await (address === "" ? forgetTries : db.batch([forgetTries, knowAddress]));
    },

    /** Forgets all about an account. */
    async forget(email: string): Promise<void> {
      await db.delete(accountThrottle).where(eq(accountThrottle.account, await nameAccount(key, email)));
    },
  };

  async function claim(account: string, scope: SQL): Promise<Claim> {
    const now = Date.now();
    const tries = sql`iif(${accountThrottle.lastTryAt} <= ${now - FORGOTTEN_AFTER_MS}, 1, ${accountThrottle.tries} + 1)`;
    const wait = sql`min(${LONGEST_WAIT_MS}, 1000 << min(${tries} - ${FREE_TRIES}, 20))`;
    const [claimed, waiting] = await db.batch([
      db
        .insert(accountThrottle)
        .values({ account, scope, tries: 1, blockedUntil: 0, lastTryAt: now })
        .onConflictDoUpdate({
          target: [accountThrottle.account, accountThrottle.scope],
          set: { tries, blockedUntil: sql`${now} + iif(${tries} < ${FREE_TRIES}, 0, ${wait})`, lastTryAt: now },
          setWhere: lte(accountThrottle.blockedUntil, now),
        })
        .returning({ scope: accountThrottle.scope }),
      db
        .select({ until: accountThrottle.blockedUntil })
        .from(accountThrottle)
        .where(and(eq(accountThrottle.account, account), eq(accountThrottle.scope, scope))),
    ]);
    if (claimed.length > 0) return { ok: true };
    return { ok: false, retryAfterSeconds: Math.max(1, Math.ceil(((waiting[0]?.until ?? now) - now) / 1000)) };
  }
}

/** The address itself once it is known to the account, else what it shares with all unknown ones. */
function scopeOf(account: string, address: string): SQL {
  const known = sql`select known.scope from ${accountThrottle} as known where known.account = ${account} and known.scope = ${address}`;
  return sql`coalesce((${known}), ${UNKNOWN_ADDRESS})`;
}

async function nameAccount(key: CryptoKey, email: string): Promise<string> {
  const name = await crypto.subtle.sign("HMAC", key, new TextEncoder().encode(email.toLowerCase()));
  return base64url.encode(new Uint8Array(name));
}
