import { definePolicy, PolicyError, type RateLimitPolicy } from './policy.ts';

const MINUTE_SECONDS = 60;

/** A client that has proved who it is shares no limit with others behind its address. */
export const BY_CLIENT = ['api-key', 'user', 'address'] as const;

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
    keyedBy: BY_CLIENT,
  },
  /** Creating sends an email and takes storage: the exact algorithm, with no doubling across the edge of a window. */
  creates: {
    name: 'creates',
    algorithm: 'sliding-window',
    limit: 100,
    windowSeconds: MINUTE_SECONDS,
    keyedBy: BY_CLIENT,
  },
  /** The cheapest algorithm: a client that gets its limit twice around the edge of a window does no harm, since updates are guarded by version. */
  updates: {
    name: 'updates',
    algorithm: 'fixed-window',
    limit: 100,
    windowSeconds: MINUTE_SECONDS,
    keyedBy: BY_CLIENT,
  },
  /** Deleting cannot be undone: exact, as creates are. */
  deletes: {
    name: 'deletes',
    algorithm: 'sliding-window',
    limit: 50,
    windowSeconds: MINUTE_SECONDS,
    keyedBy: BY_CLIENT,
  },
  /**
   * Guessing passwords, over all accounts, from one address; each account has its own backoff besides (`login-backoff.ts`).
   * By address only: whoever logs in has not proved anything yet.
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

export type PolicyName = keyof typeof defaultPolicies;
/** Those that requests count under by their route. */
export type RoutePolicyName = Exclude<PolicyName, 'unknown-api-keys'>;

function isPolicyName(name: string): name is PolicyName {
  return Object.hasOwn(defaultPolicies, name);
}

/**
 * The default policies, with other limits and windows for some: each of `overrides` (the value of `RATE_LIMITS`) reads
 * `<name>=<requests>/<seconds>`. A burst is that of the new limit.
 *
 * @throws {@link PolicyError} for an unknown name, another form, and a limit or window out of range.
 */
export function policiesWith(
  overrides: readonly string[],
): Readonly<Record<PolicyName, RateLimitPolicy>> {
  const policies: Record<PolicyName, RateLimitPolicy> = { ...defaultPolicies };
  for (const override of overrides) {
    const [, name = '', limit, windowSeconds] = /^(.+)=(\d+)\/(\d+)$/.exec(override) ?? [];
    if (!isPolicyName(name)) {
      const names = Object.keys(defaultPolicies).join(', ');
      throw new PolicyError(
        `RATE_LIMITS got "${override}"; it takes <policy>=<requests>/<seconds>, and the policies are ${names}`,
      );
    }
    policies[name] = {
      ...defaultPolicies[name],
      limit: Number(limit),
      windowSeconds: Number(windowSeconds),
    };
  }
  for (const policy of Object.values(policies)) definePolicy(policy);
  return policies;
}
