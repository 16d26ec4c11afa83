/**
 * Better Auth verifies cookies with the newest secret only, although it accepts a list of secrets: rolling the secret would
 * sign everybody out. So a cookie or bearer value that an older secret signed is signed anew before Better Auth reads it,
 * and returned to the caller.
 * No issue is known; found in better-auth 1.7.25.
 * @see https://www.better-auth.com/docs/reference/options
 *
 * Delete this file once test/auth/workarounds.test.ts shows that Better Auth accepts a cookie of an older secret.
 */
import { parseSigned, serializeSigned } from "hono/utils/cookie";
import type { Keys } from "../../access-tokens/keys.ts";
import { SESSION_HEADER } from "../../http/headers.ts";

/** The cookies that carry a session, on https and on a developer's machine. */
export const SESSION_COOKIE = /^(?:__Host-)?better-auth\.(?:session_token|dont_remember)$/;
const BEARER = /^bearer +(?=\S)/i;

/** Credentials that were signed anew: the caller should use them from now on. */
export type Renewed = { cookies: { name: string; value: string }[]; bearer?: string };

/**
 * Signs a request's credentials with the newest secret. Credentials that no secret signed stay as they are, to be refused.
 * @param headers changed in place
 */
export async function renewSignatures(headers: Headers, keys: Keys): Promise<Renewed> {
  const renewed: Renewed = { cookies: [] };
  const cookies = headers.get("cookie")?.split(/; */) ?? [];
  const current = cookies.map(async (cookie) => {
    const [name = "", text = ""] = splitOnce(cookie, "=");
    const value = SESSION_COOKIE.test(name) ? await valueSignedOtherwise(text, keys) : undefined;
    if (value === undefined) return cookie;
    renewed.cookies.push({ name, value });
    return `${name}=${await sign(value, keys)}`;
  });
  if (cookies.length > 0) headers.set("cookie", (await Promise.all(current)).join("; "));

  const authorization = headers.get("authorization") ?? "";
  const value = BEARER.test(authorization) && (await valueSignedOtherwise(authorization.replace(BEARER, ""), keys));
  if (value) {
    renewed.bearer = decodeURIComponent(await sign(value, keys));
    headers.set("authorization", `Bearer ${renewed.bearer}`);
  }
  return renewed;
}

/** Returns renewed credentials to the caller, unless the answer itself replaces or ends them. */
export async function returnRenewed(answer: Response, { cookies, bearer }: Renewed, keys: Keys, maxAge: number) {
  if (!answer.ok) return;
  const set = answer.headers.getSetCookie();
  const isSession = cookies.some(({ name }) => name.endsWith("dont_remember"));
  for (const { name, value } of cookies) {
    if (set.some((cookie) => cookie.startsWith(`${name}=`))) continue;
    const attributes = { path: "/", httpOnly: true, sameSite: "Lax", secure: name.startsWith("__Host-") } as const;
    const lasting = isSession ? attributes : { ...attributes, maxAge };
    answer.headers.append("set-cookie", await serializeSigned(name, value, keys[0].secret, lasting));
  }
  if (bearer && !answer.headers.has(SESSION_HEADER)) answer.headers.set(SESSION_HEADER, bearer);
}

/** The value, if an older secret signed it. */
async function valueSignedOtherwise(text: string, [signing, ...others]: Keys): Promise<string | undefined> {
  if (others.length === 0) return undefined;
  for (const { secret } of [signing, ...others]) {
    const value = (await parseSigned(`it=${text}`, secret, "it"))["it"];
    if (typeof value === "string") return secret === signing.secret ? undefined : value;
  }
  return undefined;
}

/** The text of a signed cookie with this value. */
async function sign(value: string, [signing]: Keys): Promise<string> {
  const [, signed] = splitOnce(await serializeSigned("it", value, signing.secret), "=");
  return signed;
}

function splitOnce(text: string, separator: string): [string, string] {
  const at = text.indexOf(separator);
  return at < 0 ? [text, ""] : [text.slice(0, at), text.slice(at + separator.length)];
}
