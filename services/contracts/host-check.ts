import { isIP } from 'node:net';

/** What a refusal says, completing "Ask for …". */
export const HOSTS_ALLOWED = 'localhost, or for the address itself';

/**
 * Whether a Host field is `localhost` or an IP address literal, with or without a port. A page elsewhere reaches a local port
 * through a name of its own that resolves here (DNS rebinding), and then its own name is in Host; programs and people ask for an address.
 */
export function isAddressedDirectly(host: string | undefined): boolean {
  // Only what a host and port are made of: `address@name` and the like parse as a URL, too.
  if (host === undefined || !/^[\w.:[\]-]+$/.test(host)) return false;
  const hostname = URL.parse(`http://${host}`)?.hostname ?? '';
  return hostname === 'localhost' || isIP(hostname.replace(/^\[(.*)\]$/, '$1')) !== 0;
}
