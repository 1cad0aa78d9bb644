import { isIP } from 'node:net';

/** The allowed hosts in a refusal, completing "Ask for …". */
export const HOSTS_ALLOWED = 'localhost, or for the address itself';

/**
 * Whether a Host field is `localhost` or an IP address, with or without a port. With DNS rebinding, a web page reaches a local port through a name of
 * its own, which is in Host.
 */
export function isAddressedDirectly(host: string | undefined): boolean {
  // Only the characters of a host and port: `address@name` parses as a URL, too.
  if (host === undefined || !/^[\w.:[\]-]+$/.test(host)) return false;
  const hostname = URL.parse(`http://${host}`)?.hostname ?? '';
  return hostname === 'localhost' || isIP(hostname.replace(/^\[(.*)\]$/, '$1')) !== 0;
}
