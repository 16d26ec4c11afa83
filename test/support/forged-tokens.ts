/** Access tokens that must not open anything: each differs from a good one in one way. */
import { CompactSign, exportJWK, generateKeyPair, SignJWT } from "jose";
import { claimsFor, ORIGIN, type Person, tokenWith } from "./client.ts";

export type Forged = { why: string; token: string; expired?: true };

const encoder = new TextEncoder();
const base64url = (text: string) => btoa(text).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
const json = (value: unknown) => base64url(JSON.stringify(value));

/** At least 200 of them, made for a person with a live session; `signingSecret` is the Worker's own. */
export async function forgedTokens(person: Person, signingSecret: string): Promise<Forged[]> {
  const forged: Forged[] = [];
  const add = async (why: string, token: string | Promise<string>) => forged.push({ why, token: await token });
  const claims = claimsFor(person);
  const good = await tokenWith(claims);
  const [head = "", body = "", signature = ""] = good.split(".");
  const now = Math.floor(Date.now() / 1000);

  for (const alg of [
    "none",
    "None",
    "NONE",
    "nOnE",
    "",
    "HS384",
    "HS512",
    "RS256",
    "PS256",
    "ES256",
    "EdDSA",
    "hs256",
  ]) {
    const unsigned = `${json({ alg, typ: "at+jwt" })}.${body}`;
    await add(`alg ${alg}, no signature`, `${unsigned}.`);
    await add(`alg ${alg}, the good signature`, `${unsigned}.${signature}`);
    await add(`alg ${alg}, the right key`, hmac(unsigned, signingSecret));
  }
  for (const alg of ["HS384", "HS512"] as const) {
    const key = encoder.encode(signingSecret);
    await add(`signed with ${alg}`, new SignJWT(claims).setProtectedHeader({ alg, typ: "at+jwt" }).sign(key));
  }
  for (const alg of ["RS256", "PS256", "ES256", "EdDSA"]) {
    const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true });
    const jwk = await exportJWK(publicKey);
    const headers = [
      { alg, typ: "at+jwt" },
      { alg, typ: "at+jwt", jwk },
      { alg, typ: "at+jwt", kid: "1" },
    ];
    for (const protectedHeader of headers) {
      const signed = new CompactSign(encoder.encode(JSON.stringify(claims))).setProtectedHeader(protectedHeader);
      await add(`own ${alg} key ${Object.keys(protectedHeader)}`, signed.sign(privateKey));
    }
  }

  const wrongSecrets = [
    "",
    " ",
    "secret",
    "better-auth-secret-12345678901234567890",
    `${signingSecret} `,
    "\0".repeat(32),
  ];
  wrongSecrets.push(signingSecret.toLowerCase(), signingSecret.slice(0, -1), btoa(signingSecret), "x".repeat(32));
  for (const secret of wrongSecrets) {
    await add(`signed with ${JSON.stringify(secret).slice(0, 12)}`, hmac(`${head}.${body}`, secret));
    for (const extra of [{ jwk: { kty: "oct", k: base64url(secret) } }, { kid: secret }, { jku: `${ORIGIN}/keys` }]) {
      const start = `${json({ alg: "HS256", typ: "at+jwt", ...extra })}.${body}`;
      await add(`own key and ${Object.keys(extra)}`, hmac(start, secret));
    }
  }
  const headers: object[] = [
    { x5u: ORIGIN },
    { x5c: ["MII"] },
    { kid: "../../dev/null" },
    { kid: "' or 1=1--" },
    { kid: 1 },
  ];
  for (const extra of headers) {
    await add(`header ${JSON.stringify(extra)}, wrong key`, tokenWith(claims, extra, "x".repeat(32)));
  }
  for (const crit of [["exp"], ["b64"], [], "exp", null, ["http://example.com/x"]]) {
    const start = `${json({ alg: "HS256", typ: "at+jwt", crit, b64: true })}.${body}`;
    await add(`crit ${JSON.stringify(crit)}`, hmac(start, signingSecret));
  }
  for (const typ of [
    "JWT",
    "jwt",
    "",
    "at",
    "at+jwt ",
    "id+jwt",
    "logout+jwt",
    "application/jwt",
    1,
    null,
    ["at+jwt"],
    undefined,
  ]) {
    await add(`typ ${JSON.stringify(typ)}`, hmac(`${json({ alg: "HS256", typ })}.${body}`, signingSecret));
  }

  for (const name of Object.keys(claims)) {
    const without = Object.fromEntries(Object.entries(claims).filter(([claim]) => claim !== name));
    await add(`no ${name}`, tokenWith(without));
    for (const value of [null, "", 0, -1, true, {}, [], ["x"], [claims[name]], 1.5, { toString: "x" }, "\0"]) {
      if (value === "\0" && ["sub", "sid", "email", "jti"].includes(name)) continue;
      await add(`${name} is ${JSON.stringify(value)}`, tokenWith({ ...claims, [name]: value }));
    }
  }
  for (const origin of [
    "http://tasks.test",
    `${ORIGIN}/`,
    `${ORIGIN}.evil.test`,
    "https://TASKS.test",
    "https://tasks.test:8443",
    "*",
  ]) {
    await add(`iss ${origin}`, tokenWith({ ...claims, iss: origin }));
    await add(`aud ${origin}`, tokenWith({ ...claims, aud: origin }));
    await add(`aud [${origin}]`, tokenWith({ ...claims, aud: [origin] }));
  }
  const times: Record<string, unknown>[] = [
    { iat: now + 60, exp: now + 3600 },
    { iat: now + 600, exp: now + 1200 },
    { nbf: now + 60 },
    { nbf: "soon" },
    { nbf: null },
    { iat: now - 10, exp: now - 20 },
    { iat: now, exp: now },
    { exp: now + 86_401 },
    { exp: now + 10 * 365 * 86_400 },
    { exp: Number.MAX_SAFE_INTEGER },
    { exp: now + 0.5 },
    { exp: String(now + 3600) },
    { iat: String(now) },
    { iat: -now },
  ];
  for (const change of times) await add(`times ${JSON.stringify(change)}`, tokenWith({ ...claims, ...change }));
  for (const secondsAgo of [0, 1, 60, 3600, 86_000]) {
    const token = await tokenWith({ ...claims, iat: now - secondsAgo - 300, exp: now - secondsAgo });
    forged.push({ why: `expired ${secondsAgo} s ago`, token, expired: true });
    await add(
      `expired ${secondsAgo} s ago, wrong key`,
      tokenWith({ ...claims, exp: now - secondsAgo }, {}, "x".repeat(32)),
    );
  }

  const parts = [
    "",
    ".",
    "..",
    "...",
    head,
    `${head}.`,
    `${head}.${body}`,
    `.${body}.${signature}`,
    `${head}..${signature}`,
  ];
  parts.push(
    `${good}.`,
    `.${good}`,
    `${good}.${signature}`,
    `${good}.a.b`,
    `${head}.${body}.${signature}.${signature}.${signature}`,
  );
  parts.push(
    `${head}.${body}.`,
    `${head}.${body}.${signature.slice(1)}`,
    `${head}.${body}.A${signature}`,
    "null.null.null",
  );
  for (const token of parts) await add(`${token.split(".").length} parts, ${token.length} characters`, token);
  const tricks = [
    `${good}=`,
    `${good}==`,
    `${good}%3D`,
    `${good}\t.`,
    `"${good}"`,
    `${good},${good}`,
    `${good} ${good}`,
  ];
  tricks.push(
    `${head}=.${body}.${signature}`,
    `${head}.${body}=.${signature}`,
    withLastBits(good),
    `${good}A`,
    `${good}AA`,
  );
  tricks.push(good.replaceAll("-", "+").replaceAll("_", "/").concat("="), good.toUpperCase(), good.toLowerCase());
  tricks.push(
    `${head}.${body}.${signature.split("").reverse().join("")}`,
    `${good.slice(0, -8)}AAAAAAAA`,
    `${good}%C3%A9`,
  );
  tricks.push(
    `${json([1])}.${body}.${signature}`,
    `${base64url("null")}.${body}.${signature}`,
    `${base64url("{")}.${body}.${signature}`,
  );
  for (const token of tricks) await add(`written as ...${token.slice(-12)}`, token);
  for (const payload of ["", "null", "[]", "1", '"x"', "{", "{}", JSON.stringify({ ...claims, sub: [person.id] })]) {
    await add(`payload ${payload.slice(0, 12)}`, hmac(`${head}.${base64url(payload)}`, signingSecret));
  }
  const alteredBody = json({ ...claims, sub: "someone else" });
  await add("altered payload", `${head}.${alteredBody}.${signature}`);
  await add(
    "duplicate claim",
    hmac(`${head}.${base64url(`{"sub":"x",${JSON.stringify(claims).slice(1, -1)},"sub":1}`)}`, signingSecret),
  );
  await add("very long", tokenWith({ ...claims, filler: "x".repeat(6000) }));
  return forged;
}

async function hmac(start: string, secret: string): Promise<string> {
  const use = { name: "HMAC", hash: "SHA-256" };
  // WebCrypto refuses an empty key; one zero byte is the same key to HMAC.
  const key = await crypto.subtle.importKey("raw", encoder.encode(secret || "\0"), use, false, ["sign"]);
  const mac = await crypto.subtle.sign("HMAC", key, encoder.encode(start));
  return `${start}.${base64url(String.fromCharCode(...new Uint8Array(mac)))}`;
}

/** The same 32 signature bytes, written with a stray bit in the last character. */
function withLastBits(token: string): string {
  const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  return token.slice(0, -1) + (alphabet[alphabet.indexOf(token.slice(-1)) + 1] ?? "");
}
