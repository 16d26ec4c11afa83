/**
 * Where a request comes from, as far as throttling tells callers apart: the client's address and network, and a device
 * that an account was signed in from before. Only `cf-connecting-ip` counts, which Cloudflare sets.
 * @see https://owasp.org/www-community/Slow_Down_Online_Guessing_Attacks_with_Device_Cookies
 */
import { getIP } from "better-auth/api";
import { parse } from "hono/utils/cookie";
import { DAY_MS } from "../../time.ts";
import { digestOf } from "../secrets.ts";

export type Source = {
  /** An IPv4 address, or an IPv6 network of 64 bits; empty when it is not known. */
  address: string;
  /** The neighbours of the address: 24 bits of IPv4, 48 of IPv6; empty when it is not known. */
  network: string;
  /** The digest of the device cookie; empty without one. */
  device: string;
};

export const NOWHERE: Source = { address: "", network: "", device: "" };

const ADDRESS_HEADER = "cf-connecting-ip";
const DEVICE_COOKIE = "edge-tasks.device";
/** How long an address or a device is known that an account was not signed in from since. */
export const KNOWN_SOURCE_DAYS = 400;

/** Tells where a request comes from. */
export async function sourceOf(request: Request): Promise<Source> {
  const address = addressIn(request, 64);
  const isV6 = address.includes(":");
  const network = isV6 ? `${addressIn(request, 48)}/48` : address.replace(/\.\d+$/, ".0/24");
  const cookies = parse(request.headers.get("cookie") ?? "");
  const device = cookies[deviceCookieName(request.url)] ?? "";
  return { address, network: address && network, device: await nameDevice(device) };
}

/** Names a device by the value of its cookie; empty where that is none of ours. */
export async function nameDevice(value: string): Promise<string> {
  const digest = await digestOf(value);
  return digest && `device ${digest}`;
}

/** The cookie that makes a browser known. It opens nothing. */
export function deviceCookie(url: string, value: string): string {
  const secure = url.startsWith("https:") ? "; Secure" : "";
  return `${deviceCookieName(url)}=${value}; Max-Age=${(KNOWN_SOURCE_DAYS * DAY_MS) / 1000}; Path=/; HttpOnly; SameSite=Lax${secure}`;
}

function deviceCookieName(url: string): string {
  return url.startsWith("https:") ? `__Host-${DEVICE_COOKIE}` : DEVICE_COOKIE;
}

function addressIn({ headers }: Request, ipv6Subnet: 48 | 64): string {
  // Without the header, Better Auth would name this machine where it takes the environment for a test.
  if (!headers.get(ADDRESS_HEADER)) return "";
  return getIP(headers, { advanced: { ipAddress: { ipAddressHeaders: [ADDRESS_HEADER], ipv6Subnet } } }) ?? "";
}
