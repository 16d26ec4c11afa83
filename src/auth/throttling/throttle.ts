/**
 * How often an account's password may be tried, and mails to it be asked for. Each try is counted before the password is
 * looked at, in one transaction, so that no number of parallel tries passes. A refused try writes nothing.
 *
 * - A device or address that the account was signed in from before has a count of its own: others cannot use it up.
 * - Everybody else is counted by network, and slowed there; all of them together have a budget an hour.
 * - A network's first tries in a day do not depend on that budget: whoever comes from a network that nobody guesses from
 *   gets in with the right password. Of IPv6, only the first networks of a provider have them.
 *
 * Unknown accounts are counted like known ones.
 */
import { type SQL, sql } from "drizzle-orm";
import { type Database, rawQuery } from "../../db/client.ts";
import { DAY_MS, HOUR_MS, MINUTE_MS } from "../../time.ts";
import {
  blockedAfter,
  type Claim,
  clearEnded,
  countOnce,
  endOf,
  nameAccount,
  secondsUntil,
  type Waits,
} from "./counts.ts";
import { countOf, isKnownSource, openCountOf, rememberSource } from "./known-sources.ts";
import type { Source } from "./source.ts";

/** Tries before each further one has to wait, twice as long every time. */
export const FREE_TRIES = 5;
/** A network's tries in a day that no others can use up. */
export const FIRST_CHANCES = 2;
/** Tries in an hour of all networks that an account does not know (NIST SP 800-63B allows 100 in a row). */
export const TRIES_AN_HOUR = 100;
const WAITS_FOR_TRIES: Waits = { free: FREE_TRIES, firstMs: 1000, longestMs: 15 * MINUTE_MS };

/** Mails before each further one has to wait. The newest link in the mailbox is still good when the next is sent. */
export const FREE_MAILS = 5;
export const LONGEST_MAIL_WAIT_MS = 20 * MINUTE_MS;
const WAITS_FOR_MAILS: Waits = { free: FREE_MAILS, firstMs: MINUTE_MS, longestMs: LONGEST_MAIL_WAIT_MS };

/** What stands for all networks together. */
const ALL_NETWORKS = "*";
/** Networks of one provider (32 bits of IPv6, of which there are 65,536) that have first chances in a day. */
const NETWORKS_OF_A_PROVIDER = 10;

/** Of a change of address, `leave` asks at the old address and `arrive` at the new one. */
export type MailKind = "reset" | "verification" | "leave" | "arrive" | "existing-account" | "notice";

/** Kinds that let nobody in: each has one count for a mailbox, whoever asks. */
const COUNTED_TOGETHER: readonly MailKind[] = ["leave", "arrive", "notice"];

/** What came of asking for a try. `userId` is the account's, where there is one. */
export type TryClaim = Claim & { userId?: string };

export type Throttle = ReturnType<typeof createThrottle>;

/** @param key names accounts by a keyed hash: an address is personal, and stays out of this table */
export function createThrottle(db: Database, key: CryptoKey) {
  const write = (query: SQL) => rawQuery<{ n: number }>(db, query);

  return {
    /** Claims a try at an account's password. 2 rows written at most, and what it clears. */
    async claimSignIn(email: string, source: Source): Promise<TryClaim> {
      const { network } = source;
      const now = Date.now();
      const [hour, day] = [endOf(now, HOUR_MS), endOf(now, DAY_MS)];
      const account = await nameAccount(key, email);
      const attempt = crypto.randomUUID();
      const userId = sql`(select id from user where email = ${email.toLowerCase()})`;
      const known = openCountOf(userId, source, now);
      const of = (endsAt: number, scope: string) =>
        sql`ends_at = ${endsAt} and account = ${account} and scope = ${scope}`;
      const triesOf = (endsAt: number, scope: string) =>
        sql`coalesce((select tries from throttle where ${of(endsAt, scope)}), 0)`;
      const networkIsBlocked = sql`exists (
        select 1 from throttle where ${of(day, network)} and blocked_until > ${now})`;
      const isFirstChance = hasFirstChance(account, day, network, sql`${triesOf(day, network)}`);
      const isCounted = sql`exists (select 1 from throttle where ${of(hour, ALL_NETWORKS)} and last_try = ${attempt})`;

      const [ofKnown, ofAll, , , [state]] = (await db.batch([
        write(sql`update known_source set
            tries = iif(used_at <= ${now - DAY_MS}, 1, tries + 1),
            blocked_until = ${blockedAfter(sql`iif(used_at <= ${now - DAY_MS}, 1, tries + 1)`, now, WAITS_FOR_TRIES)},
            used_at = ${now}
          where user_id = ${userId} and source = ${known} and blocked_until <= ${now} returning 1 as n`),
        write(sql`insert into throttle (ends_at, account, scope, tries, blocked_until, last_try)
          select ${hour}, ${account}, ${ALL_NETWORKS}, 1, 0, ${attempt}
          where ${known} is null and not ${networkIsBlocked}
            and (${isFirstChance} or ${triesOf(hour, ALL_NETWORKS)} < ${TRIES_AN_HOUR})
          on conflict (ends_at, account, scope) do update set tries = tries + 1, last_try = excluded.last_try
          returning 1 as n`),
        write(sql`insert into throttle (ends_at, account, scope, tries, blocked_until, last_try)
          select ${day}, ${account}, ${network}, 1, 0, ${attempt} where ${network} <> '' and ${isCounted}
          on conflict (ends_at, account, scope) do update
            set tries = tries + 1, blocked_until = ${blockedAfter(sql`tries + 1`, now, WAITS_FOR_TRIES)}, last_try = excluded.last_try`),
        write(clearEnded(now, isCounted)),
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

    /** Claims a try at the password of a session's own account: it is the session that is counted. */
    async claimOwnPassword(email: string, sessionId: string): Promise<Claim> {
      return countOnce(db, await nameAccount(key, email), `session ${sessionId}`, WAITS_FOR_TRIES);
    },

    /**
     * Claims a mail to an address. Each kind is counted by itself. Of mails that let somebody in, each known source of a
     * confirmed account has a count of its own; an account that is not confirmed may be of somebody who wants to flood the
     * mailbox, so that its known sources share one.
     */
    async claimMail(kind: MailKind, email: string, source: Source): Promise<Claim> {
      const count = COUNTED_TOGETHER.includes(kind) ? "" : await ownCountOf(email, source);
      // These counts outlive the account, and name nobody's address in clear.
      const own = count && (await nameAccount(key, count));
      return countOnce(db, await nameAccount(key, mailboxOf(email)), `mail ${kind} ${own}`, WAITS_FOR_MAILS);
    },

    /**
     * Forgets the tries of whoever has just shown that the account is theirs, and remembers where they came from.
     * @param newDevice names a device that they may get a cookie for
     * @returns whether it was remembered: it is not where theirs is known already
     */
    async succeed(user: { id: string; email: string }, source: Source, newDevice: string): Promise<boolean> {
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

    /** A statement that forgets an account's tries. Its mails stay counted for the day: the mailbox is still there. */
    forgetting(account: string) {
      const now = Date.now();
      const windows = JSON.stringify([endOf(now, HOUR_MS), endOf(now, DAY_MS)]);
      return write(sql`delete from throttle where account = ${account}
        and ends_at in (select value from json_each(${windows})) and scope not like 'mail %'`);
    },
  };

  /** The count of a device or address that the account knows; empty where it knows neither. */
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
 * Whether a network's next try is one of those that no others can use up. Networks of IPv6 are cheap: of one provider's,
 * only the first in a day have them.
 */
function hasFirstChance(account: string, day: number, network: string, tries: SQL): SQL {
  if (network === "") return sql`false`;
  const isEarly = sql`${tries} < ${FIRST_CHANCES}`;
  if (!network.includes(":")) return isEarly;
  const provider = network.split(":").slice(0, 2).join(":");
  const others = sql`(select count(*) from (select 1 from throttle where ends_at = ${day} and account = ${account}
    and scope >= ${`${provider}:`} and scope < ${`${provider};`} and scope <> ${network} limit ${NETWORKS_OF_A_PROVIDER}))`;
  return sql`${isEarly} and ${others} < ${NETWORKS_OF_A_PROVIDER}`;
}

/** The mailbox of an address: what follows a + is a name that its owner gave it (RFC 5233). */
function mailboxOf(email: string): string {
  const at = email.lastIndexOf("@");
  return `${email.slice(0, at).replace(/(?<=.)\+.*$/, "")}${email.slice(at)}`;
}

type State = { userId: string | null; known: string | null; knownUntil: number | null; networkUntil: number | null };
