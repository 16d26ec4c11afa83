/**
 * Hashes passwords with scrypt. The parameters are stored with the hash, so that a later sign-in can replace them by
 * stronger ones. A password is hashed exactly as it was sent.
 * @see RFC 7914, and https://github.com/P-H-C/phc-string-format for the text form
 */
import { randomBytes, scrypt, timingSafeEqual } from "node:crypto";

type Parameters = { cost: number; blockSize: number; parallelism: number };

/** OWASP's minimum for scrypt in 16 MiB (Password Storage Cheat Sheet); `cost` is the binary logarithm of N. */
const CURRENT: Parameters = { cost: 14, blockSize: 8, parallelism: 5 };
const STRONGEST_ACCEPTED: Parameters = { cost: 17, blockSize: 8, parallelism: 10 };
const SALT_BYTES = 16;
const KEY_BYTES = 32;
const HASH = /^\$scrypt\$ln=(\d+),r=(\d+),p=(\d+)\$([A-Za-z0-9+/]{22})\$([A-Za-z0-9+/]{43})$/;

export async function hashPassword(password: string, parameters: Parameters = CURRENT): Promise<string> {
  const salt = randomBytes(SALT_BYTES);
  const key = await derive(password, salt, parameters);
  const { cost, blockSize, parallelism } = parameters;
  return `$scrypt$ln=${cost},r=${blockSize},p=${parallelism}$${encode(salt)}$${encode(key)}`;
}

/** Tells whether a hash was made from this password. A text that is not such a hash matches no password. */
export async function verifyPassword(hash: string, password: string): Promise<boolean> {
  const [, cost, blockSize, parallelism, salt = "", key = ""] = HASH.exec(hash) ?? [];
  const parameters = { cost: Number(cost), blockSize: Number(blockSize), parallelism: Number(parallelism) };
  if (!isAcceptable(parameters)) return false;
  const derived = await derive(password, Buffer.from(salt, "base64"), parameters);
  return timingSafeEqual(derived, Buffer.from(key, "base64"));
}

/** Tells whether a hash was made with other parameters than the current ones. */
export function isOutdated(hash: string): boolean {
  return !hash.startsWith(`$scrypt$ln=${CURRENT.cost},r=${CURRENT.blockSize},p=${CURRENT.parallelism}$`);
}

function isAcceptable({ cost, blockSize, parallelism }: Parameters): boolean {
  const limit = STRONGEST_ACCEPTED;
  return cost >= 1 && cost <= limit.cost && blockSize <= limit.blockSize && parallelism <= limit.parallelism;
}

function derive(password: string, salt: Buffer, { cost, blockSize, parallelism }: Parameters) {
  const N = 2 ** cost;
  const options = { N, r: blockSize, p: parallelism, maxmem: 2 * 128 * N * blockSize };
  return new Promise<Buffer>((resolve, reject) => {
    scrypt(password, salt, KEY_BYTES, options, (error, key) => (error ? reject(error) : resolve(key)));
  });
}

function encode(bytes: Buffer): string {
  return bytes.toString("base64").replaceAll("=", "");
}
