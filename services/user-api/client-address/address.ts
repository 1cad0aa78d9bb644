import { isIPv4, isIPv6 } from 'node:net';
import ipaddr from 'ipaddr.js';

const { IPv6 } = ipaddr;

/**
 * The IP address in one entry of a forwarding header, or of a socket: with or without a port (`192.0.2.1:443`, `[2001:db8::1]:443`) or
 * brackets. An IPv4 address mapped into IPv6 (`::ffff:192.0.2.1`) is given as IPv4, as both are the same client.
 *
 * @returns the address, or `undefined` when the entry is none (`unknown`, an obfuscated name, anything malformed).
 */
export function parseAddress(entry: string): string | undefined {
  const text = entry.trim();
  const bracketed = /^\[([^\]]*)\](?::\d{1,5})?$/.exec(text);
  if (bracketed !== null) return ipv6Address(bracketed[1] ?? '');
  const colon = text.indexOf(':');
  if (colon === -1) return isIPv4(text) ? text : undefined;
  if (colon === text.lastIndexOf(':')) {
    const address = text.slice(0, colon);
    return isIPv4(address) && /^\d{1,5}$/.test(text.slice(colon + 1)) ? address : undefined;
  }
  return ipv6Address(text);
}

function ipv6Address(text: string): string | undefined {
  if (!isIPv6(text)) return undefined;
  // A zone (`fe80::1%eth0`) names an interface of this machine, not the client.
  const zone = text.indexOf('%');
  const address = (zone === -1 ? text : text.slice(0, zone)).toLowerCase();
  const { parts } = IPv6.parse(address);
  return hasPrefix(parts, [0, 0, 0, 0, 0, 0xffff]) ? ipv4Of(parts.slice(6)) : address;
}

const hasPrefix = (groups: readonly number[], prefix: readonly number[]) =>
  prefix.every((group, at) => groups[at] === group);

/** The IPv4 address of two groups of 16 bits; `flipped` where all bits are. */
function ipv4Of([high = 0, low = 0]: readonly number[], flipped = 0): string {
  return [high >> 8, high & 0xff, low >> 8, low & 0xff].map((byte) => byte ^ flipped).join('.');
}

/** Networks whose addresses embed one of IPv4, which separates clients better than the network does. */
function embeddedIpv4(groups: readonly number[]): string | undefined {
  const isTranslated =
    // NAT64 (RFC 6052; RFC 8215 for networks of one's own), SIIT (RFC 2765).
    hasPrefix(groups, [0x64, 0xff9b, 0, 0, 0, 0]) ||
    hasPrefix(groups, [0x64, 0xff9b, 1, 0, 0, 0]) ||
    hasPrefix(groups, [0, 0, 0, 0, 0xffff, 0]);
  if (isTranslated) return ipv4Of(groups.slice(6));
  // 6to4 (RFC 3056): a network of 2^16 /64s for each IPv4 address.
  if (groups[0] === 0x2002) return ipv4Of(groups.slice(1));
  // Teredo (RFC 4380): all clients of a server in one /64.
  return hasPrefix(groups, [0x2001, 0]) ? ipv4Of(groups.slice(6), 0xff) : undefined;
}

/**
 * Key for counting requests from `address`: the IPv4 address, also one embedded in IPv6 by a translator or tunnel; else the /64 network, such
 * as
 * `2001:db8:0:1::/64`. A site gets at least a /64 (RFC 6177; RFC 4291, 2.5.4), so a client has 2^64 addresses.
 *
 * @param address as {@link parseAddress} gives it.
 */
export function networkOf(address: string): string {
  if (!address.includes(':')) return address;
  const { parts } = IPv6.parse(address);
  const network = parts.slice(0, 4).map((group) => group.toString(16));
  return embeddedIpv4(parts) ?? `${network.join(':')}::/64`;
}
