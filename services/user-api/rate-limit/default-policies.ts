import { nearestName } from '../../contracts/environment/misspelt.ts';
import {
  definePolicy,
  MAXIMUM_LIMIT,
  MAXIMUM_SLIDING_LIMIT,
  PolicyError,
  type RateLimitPolicy,
} from './policy.ts';

const MINUTE_SECONDS = 60;

const BY_USER_AND_ADDRESS = ['user', 'address'] as const;

/** So many times its limit may all users behind one address have together: accounts cost nothing, but people share addresses. */
const USERS_OF_ADDRESS = 10;

/** The policies of the API. `RATE_LIMITS` may change the limit and the window of each; see {@link policiesWith}. */
export const defaultPolicies = {
  /**
   * The hot path, so it is leased: no request waits for Redis. A bucket, because it frees a throttled reader's next
   * request after 60 ms rather than at the end of a window.
   */
  reads: {
    name: 'reads',
    algorithm: 'token-bucket',
    limit: 1_000,
    windowSeconds: MINUTE_SECONDS,
    // A tenth too much in the long run, and two in the worst minute; fewer than that many requests of a key cost Redis nothing.
    leasedShare: 0.1,
    keyedBy: BY_USER_AND_ADDRESS,
  },
  /**
   * Creating sends an email and takes storage: the exact algorithm, with no doubling across the edge of a window, and the same limit for
   * an address and all its accounts.
   */
  creates: {
    name: 'creates',
    algorithm: 'sliding-window',
    limit: 100,
    windowSeconds: MINUTE_SECONDS,
    keyedBy: BY_USER_AND_ADDRESS,
  },
  /** The cheapest algorithm: a client that gets its limit twice around the edge of a window does no harm, since updates are guarded by version. */
  updates: {
    name: 'updates',
    algorithm: 'fixed-window',
    limit: 100,
    windowSeconds: MINUTE_SECONDS,
    keyedBy: BY_USER_AND_ADDRESS,
  },
  /** Deleting cannot be undone: exact, as creates are. */
  deletes: {
    name: 'deletes',
    algorithm: 'sliding-window',
    limit: 50,
    windowSeconds: MINUTE_SECONDS,
    keyedBy: BY_USER_AND_ADDRESS,
  },
  /**
   * Guessing passwords, over all accounts, from one address; each account has its own backoff besides (`login-backoff.ts`).
   * By address only: a client that logs in has not proved anything yet.
   */
  logins: {
    name: 'logins',
    algorithm: 'sliding-window',
    limit: 10,
    windowSeconds: MINUTE_SECONDS,
    keyedBy: ['address'],
  },
  /**
   * API keys that turn out not to exist (`failure-limiter.ts`). Each costs a look into the database, which the limits of routes would allow as
   * often as they allow requests. More than anybody mistypes; good keys don't count, however many are behind one address.
   */
  'unknown-api-keys': {
    name: 'unknown-api-keys',
    algorithm: 'fixed-window',
    limit: 20,
    windowSeconds: MINUTE_SECONDS,
    keyedBy: ['address'],
  },
} as const satisfies Record<string, RateLimitPolicy>;

/** `RATE_LIMITS` for load tests: nearly all that policies take. Logins keep their limit, as hashing passwords is bounded anyway. */
export const HIGH_LIMITS = 'reads=10000000/1,creates=10000/1,updates=10000000/1,deletes=10000/1';

export type PolicyName = keyof typeof defaultPolicies;
/** Those that requests count under by their route. */
export type RoutePolicyName = Exclude<PolicyName, 'unknown-api-keys'>;

function isPolicyName(name: string): name is PolicyName {
  return Object.hasOwn(defaultPolicies, name);
}

/** What is wrong with one override; null when it was put into `policies`. */
function override(policies: Record<PolicyName, RateLimitPolicy>, text: string): string | null {
  const [, name = '', limit, windowSeconds] = /^(.+)=(\d+)\/(\d+)$/.exec(text) ?? [];
  if (!isPolicyName(name)) {
    const names = Object.keys(defaultPolicies);
    const meant = nearestName(name, names, Math.ceil(name.length / 3));
    const guess = meant === undefined ? '' : ` Did you mean "${meant}"?`;
    return `RATE_LIMITS got "${text}"; it takes <policy>=<requests>/<seconds>.${guess} The policies are ${names.join(', ')}`;
  }
  policies[name] = {
    ...defaultPolicies[name],
    limit: Number(limit),
    windowSeconds: Number(windowSeconds),
  };
  try {
    definePolicy(policies[name]);
    return null;
  } catch (error) {
    if (error instanceof PolicyError) return `RATE_LIMITS got "${text}": ${error.message}`;
    throw error;
  }
}

/**
 * The default policies, with other limits and windows for some: each of `overrides` (the value of `RATE_LIMITS`) reads
 * `<name>=<requests>/<seconds>`. A burst is that of the new limit.
 *
 * @throws {@link PolicyError} naming each override with an unknown name, another form, or a limit or window out of range.
 */
export function policiesWith(
  overrides: readonly string[],
): Readonly<Record<PolicyName, RateLimitPolicy>> {
  const policies: Record<PolicyName, RateLimitPolicy> = { ...defaultPolicies };
  const faults = overrides
    .map((text) => override(policies, text))
    .filter((fault) => fault !== null);
  if (faults.length > 0) throw new PolicyError(faults.join('\n'));
  return policies;
}

/**
 * `policy` for all users behind one address together: ten times as much as one of them may. Creates have none, as accounts must bring nothing there:
 * they count with everybody else behind the address.
 */
export function policyOfUsersAtAddress(policy: RateLimitPolicy): RateLimitPolicy {
  const most = policy.algorithm === 'sliding-window' ? MAXIMUM_SLIDING_LIMIT : MAXIMUM_LIMIT;
  const limit = Math.min(most, policy.limit * USERS_OF_ADDRESS);
  return { ...policy, name: `${policy.name}-of-users-at-address`, limit, keyedBy: ['address'] };
}

interface Route {
  /** In whatever case. */
  readonly method: string;
  /** The route's pattern, as in the OpenAPI document. */
  readonly path: string;
}

/** By method, what a request does. HEAD counts as GET does. */
const byMethod: Readonly<Record<string, RoutePolicyName>> = {
  GET: 'reads',
  POST: 'creates',
  PATCH: 'updates',
  PUT: 'updates',
  DELETE: 'deletes',
};

/** Where the method does not tell; null for what counts under no policy. */
const byRoute: Readonly<Record<string, RoutePolicyName | null>> = {
  // Load balancers ask these, all from the same addresses.
  'GET /health': null,
  'GET /health/live': null,
  'GET /health/ready': null,
  // Each looks at a password, or at a secret that stands for one, or sends an email to somebody else.
  'POST /api/v1/auth/login': 'logins',
  'POST /api/v1/auth/password-resets': 'logins',
  'POST /api/v1/auth/password-resets/confirm': 'logins',
  // Many people behind one address refresh their sessions, and nothing can be guessed there.
  'POST /api/v1/auth/refresh': 'updates',
  'POST /api/v1/auth/logout': 'updates',
};

/** The policy that requests to a route count under; null for none. */
export function policyOf({ method, path }: Route): RoutePolicyName | null {
  const name = method.toUpperCase();
  const special = byRoute[`${name} ${path}`];
  return special === undefined ? (byMethod[name] ?? 'updates') : special;
}
