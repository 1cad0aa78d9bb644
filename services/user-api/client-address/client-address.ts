import type { IncomingMessage } from 'node:http';
import { BlockList, isIPv4 } from 'node:net';
import { RecentMap } from '../rate-limit/recent-map.ts';
import { networkOf, parseAddress } from './address.ts';

/** Trusted hops between the client and this process. */
export interface ProxyTrust {
  /** `TRUSTED_PROXY_HOPS`: proxies in front that each append to `X-Forwarded-For` the address they were called from. 0: the header is not read. */
  readonly hops: number;
  /**
   * `TRUSTED_PROXY_NETWORKS`: networks in CIDR notation that those proxies call from. When given, an entry is believed only if the
   * hop that appended it is in one of them. @default every network: the hops are only counted
   */
  readonly networks?: readonly string[];
}

/** Key for requests without a known address, such as those whose socket has closed. */
export const UNKNOWN_ADDRESS = 'unknown';

export type ClientAddressFinder = (
  socketAddress: string | undefined,
  forwardedFor: string | undefined,
) => string;

/**
 * Makes the function that finds the network of a request's client (see {@link networkOf}).
 *
 * Each proxy appends the address that called it to `X-Forwarded-For`, after the client's own entries. On AWS
 * (https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/RequestAndResponseBehaviorCustomOrigin.html#RequestCustomIPAddresses and
 * https://docs.aws.amazon.com/elasticloadbalancing/latest/application/x-forwarded-headers.html) it is
 *
 * `<written by the client>, <client, by CloudFront>, <CloudFront, by the load balancer>`, and the socket is the load balancer's.
 *
 * The walk begins at the socket, which cannot be forged, and goes at most `hops` entries to the left. It ends early at a hop outside
 * `networks`,
 * at the end of the header, and before a malformed entry. The client's own entries are out of reach.
 *
 * `CloudFront-Viewer-Address` is not read: a client may send its own, unless the origin request policy adds it.
 *
 * @throws RangeError for a network that is not in CIDR notation.
 */
export function createClientAddressFinder(trust: ProxyTrust): ClientAddressFinder {
  const hopOf = hopReader(trust.networks ?? []);
  return (socketAddress, forwardedFor) => {
    let hop = socketAddress === undefined ? undefined : hopOf(socketAddress);
    if (hop === undefined) return UNKNOWN_ADDRESS;
    let rest = forwardedFor ?? '';
    for (let count = 0; count < trust.hops && rest !== '' && hop.believed; count += 1) {
      const comma = rest.lastIndexOf(',');
      const appended = hopOf(rest.slice(comma + 1));
      if (appended === undefined) break;
      hop = appended;
      rest = comma === -1 ? '' : rest.slice(0, comma);
    }
    return hop.network;
  };
}

interface Hop {
  readonly network: string;
  /** Whether what it appended is believed. */
  readonly believed: boolean;
}

/** Longer than an IPv6 address with brackets, a zone and a port. */
const LONGEST_ENTRY = 80;

/** Cached entries: proxies, which come with every request, and frequent clients. */
const REMEMBERED_ENTRIES = 4_096;

/** Caches parsed entries: parsing takes microseconds, which is much on a path of some twenty. */
function hopReader(networks: readonly string[]): (entry: string) => Hop | undefined {
  const believes = trustedNetworks(networks);
  const remembered = new RecentMap<Hop>(REMEMBERED_ENTRIES);
  return (entry) => {
    const known = remembered.get(entry);
    if (known !== undefined) return known;
    if (entry.length > LONGEST_ENTRY) return undefined;
    // A copy: a substring would keep the whole header in memory.
    const copy = Buffer.from(entry).toString();
    const address = parseAddress(copy);
    if (address === undefined) return undefined;
    const hop = { network: networkOf(address), believed: believes(address) };
    remembered.set(copy, hop);
    return hop;
  };
}

export type RequestAddressFinder = (request: Pick<IncomingMessage, 'headers' | 'socket'>) => string;

/** {@link createClientAddressFinder}, for requests as Node.js receives them. Several header lines count as one, in their order. */
export function createRequestAddressFinder(trust: ProxyTrust): RequestAddressFinder {
  const find = createClientAddressFinder(trust);
  return (request) => {
    const header = request.headers['x-forwarded-for'];
    const forwardedFor = Array.isArray(header) ? header.join(',') : header;
    return find(request.socket.remoteAddress, forwardedFor);
  };
}

function trustedNetworks(networks: readonly string[]): (address: string) => boolean {
  if (networks.length === 0) return () => true;
  const list = new BlockList();
  for (const network of networks) {
    const [, address = '', prefix = ''] = /^([\da-f:.]+)\/(\d{1,3})$/i.exec(network) ?? [];
    try {
      list.addSubnet(address, Number.parseInt(prefix, 10), isIPv4(address) ? 'ipv4' : 'ipv6');
    } catch (cause) {
      throw new RangeError(
        `TRUSTED_PROXY_NETWORKS got "${network}"; it takes networks such as 10.0.0.0/16 or 2001:db8::/56`,
        { cause },
      );
    }
  }
  return (address) => list.check(address, isIPv4(address) ? 'ipv4' : 'ipv6');
}
