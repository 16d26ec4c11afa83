/**
 * Limits attempts at an account's password, and mails to its address. An attempt is counted before the password is checked,
 * in one transaction, so that parallel attempts are counted too. A refused attempt writes nothing.
 *
 * - A device or address that the account was signed in from has a count of its own: strangers cannot use it up.
 * - All others are counted by network and slowed there. Together they have an hourly budget.
 * - A network's first attempts of a day do not depend on that budget: the owner gets in from a network that nobody guesses
 *   from. Of IPv6, only the first networks of a provider have them.
 *
 * Addresses without an account are counted alike.
 */
import { type SQL, sql } from "drizzle-orm";
import type { Database } from "../../db/client.ts";
import { rawQuery } from "../../db/workarounds/raw-query.ts";
import { DAY_MS, HOUR_MS, MINUTE_MS } from "../../time.ts";
import {
  blockedAfter,
  type CountResult,
  countOnce,
  deleteExpired,
  endOf,
  nameAccount,
  secondsUntil,
  type Waits,
} from "./counts.ts";
import { countOf, isKnownSource, openCountOf, rememberSource } from "./known-sources.ts";
import type { Source } from "./source.ts";

/** Attempts without a wait. */
export const FREE_ATTEMPTS = 5;
/** A network's attempts in a day that do not depend on the hourly budget. */
export const FIRST_ATTEMPTS = 2;
/** Attempts in an hour of all unknown networks together (NIST SP 800-63B allows 100 in a row). */
export const ATTEMPTS_PER_HOUR = 100;
const WAITS_FOR_ATTEMPTS: Waits = { free: FREE_ATTEMPTS, firstMs: 1000, longestMs: 15 * MINUTE_MS };

/** Mails without a wait. The newest link is still valid when the next one can be sent. */
export const FREE_MAILS = 5;
export const LONGEST_MAIL_WAIT_MS = 20 * MINUTE_MS;
const WAITS_FOR_MAILS: Waits = { free: FREE_MAILS, firstMs: MINUTE_MS, longestMs: LONGEST_MAIL_WAIT_MS };

/** The source that stands for all networks together. */
const ALL_NETWORKS = "*";
/** Networks of one provider (32 bits of IPv6) that have first attempts in a day. A provider has 65,536. */
const NETWORKS_OF_A_PROVIDER = 10;

/** For a change of address, `leave` goes to the old address and `arrive` to the new one. */
export type MailKind = "reset" | "verification" | "leave" | "arrive" | "existing-account" | "notice";

/** Mails that give nobody access: one count for each mailbox, whoever asks. */
const COUNTED_TOGETHER: readonly MailKind[] = ["leave", "arrive", "notice"];

/** `userId` is that of the account, if there is one. */
export type AttemptResult = CountResult & { userId?: string };

export type Throttle = ReturnType<typeof createThrottle>;

/** @param key hashes addresses: they are personal, and stay out of this table */
export function createThrottle(db: Database, key: CryptoKey) {
  const write = (query: SQL) => rawQuery<{ n: number }>(db, query);

  return {
    /** Counts an attempt to sign in. 2 rows written at most, and those that it deletes. */
    async countSignIn(email: string, source: Source): Promise<AttemptResult> {
      const { network } = source;
      const now = Date.now();
      const [hour, day] = [endOf(now, HOUR_MS), endOf(now, DAY_MS)];
      const account = await nameAccount(key, email);
      const attempt = crypto.randomUUID();
      const userId = sql`(select id from user where email = ${email.toLowerCase()})`;
      const known = openCountOf(userId, source, now);
      const of = (endsAt: number, counted: string) =>
        sql`ends_at = ${endsAt} and account = ${account} and scope = ${counted}`;
      const triesOf = (endsAt: number, counted: string) =>
        sql`coalesce((select tries from throttle where ${of(endsAt, counted)}), 0)`;
      const networkIsBlocked = sql`exists (
        select 1 from throttle where ${of(day, network)} and blocked_until > ${now})`;
      const isFirst = isFirstAttempt(account, day, network, sql`${triesOf(day, network)}`);
      const isCounted = sql`exists (select 1 from throttle where ${of(hour, ALL_NETWORKS)} and last_try = ${attempt})`;

      const [ofKnown, ofAll, , , [state]] = (await db.batch([
        write(sql`update known_source set
            tries = iif(used_at <= ${now - DAY_MS}, 1, tries + 1),
            blocked_until = ${blockedAfter(sql`iif(used_at <= ${now - DAY_MS}, 1, tries + 1)`, now, WAITS_FOR_ATTEMPTS)},
            used_at = ${now}
          where user_id = ${userId} and source = ${known} and blocked_until <= ${now} returning 1 as n`),
        write(sql`insert into throttle (ends_at, account, scope, tries, blocked_until, last_try)
          select ${hour}, ${account}, ${ALL_NETWORKS}, 1, 0, ${attempt}
          where ${known} is null and not ${networkIsBlocked}
            and (${isFirst} or ${triesOf(hour, ALL_NETWORKS)} < ${ATTEMPTS_PER_HOUR})
          on conflict (ends_at, account, scope) do update set tries = tries + 1, last_try = excluded.last_try
          returning 1 as n`),
        write(sql`insert into throttle (ends_at, account, scope, tries, blocked_until, last_try)
          select ${day}, ${account}, ${network}, 1, 0, ${attempt} where ${network} <> '' and ${isCounted}
          on conflict (ends_at, account, scope) do update
            set tries = tries + 1, blocked_until = ${blockedAfter(sql`tries + 1`, now, WAITS_FOR_ATTEMPTS)}, last_try = excluded.last_try`),
        write(deleteExpired(now, isCounted)),
        rawQuery<State>(
          db,
          sql`select ${userId} as userId, ${known} as known,
            (select blocked_until from known_source where user_id = ${userId} and source = ${known}) as knownUntil,
            (select blocked_until from throttle where ${of(day, network)}) as networkUntil`,
        ),
      ])) as unknown as [unknown[], unknown[], unknown, unknown, State[]];
      const whose = state?.userId ? { userId: state.userId } : {};
      if (ofKnown.length > 0 || ofAll.length > 0) return { ok: true, ...whose };
      const until = state?.known ? state.knownUntil : Math.max(state?.networkUntil ?? 0, 0);
      return { ok: false, ...whose, retryAfterSeconds: secondsUntil(until && until > now ? until : hour, now) };
    },

    /** Counts an attempt at the password of a session's own account, by session. */
    async countOwnPassword(email: string, sessionId: string): Promise<CountResult> {
      return countOnce(db, await nameAccount(key, email), `session ${sessionId}`, WAITS_FOR_ATTEMPTS);
    },

    /**
     * Counts a mail to an address, by kind. For mails that give access, each known source of a confirmed account has a count
     * of its own. The known sources of an unconfirmed account share one: somebody may have made it to flood the mailbox.
     */
    async countMail(kind: MailKind, email: string, source: Source): Promise<CountResult> {
      const count = COUNTED_TOGETHER.includes(kind) ? "" : await ownCountOf(email, source);
      // These counts outlive the account, so they hold no address in clear text.
      const own = count && (await nameAccount(key, count));
      return countOnce(db, await nameAccount(key, mailboxOf(email)), `mail ${kind} ${own}`, WAITS_FOR_MAILS);
    },

    /**
     * Resets the counts of a caller who proved to own the account, and remembers where the caller came from.
     * @param newDevice the name of a device for which the caller may get a cookie
     * @returns whether the new device was stored: it is not if the caller's device is known already
     */
    async recordSuccess(user: { id: string; email: string }, source: Source, newDevice: string): Promise<boolean> {
      const now = Date.now();
      const account = await nameAccount(key, user.email);
      const [, , , kept] = await db.batch([
        write(sql`update throttle set tries = 0, blocked_until = 0
          where ends_at = ${endOf(now, DAY_MS)} and account = ${account} and scope = ${source.network}
            and not ${isKnownSource(user.id, [source.address, source.device])}`),
        ...rememberSource(db, user.id, source, newDevice, now),
      ]);
      return kept.length > 0;
    },

    /** The name under which an account is counted. */
    nameOf: (email: string): Promise<string> => nameAccount(key, email),

    /** A statement that deletes an account's attempts. Its mails stay counted for the day: the mailbox still exists. */
    deleteAttempts(account: string) {
      const now = Date.now();
      const windows = JSON.stringify([endOf(now, HOUR_MS), endOf(now, DAY_MS)]);
      return write(sql`delete from throttle where account = ${account}
        and ends_at in (select value from json_each(${windows})) and scope not like 'mail %'`);
    },
  };

  /** The count of a known device or address; empty if both are unknown. */
  async function ownCountOf(email: string, source: Source): Promise<string> {
    const [own] = await rawQuery<{ count: string }>(
      db,
      sql`select iif(user.email_verified, ${countOf(sql`user.id`, source)}, 'known') as count from user
        where email = ${email.toLowerCase()} and ${isKnownSource(sql`user.id`, [source.device, source.address])}`,
    );
    return own?.count ?? "";
  }
}

/**
 * Whether a network's next attempt does not depend on the hourly budget. Networks of IPv6 are cheap, so only a provider's
 * first ones of a day have such attempts.
 */
function isFirstAttempt(account: string, day: number, network: string, tries: SQL): SQL {
  if (network === "") return sql`false`;
  const isEarly = sql`${tries} < ${FIRST_ATTEMPTS}`;
  if (!network.includes(":")) return isEarly;
  const provider = network.split(":").slice(0, 2).join(":");
  const others = sql`(select count(*) from (select 1 from throttle where ends_at = ${day} and account = ${account}
    and scope >= ${`${provider}:`} and scope < ${`${provider};`} and scope <> ${network} limit ${NETWORKS_OF_A_PROVIDER}))`;
  return sql`${isEarly} and ${others} < ${NETWORKS_OF_A_PROVIDER}`;
}

/** The mailbox of an address. Its owner can put any name behind a + (RFC 5233). */
function mailboxOf(email: string): string {
  const at = email.lastIndexOf("@");
  return `${email.slice(0, at).replace(/(?<=.)\+.*$/, "")}${email.slice(at)}`;
}

type State = { userId: string | null; known: string | null; knownUntil: number | null; networkUntil: number | null };
