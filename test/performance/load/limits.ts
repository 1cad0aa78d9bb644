import type { Mix } from './scenarios.ts';
import { hasCredentials } from './traffic.ts';

/** A limit of the API that is lower than what the load would send. */
export interface LowLimit {
  /** Name of the policy, such as `reads`. */
  readonly policy: string;
  /** Requests that pass in one window. */
  readonly requests: number;
  readonly windowSeconds: number;
  /** Most requests a second, of all kinds together, that stay below it. */
  readonly rate: number;
}

export interface PlannedLoad {
  readonly origin: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly mix: Mix;
  /** Most requests a second. @default as many as are answered */
  readonly rate?: number;
  readonly seconds: number;
}

/** More than one process of Node.js sends in a second. */
const LARGEST_RATE = 20_000;
const TIMEOUT_MILLISECONDS = 5_000;

/** Policy, quota and window of a field such as `"reads";q=1000;w=60` (RateLimit-Policy, IETF draft 10); null when there is none. */
export function parseRateLimitPolicy(field: string | null): Omit<LowLimit, 'rate'> | null {
  const [, policy, rest = ''] = /^\s*"([^"]*)"(.*)$/.exec(field ?? '') ?? [];
  const requests = /;\s*q=(\d+)/.exec(rest)?.[1];
  const windowSeconds = /;\s*w=(\d+)/.exec(rest)?.[1];
  if (policy === undefined || requests === undefined || windowSeconds === undefined) return null;
  return { policy, requests: Number(requests), windowSeconds: Number(windowSeconds) };
}

/** One request of each kind that the load sends, and the share of them; those that write are refused for their body, and change nothing. */
function probesOf({ mix, headers }: PlannedLoad) {
  const mayUpdate = hasCredentials(headers);
  return [
    { method: 'GET', path: '/api/v1/users/1', share: mix.read + (mayUpdate ? 0 : mix.update) },
    { method: 'GET', path: '/api/v1/users?limit=1', share: mix.list },
    { method: 'POST', path: '/api/v1/users', share: mix.create },
    { method: 'PATCH', path: '/api/v1/users/1', share: mayUpdate ? mix.update : 0 },
  ].filter(({ share }) => share > 0);
}

/**
 * The limits that the load would meet, by what the API says of them; those that it does not name are not found.
 * Asks once for each kind of request in the mix.
 */
export async function findLowLimits(load: PlannedLoad): Promise<readonly LowLimit[]> {
  const shares = new Map<string, Omit<LowLimit, 'rate'> & { readonly share: number }>();
  for (const { method, path, share } of probesOf(load)) {
    const isWrite = method !== 'GET';
    const response = await fetch(`${load.origin}${path}`, {
      method,
      headers: { ...load.headers, ...(isWrite && { 'content-type': 'application/json' }) },
      ...(isWrite && { body: 'null' }),
      signal: AbortSignal.timeout(TIMEOUT_MILLISECONDS),
    });
    await response.arrayBuffer();
    const limit = parseRateLimitPolicy(response.headers.get('ratelimit-policy'));
    if (limit === null) continue;
    const known = shares.get(limit.policy)?.share ?? 0;
    shares.set(limit.policy, { ...limit, share: known + share });
  }
  const rate = load.rate ?? LARGEST_RATE;
  return [...shares.values()]
    .filter(({ share, requests, windowSeconds }) => {
      return rate * share * Math.min(load.seconds, windowSeconds) > requests;
    })
    .map(({ share, ...limit }) => ({
      ...limit,
      rate: Math.floor(limit.requests / limit.windowSeconds / share),
    }));
}
