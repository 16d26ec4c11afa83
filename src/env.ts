/**
 * Checks variables and secrets once, before anything is served.
 * A bad one is named; its value is never shown, and with one bad the Worker refuses everything but `/health`.
 */
import { z } from "zod";

/** What the Worker runs on, once everything has been checked. */
export type Settings = {
  /** Signs access tokens and Better Auth's cookies and links. At least 32 bytes. */
  secret: string;
  /** The public origin, where it is fixed; otherwise each request's own origin counts. */
  publicOrigin?: string;
  /** Other origins whose pages may call us with credentials. */
  trustedOrigins: string[];
  /** Life of an access token. */
  accessTokenTtlSeconds: number;
};

export type Configuration = { ok: true; settings: Settings } | { ok: false; problems: string[] };

const MIN_SECRET_BYTES = 32;
const MIN_DISTINCT_CHARACTERS = 10;
const PLACEHOLDERS = /better-auth-secret|change.?me|replace.?me|your.?secret|placeholder|example|password|insecure/i;

const origin = z.string().refine(isOrigin, "must be an http or https origin, such as https://tasks.example.com");

const variables = z.object({
  BETTER_AUTH_SECRET: z
    .string("is missing")
    .refine((secret) => new TextEncoder().encode(secret).length >= MIN_SECRET_BYTES, "must be 32 bytes or longer")
    .refine((secret) => !isGuessable(secret), "is a known default or easy to guess; use a random one"),
  BETTER_AUTH_URL: z.preprocess(absentWhenEmpty, origin.optional()),
  TRUSTED_ORIGINS: z.preprocess(listWithoutBlanks, z.array(origin)),
  ACCESS_TOKEN_TTL_SECONDS: z.preprocess(absentWhenEmpty, z.coerce.number().int().min(60).max(86_400).default(3600)),
});

/**
 * Reads the Worker's variables and secrets.
 * @param env the Worker's bindings; names this module does not know are left alone
 * @returns the settings, or one sentence a bad variable, each beginning with its name
 */
export function readConfiguration(env: Partial<Env>): Configuration {
  const parsed = variables.safeParse(env);
  if (!parsed.success) {
    return { ok: false, problems: parsed.error.issues.map((issue) => `${issue.path.join(".")} ${issue.message}`) };
  }
  const { BETTER_AUTH_SECRET, BETTER_AUTH_URL, TRUSTED_ORIGINS, ACCESS_TOKEN_TTL_SECONDS } = parsed.data;
  return {
    ok: true,
    settings: {
      secret: BETTER_AUTH_SECRET,
      ...(BETTER_AUTH_URL && { publicOrigin: BETTER_AUTH_URL }),
      trustedOrigins: TRUSTED_ORIGINS,
      accessTokenTtlSeconds: ACCESS_TOKEN_TTL_SECONDS,
    },
  };
}

function absentWhenEmpty(value: unknown): unknown {
  return value === "" ? undefined : value;
}

function listWithoutBlanks(value: unknown): unknown {
  if (typeof value !== "string") return value ?? [];
  return value
    .split(",")
    .map((item) => item.trim())
    .filter((item) => item !== "");
}

function isOrigin(value: string): boolean {
  if (!URL.canParse(value)) return false;
  const url = new URL(value);
  return url.origin === value && (url.protocol === "https:" || url.protocol === "http:");
}

/** Placeholders from documentation, few distinct characters, one unit repeated, or a run such as abcdef. */
function isGuessable(secret: string): boolean {
  const codes = [...secret].map((character) => character.codePointAt(0) ?? 0);
  const steps = codes.filter((code, index) => index > 0 && Math.abs(code - (codes[index - 1] ?? 0)) <= 1).length;
  return (
    PLACEHOLDERS.test(secret) ||
    new Set(codes).size < MIN_DISTINCT_CHARACTERS ||
    /^(.+?)\1+$/s.test(secret) ||
    steps > codes.length / 2
  );
}
