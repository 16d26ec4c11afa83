/**
 * Checks variables and secrets once, at the start. An invalid one is named, without its value; the Worker then answers
 * `/health` only.
 */
import { z } from "zod";
import { createKeys, type Keys } from "./access-tokens/keys.ts";
import { isLoopback } from "./origin.ts";
import { DAY_SECONDS } from "./time.ts";

/** The checked settings of the Worker. Durations are in seconds. */
export type Settings = {
  /** The first signs access tokens and cookies; all are accepted. */
  keys: Keys;
  /** The fixed public origin. Without it, and on a developer's machine, the origin of each request counts. */
  publicOrigin?: string;
  /** Other origins whose pages may send credentials. */
  trustedOrigins: string[];
  /** The values that `callbackURL` and `redirectTo` may have, word for word. */
  callbackUrls: string[];
  quotas: Quotas;
  accessTokenTtlSeconds: number;
  /** A session ends when it is unused for so long. */
  sessionIdleSeconds: number;
  /** A session ends at this age, even if it is used. */
  sessionMaxSeconds: number;
  /** The sender of mails. Without it, endpoints that need mail answer 503. */
  emailFrom?: string;
  /** Whether signing in needs a confirmed address. */
  requireEmailVerification: boolean;
  /** The minimum time, in milliseconds, of answers that must not reveal whether an address has an account. */
  evenAnswerMs: number;
};

/** The quotas of one user. */
export type Quotas = {
  /** Tasks that are not deleted. */
  tasks: number;
  /** Bytes of their text, as it is stored. */
  bytes: number;
  /** Changes in a day (UTC). */
  changesPerDay: number;
};

export type Configuration = { ok: true; settings: Settings } | { ok: false; problems: string[] };

/** Wrangler's generated types have no optional secrets, such as `BETTER_AUTH_SECRETS`. */
export type Variables = Partial<Env> & { BETTER_AUTH_SECRETS?: string };

const MIN_SECRET_BYTES = 32;
const MIN_DISTINCT_CHARACTERS = 10;
const PLACEHOLDERS = /better-auth-secret|change.?me|replace.?me|your.?secret|placeholder|example|password|insecure/i;
const EVEN_ANSWER_MS = 500;

const origin = z.string().refine(isOrigin, "must be an https origin, such as https://tasks.example.com");
const secret = z
  .string("is missing")
  .refine((text) => new TextEncoder().encode(text).length >= MIN_SECRET_BYTES, "must be 32 bytes or longer")
  .refine((text) => !isGuessable(text), "is a known default or easy to guess; use a random one");

const callbackUrl = z.string().refine(isCallbackUrl, "must be a path such as /welcome, or an https address");

const variables = z
  .object({
    TRUSTED_ORIGINS: z.preprocess(splitList, z.array(origin)),
    CALLBACK_URLS: z.preprocess(splitList, z.array(callbackUrl)),
    QUOTA_TASKS: count({ max: 1_000_000, otherwise: 10_000 }),
    QUOTA_BYTES: count({ max: 1_000_000_000, otherwise: 25_000_000 }),
    QUOTA_CHANGES_PER_DAY: count({ max: 1_000_000, otherwise: 20_000 }),
    BETTER_AUTH_URL: optional(origin),
    ACCESS_TOKEN_TTL_SECONDS: wholeNumber({ min: 60, max: DAY_SECONDS, otherwise: 3600 }),
    SESSION_IDLE_SECONDS: wholeNumber({ min: 3600, max: 365 * DAY_SECONDS, otherwise: 7 * DAY_SECONDS }),
    SESSION_MAX_SECONDS: wholeNumber({ min: 3600, max: 365 * DAY_SECONDS, otherwise: 30 * DAY_SECONDS }),
    EMAIL_FROM: optional(z.email("must be an e-mail address")),
    REQUIRE_EMAIL_VERIFICATION: optional(z.enum(["true", "false"], "must be true or false")),
  })
  .refine((read) => read.SESSION_IDLE_SECONDS <= read.SESSION_MAX_SECONDS, {
    path: ["SESSION_IDLE_SECONDS"],
    message: "must not exceed SESSION_MAX_SECONDS",
  })
  .refine((read) => read.REQUIRE_EMAIL_VERIFICATION !== "true" || read.EMAIL_FROM !== undefined, {
    path: ["REQUIRE_EMAIL_VERIFICATION"],
    message: "needs EMAIL_FROM",
  });

/**
 * Reads the Worker's variables and secrets.
 * @param env the Worker's bindings; unknown names are ignored
 * @returns the settings, or one sentence for each invalid variable, which begins with its name
 */
export function readConfiguration(env: Variables): Configuration {
  const secrets = secretsOf(env).safeParse(env);
  const read = variables.safeParse(env);
  if (!secrets.success || !read.success) {
    const issues = [...(secrets.error?.issues ?? []), ...(read.error?.issues ?? [])];
    return { ok: false, problems: issues.map(({ path, message }) => `${String(path[0])} ${message}`) };
  }
  const { BETTER_AUTH_URL, EMAIL_FROM, ...rest } = read.data;
  return {
    ok: true,
    settings: {
      keys: createKeys(secrets.data.secrets),
      ...(BETTER_AUTH_URL && { publicOrigin: BETTER_AUTH_URL }),
      trustedOrigins: rest.TRUSTED_ORIGINS,
      callbackUrls: rest.CALLBACK_URLS,
      quotas: { tasks: rest.QUOTA_TASKS, bytes: rest.QUOTA_BYTES, changesPerDay: rest.QUOTA_CHANGES_PER_DAY },
      accessTokenTtlSeconds: rest.ACCESS_TOKEN_TTL_SECONDS,
      sessionIdleSeconds: rest.SESSION_IDLE_SECONDS,
      sessionMaxSeconds: rest.SESSION_MAX_SECONDS,
      ...(EMAIL_FROM && { emailFrom: EMAIL_FROM }),
      requireEmailVerification: rest.REQUIRE_EMAIL_VERIFICATION === "true",
      evenAnswerMs: EVEN_ANSWER_MS,
    },
  };
}

/**
 * One secret, or Better Auth's list: `<version>:<secret>`, separated by commas. The first signs, all are accepted. With a
 * list, the single secret is accepted too, and never signs: a secret that `npm run deploy` made cannot be read again, and
 * so cannot be put on the list that takes over from it.
 */
function secretsOf(env: Variables) {
  if (!env.BETTER_AUTH_SECRETS) {
    return z
      .object({ BETTER_AUTH_SECRET: secret })
      .transform((read) => ({ secrets: [read.BETTER_AUTH_SECRET] as const }));
  }
  const versioned = z.string().regex(/^\d+:/, "must be a list of <version>:<secret>");
  const list = z.array(versioned.transform((entry) => entry.replace(/^\d+:\s*/, ""))).pipe(z.tuple([secret], secret));
  return z
    .object({ BETTER_AUTH_SECRETS: z.preprocess(splitList, list), BETTER_AUTH_SECRET: optional(secret) })
    .transform(({ BETTER_AUTH_SECRETS: listed, BETTER_AUTH_SECRET: single }) => {
      const isListed = single === undefined || listed.includes(single);
      return { secrets: isListed ? listed : ([...listed, single] as const) };
    });
}

function optional<Schema extends z.ZodType>(schema: Schema) {
  return z.preprocess((value) => (value === "" ? undefined : value), schema.optional());
}

function count({ max, otherwise }: { max: number; otherwise: number }) {
  return wholeNumber({ min: 1, max, otherwise });
}

function wholeNumber({ min, max, otherwise }: { min: number; max: number; otherwise: number }) {
  const range = z.coerce.number().int().min(min).max(max).default(otherwise);
  return z.preprocess((value) => (value === "" ? undefined : value), range);
}

function splitList(value: unknown): unknown {
  if (typeof value !== "string") return value ?? [];
  return value
    .split(",")
    .map((item) => item.trim())
    .filter((item) => item !== "");
}

/** Better Auth reads `*` and `?` in an origin as patterns, so they are refused. */
function isOrigin(value: string): boolean {
  if (/[*?]/.test(value) || !URL.canParse(value)) return false;
  const url = new URL(value);
  return url.origin === value && isSafe(url);
}

/** Whether traffic is encrypted, or stays on this machine. */
function isSafe({ protocol, href }: URL): boolean {
  return protocol === "https:" || (protocol === "http:" && isLoopback(href));
}

/** A plain path, which no reader takes for another host, or an https address without user, hash or pattern. */
function isCallbackUrl(value: string): boolean {
  if (/[*\\\s]|\/\/.*\/\//.test(value)) return false;
  if (value.startsWith("/")) return /^\/(?:[\w~-][\w.~-]*(?:\/[\w~-][\w.~-]*)*)?$/.test(value);
  if (!URL.canParse(value)) return false;
  const url = new URL(value);
  return isSafe(url) && url.username + url.password + url.hash === "" && [value, `${value}/`].includes(url.href);
}

/** Placeholders, few distinct characters, one repeated unit, or a run such as abcdef. */
function isGuessable(text: string): boolean {
  const codes = [...text].map((character) => character.codePointAt(0) ?? 0);
  const steps = codes.filter((code, index) => index > 0 && Math.abs(code - (codes[index - 1] ?? 0)) <= 1).length;
  return (
    PLACEHOLDERS.test(text) ||
    new Set(codes).size < MIN_DISTINCT_CHARACTERS ||
    /^(.+?)\1+$/s.test(text) ||
    steps > codes.length / 2
  );
}
