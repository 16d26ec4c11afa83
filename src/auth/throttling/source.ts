/**
 * Where a request comes from: the client's address, its network, and a device that signed in before. The address is that of
 * `cf-connecting-ip`, which Cloudflare sets; no other header counts.
 */
import { getIP } from "better-auth/api";
import { parse } from "hono/utils/cookie";
import { DAY_MS } from "../../time.ts";
import { KNOWN_SOURCE_DAYS } from "../retention.ts";
import type { Device, Devices } from "./devices.ts";

export type Source = Device & {
  /** An IPv4 address, or an IPv6 network of 64 bits; empty if unknown. */
  address: string;
  /** The network around the address: 24 bits of IPv4, 48 of IPv6; empty if unknown. */
  network: string;
};

export const NOWHERE: Source = { address: "", network: "", device: "", isIssued: false };

const ADDRESS_HEADER = "cf-connecting-ip";
const DEVICE_COOKIE = "edge-tasks.device";

/** Determines the source of a request. */
export async function sourceOf(request: Request, devices: Devices): Promise<Source> {
  const address = addressIn(request, 64);
  const isV6 = address.includes(":");
  const network = isV6 ? `${addressIn(request, 48)}/48` : address.replace(/\.\d+$/, ".0/24");
  const cookies = parse(request.headers.get("cookie") ?? "");
  const device = await devices.read(cookies[deviceCookieName(request.url)] ?? "");
  return { address, network: address && network, ...device };
}

/** The `Set-Cookie` value for a device. */
export function deviceCookie(url: string, value: string): string {
  const secure = url.startsWith("https:") ? "; Secure" : "";
  return `${deviceCookieName(url)}=${value}; Max-Age=${(KNOWN_SOURCE_DAYS * DAY_MS) / 1000}; Path=/; HttpOnly; SameSite=Lax${secure}`;
}

function deviceCookieName(url: string): string {
  return url.startsWith("https:") ? `__Host-${DEVICE_COOKIE}` : DEVICE_COOKIE;
}

function addressIn({ headers }: Request, ipv6Subnet: 48 | 64): string {
  // Without the header, Better Auth returns 127.0.0.1 in what it takes for a test environment.
  if (!headers.get(ADDRESS_HEADER)) return "";
  return getIP(headers, { advanced: { ipAddress: { ipAddressHeaders: [ADDRESS_HEADER], ipv6Subnet } } }) ?? "";
}
