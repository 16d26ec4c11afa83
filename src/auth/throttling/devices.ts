/**
 * Cookies by which a browser is known again. They open nothing. Each is signed, so that one that we handed out is told from
 * an invented one without asking the database.
 * @see https://owasp.org/www-community/Slow_Down_Online_Guessing_Attacks_with_Device_Cookies
 */
import { deriveKey, type Keys, type SigningKey } from "../../access/keys.ts";
import { createSecret, digestOf } from "../secrets.ts";

/** A device, by the digest of its cookie, and whether we handed that cookie out; without a cookie the name is empty. */
export type Device = { device: string; isIssued: boolean };

export type Devices = Awaited<ReturnType<typeof createDevices>>;

/** @param keys the first signs cookies; those that any of them signed are ours */
export async function createDevices([first, ...others]: Keys) {
  const keyOf = ({ secret }: SigningKey) => deriveKey(secret, "device cookie");
  const signing = await keyOf(first);
  const accepted = [signing, ...(await Promise.all(others.map(keyOf)))];

  return {
    /** Makes the value of a cookie. */
    async create(): Promise<string> {
      const secret = createSecret();
      const signature = await crypto.subtle.sign("HMAC", signing, encode(secret));
      return `${secret}.${Buffer.from(signature).toString("base64url")}`;
    },

    /** Reads the value of a cookie. */
    async read(value: string): Promise<Device> {
      const [secret = "", signature = ""] = value.split(".");
      const device = await nameDevice(secret);
      const isSignedWith = (key: CryptoKey) =>
        crypto.subtle.verify("HMAC", key, Buffer.from(signature, "base64url"), encode(secret));
      const isIssued = device !== "" && (await Promise.all(accepted.map(isSignedWith))).includes(true);
      return { device, isIssued };
    },
  };
}

/** Names a device by the value of its cookie; empty where that is none of ours. */
export async function nameDevice(value: string): Promise<string> {
  const digest = await digestOf(value.split(".")[0]);
  return digest && `device ${digest}`;
}

function encode(text: string) {
  return new TextEncoder().encode(text);
}
