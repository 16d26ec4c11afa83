/**
 * Cookies by which a browser is known again. They open nothing. Each is signed, so that one that we handed out is told from
 * an invented one without asking the database.
 * @see https://owasp.org/www-community/Slow_Down_Online_Guessing_Attacks_with_Device_Cookies
 */
import { deriveKey, type Keys } from "../../access/keys.ts";
import { createSecret, digestOf } from "../secrets.ts";

/** A device, by the digest of its cookie, and whether we handed that cookie out; without a cookie the name is empty. */
export type Device = { device: string; isIssued: boolean };

export type Devices = Awaited<ReturnType<typeof createDevices>>;

/** @param keys the first signs cookies; those that any of them signed are ours */
export async function createDevices(keys: Keys) {
  const signing = await Promise.all(keys.map(({ secret }) => deriveKey(secret, "device cookie")));

  return {
    /** Makes the value of a cookie. */
    async create(): Promise<string> {
      const secret = createSecret();
      return `${secret}.${await sign(signing[0], secret)}`;
    },

    /** Reads the value of a cookie. */
    async read(value: string): Promise<Device> {
      const [secret = "", signature] = value.split(".");
      const device = await nameDevice(secret);
      const signatures = device === "" ? [] : await Promise.all(signing.map((key) => sign(key, secret)));
      return { device, isIssued: signature !== undefined && signatures.includes(signature) };
    },
  };
}

/** Names a device by the value of its cookie; empty where that is none of ours. */
export async function nameDevice(value: string): Promise<string> {
  const digest = await digestOf(value.split(".")[0]);
  return digest && `device ${digest}`;
}

async function sign(key: CryptoKey | undefined, secret: string): Promise<string> {
  if (!key) throw new Error("there is no key");
  const signature = await crypto.subtle.sign("HMAC", key, new TextEncoder().encode(secret));
  return Buffer.from(signature).toString("base64url");
}
