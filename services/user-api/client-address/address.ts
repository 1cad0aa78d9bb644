import { isIPv4, isIPv6 } from 'node:net';

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
  const groups = groupsOf(address);
  const mapped = groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff;
  if (!mapped) return address;
  const [high = 0, low = 0] = groups.slice(6);
  return [high >> 8, high & 0xff, low >> 8, low & 0xff].join('.');
}

/** The eight 16-bit groups of an IPv6 address that is known to be well formed. */
function groupsOf(address: string): number[] {
  const [head = '', tail] = address.split('::');
  const before = groupsOfPart(head);
  if (tail === undefined) return before;
  const after = groupsOfPart(tail);
  const zeros = Array.from({ length: 8 - before.length - after.length }, () => 0);
  return [...before, ...zeros, ...after];
}

function groupsOfPart(part: string): number[] {
  if (part === '') return [];
  return part.split(':').flatMap((group) => {
    if (!group.includes('.')) return [Number.parseInt(group, 16)];
    const [a = 0, b = 0, c = 0, d = 0] = group.split('.').map(Number);
    return [(a << 8) | b, (c << 8) | d];
  });
}

/**
 * What requests from `address` are counted under: an IPv4 address itself, and the /64 network of an IPv6 one, such as `2001:db8:0:1::/64`.
 * A site gets at least a /64 (RFC 6177, and RFC 4291, section 2.5.4, for the 64 bits of interface), so whoever has one has 2^64 addresses to send from.
 *
 * @param address as {@link parseAddress} gives it.
 */
export function networkOf(address: string): string {
  if (!address.includes(':')) return address;
  const groups = groupsOf(address).slice(0, 4);
  return `${groups.map((group) => group.toString(16)).join(':')}::/64`;
}
