/**
 * Rolling the secret signs nobody out. Better Auth verifies with the newest secret alone, so what an older one signed
 * is signed anew on its way in, and handed back so on the way out.
 */
import { parseSigned, serializeSigned } from "hono/utils/cookie";
import type { Keys } from "../access/keys.ts";

const SIGNED_COOKIE = /^(?:__Secure-)?better-auth\.(?:session_token|dont_remember)$/;
const BEARER = /^bearer +(?=\S)/i;

/** What the caller should use from now on, where it is not what they sent. */
export type Renewed = { cookies: { name: string; value: string }[]; bearer?: string };

/**
 * Signs a request's credentials with the newest secret. What no accepted secret signed stays as it is, to be refused.
 * @param headers changed in place
 */
export async function renewSignatures(headers: Headers, keys: Keys): Promise<Renewed> {
  const renewed: Renewed = { cookies: [] };
  const cookies = headers.get("cookie")?.split(/; */) ?? [];
  const current = cookies.map(async (cookie) => {
    const [name = "", text = ""] = splitOnce(cookie, "=");
    const value = SIGNED_COOKIE.test(name) ? await valueSignedWithOlder(text, keys) : undefined;
    if (value === undefined) return cookie;
    renewed.cookies.push({ name, value });
    return `${name}=${await sign(value, keys)}`;
  });
  if (cookies.length > 0) headers.set("cookie", (await Promise.all(current)).join("; "));

  const authorization = headers.get("authorization") ?? "";
  const value = BEARER.test(authorization) && (await valueSignedWithOlder(authorization.replace(BEARER, ""), keys));
  if (value) {
    renewed.bearer = decodeURIComponent(await sign(value, keys));
    headers.set("authorization", `Bearer ${renewed.bearer}`);
  }
  return renewed;
}

/** Hands renewed credentials back, unless the answer itself replaces or ends them. */
export async function handBack(answer: Response, { cookies, bearer }: Renewed, keys: Keys, maxAge: number) {
  if (!answer.ok) return;
  const set = answer.headers.getSetCookie();
  const isSession = cookies.some(({ name }) => name.endsWith("dont_remember"));
  for (const { name, value } of cookies) {
    if (set.some((cookie) => cookie.startsWith(`${name}=`))) continue;
    const attributes = { path: "/", httpOnly: true, sameSite: "Lax", secure: name.startsWith("__Secure-") } as const;
    const lasting = isSession ? attributes : { ...attributes, maxAge };
    answer.headers.append("set-cookie", await serializeSigned(name, value, keys[0].secret, lasting));
  }
  if (bearer && !answer.headers.has("set-auth-token")) answer.headers.set("set-auth-token", bearer);
}

/** The value inside, when an older secret signed it. */
async function valueSignedWithOlder(text: string, [newest, ...older]: Keys): Promise<string | undefined> {
  if (older.length === 0) return undefined;
  for (const { secret } of [newest, ...older]) {
    const value = (await parseSigned(`it=${text}`, secret, "it"))["it"];
    if (typeof value === "string") return secret === newest.secret ? undefined : value;
  }
  return undefined;
}

/** A value as a signed cookie carries it. */
async function sign(value: string, [newest]: Keys): Promise<string> {
  const [, signed] = splitOnce(await serializeSigned("it", value, newest.secret), "=");
  return signed;
}

function splitOnce(text: string, separator: string): [string, string] {
  const at = text.indexOf(separator);
  return at < 0 ? [text, ""] : [text.slice(0, at), text.slice(at + separator.length)];
}
