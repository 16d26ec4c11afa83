/**
 * Cookies that let throttling recognize a browser. They give no access. Each is signed, so that an invented one is
 * recognized without a query.
 * @see https://owasp.org/www-community/Slow_Down_Online_Guessing_Attacks_with_Device_Cookies
 */
import { deriveKey, type Keys, type SigningKey } from "../../access-tokens/keys.ts";
import { createSecret, digestOf } from "../secrets.ts";

/** A device, named by the digest of its cookie; empty without a cookie. `isIssued`: this Worker signed the cookie. */
export type Device = { device: string; isIssued: boolean };

export type Devices = Awaited<ReturnType<typeof createDevices>>;

/** @param keys the first signs cookies; a cookie that any of them signed is accepted */
export async function createDevices([first, ...others]: Keys) {
  const keyOf = ({ secret }: SigningKey) => deriveKey(secret, "device cookie");
  const signing = await keyOf(first);
  const accepted = [signing, ...(await Promise.all(others.map(keyOf)))];

  return {
    /** Creates the value of a new cookie. */
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

/** The name of a device, from the value of its cookie; empty if the value has another form. */
export async function nameDevice(value: string): Promise<string> {
  const digest = await digestOf(value.split(".")[0]);
  return digest && `device ${digest}`;
}

function encode(text: string) {
  return new TextEncoder().encode(text);
}
