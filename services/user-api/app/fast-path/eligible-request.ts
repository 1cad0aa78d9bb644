/**
 * All headers that a usual request has. Which header changes a response is known of these alone, so that a feature that reads another one need
 * not know of the fast path: a request with that header is not a usual one.
 */
const ELIGIBLE_HEADERS: readonly string[] = [
  // Read by the fast path itself, as the full path does.
  'host',
  'if-none-match',
  'x-forwarded-for',
  'x-request-id',
  // Obeyed by Node.js.
  'connection',
  'keep-alive',
  // There is one form of a user, uncompressed.
  'accept',
  'accept-charset',
  'accept-encoding',
  'accept-language',
  // A shared cache may obey them; an origin need not (RFC 9111, 5.2.1).
  'cache-control',
  'pragma',
  // Who is asking, and what for.
  'dnt',
  'priority',
  'referer',
  'sec-ch-ua',
  'sec-ch-ua-mobile',
  'sec-ch-ua-platform',
  'sec-fetch-dest',
  'sec-fetch-mode',
  'sec-fetch-site',
  'sec-fetch-user',
  'sec-gpc',
  'upgrade-insecure-requests',
  'user-agent',
  // What CloudFront and the load balancer add.
  'via',
  'x-amz-cf-id',
  'x-amzn-trace-id',
  'x-forwarded-port',
  'x-forwarded-proto',
];

/** Names are looked up as they are written; other ways to write one are learned, up to this many in all. */
const NAMES_MAXIMUM = 256;

/** Hosts that the full path takes as they are; others it looks into, and refuses some. */
const ELIGIBLE_HOST = /^[a-z0-9._-]+(?::(?:[1-5]\d{3,4}|[6-9]\d{3}))?$/;

/** As many digits as a safe integer can have. */
const ID_MAXIMUM_DIGITS = 16;
const ZERO = 0x30;

/**
 * Makes the function that tells whether the headers of a request, names and values in turn as they came, are those of a usual one: each of
 * them one of a list, and one Host.
 */
export function createHeaderCheck(): (raw: readonly string[]) => boolean {
  const names = new Set(ELIGIBLE_HEADERS);
  let eligibleHost = '';

  const isEligibleName = (name: string): boolean => {
    if (names.has(name)) return true;
    if (!names.has(name.toLowerCase())) return false;
    if (names.size < NAMES_MAXIMUM) names.add(name);
    return true;
  };
  const isEligibleHost = (host: string): boolean => {
    if (host === eligibleHost) return true;
    if (!ELIGIBLE_HOST.test(host)) return false;
    eligibleHost = host;
    return true;
  };

  return (raw) => {
    let hosts = 0;
    for (let index = 0; index < raw.length; index += 2) {
      const name = raw[index] ?? '';
      if (!isEligibleName(name)) return false;
      if (name.length !== 4 || name.toLowerCase() !== 'host') continue;
      hosts += 1;
      if (!isEligibleHost(raw[index + 1] ?? '')) return false;
    }
    return hosts === 1;
  };
}

/** The id that a path ends with, after one of `prefixes`; 0 when it is no path of a resource. */
export function idIn(url: string, prefixes: readonly string[]): number {
  for (const prefix of prefixes) if (url.startsWith(prefix)) return idFrom(url, prefix.length);
  return 0;
}

function idFrom(url: string, start: number): number {
  const digits = url.length - start;
  if (digits === 0 || digits > ID_MAXIMUM_DIGITS || url.charCodeAt(start) === ZERO) return 0;
  let id = 0;
  for (let index = start; index < url.length; index += 1) {
    const digit = url.charCodeAt(index) - ZERO;
    if (digit < 0 || digit > 9) return 0;
    id = id * 10 + digit;
  }
  return id <= Number.MAX_SAFE_INTEGER ? id : 0;
}
