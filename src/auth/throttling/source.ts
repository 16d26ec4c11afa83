/**
 * Where a request comes from, as far as throttling tells callers apart: the client's address and network, and a device
 * that an account was signed in from before. Only `cf-connecting-ip` counts, which Cloudflare sets.
 */
import { getIP } from "better-auth/api";
import { parse } from "hono/utils/cookie";
import { DAY_MS } from "../../time.ts";
import type { Device, Devices } from "./devices.ts";

export type Source = Device & {
  /** An IPv4 address, or an IPv6 network of 64 bits; empty when it is not known. */
  address: string;
  /** The neighbours of the address: 24 bits of IPv4, 48 of IPv6; empty when it is not known. */
  network: string;
};

export const NOWHERE: Source = { address: "", network: "", device: "", isIssued: false };

const ADDRESS_HEADER = "cf-connecting-ip";
const DEVICE_COOKIE = "edge-tasks.device";
/** How long an address or a device is known that an account was not signed in from since. */
export const KNOWN_SOURCE_DAYS = 400;

/** Tells where a request comes from. */
export async function sourceOf(request: Request, devices: Devices): Promise<Source> {
  const address = addressIn(request, 64);
  const isV6 = address.includes(":");
  const network = isV6 ? `${addressIn(request, 48)}/48` : address.replace(/\.\d+$/, ".0/24");
  const cookies = parse(request.headers.get("cookie") ?? "");
  const device = await devices.read(cookies[deviceCookieName(request.url)] ?? "");
  return { address, network: address && network, ...device };
}

/** The cookie that makes a browser known. */
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
