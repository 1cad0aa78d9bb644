import { RedisHealth } from '../redis/redis-health.ts';
import { RedisScript, type ScriptClient } from '../redis/redis-script.ts';
import { exponentialBackoff, WITHDRAWAL_SCRIPT } from './algorithms/exponential-backoff.ts';
import { algorithmOf } from './algorithms/select.ts';
import type { RateLimiter } from './decision.ts';
import {
  defaultPolicies,
  policiesWith,
  policyOfUsersAtAddress,
  type RoutePolicyName,
} from './default-policies.ts';
import { FailureLimiter } from './failure-limiter.ts';
import { InProcessLimiter } from './in-process-limiter.ts';
import { redisKeyFormat } from './key.ts';
import { LeasedLimiter } from './leased-limiter.ts';
import { LOGIN_BACKOFF, LoginBackoff } from './login-backoff.ts';
import { definePolicy, type RateLimitPolicy } from './policy.ts';
import { SharedLimiter, type SharedState } from './shared-limiter.ts';

export interface RateLimiterOptions {
  readonly policy: RateLimitPolicy;
  /** @default none: this process enforces its share of the policy alone */
  readonly state?: SharedState;
  /** Processes that share the traffic; see `RATE_LIMIT_EXPECTED_PROCESSES`. @default 1 */
  readonly expectedProcesses?: number;
  /** Most keys held in this process. @default 50,000 */
  readonly maximumKeys?: number;
}

/**
 * The limiter that `policy` asks for: exact in Redis, or leased from it, or in this process.
 *
 * @throws PolicyError for a policy that cannot be enforced.
 */
export function createRateLimiter(options: RateLimiterOptions): RateLimiter {
  const policy = definePolicy(options.policy);
  const { state } = options;
  if (state === undefined) return new InProcessLimiter(options);
  if (policy.algorithm === 'token-bucket' && policy.leasedShare !== undefined) {
    const { leasedShare } = policy;
    return new LeasedLimiter({ ...options, state, policy: { ...policy, leasedShare } });
  }
  return new SharedLimiter({ ...options, state });
}

export interface RateLimitsOptions {
  /** Connected by the caller, who also closes it. @default none: every process limits by itself */
  readonly redis?: ScriptClient | null;
  /** `RATE_LIMITS`. @default none: the default policies */
  readonly overrides?: readonly string[];
  /** `RATE_LIMIT_EXPECTED_PROCESSES`. @default 1 */
  readonly expectedProcesses?: number;
  /** `RATE_LIMIT_KEY_SECRET`. @default none */
  readonly keySecret?: string | undefined;
  /** Called when this process begins to decide without Redis, with what failed. @default nothing */
  readonly onRedisDown?: (error: unknown) => void;
  /** Called when Redis decides again. @default nothing */
  readonly onRedisUp?: () => void;
}

/** All the limits of one process. */
export interface RateLimits {
  readonly limiters: Readonly<Record<RoutePolicyName, RateLimiter>>;
  /** What users behind one address count under together, besides the limit of each (`policyOfUsersAtAddress`). */
  readonly usersAtAddress: Readonly<Partial<Record<RoutePolicyName, RateLimiter>>>;
  /** Of API keys that do not exist, by address. */
  readonly unknownApiKeys: FailureLimiter;
  readonly loginBackoff: LoginBackoff;
  /** Whether Redis decides; false when there is none, or it is down. */
  readonly shared: boolean;
  /** Sends Redis the counts that it lacks; to be called before its client is closed. */
  close(): Promise<void>;
}

/**
 * The limiters of all policies, and the login backoff, on one Redis.
 *
 * @throws PolicyError when an override cannot be enforced.
 */
export function createRateLimits(options: RateLimitsOptions): RateLimits {
  const { redis = null, expectedProcesses = 1 } = options;
  const policies = policiesWith(options.overrides ?? []);
  const state = redis === null ? undefined : sharedState(redis, options);
  const limiterOf = (policy: RateLimitPolicy): RateLimiter =>
    createRateLimiter({ policy, expectedProcesses, ...(state !== undefined && { state }) });
  const limiter = (name: RoutePolicyName) => limiterOf(policies[name]);
  const limiterOfUsers = (name: RoutePolicyName) =>
    limiterOf(policyOfUsersAtAddress(policies[name]));
  const limiters = {
    reads: limiter('reads'),
    creates: limiter('creates'),
    updates: limiter('updates'),
    deletes: limiter('deletes'),
    logins: limiter('logins'),
  };
  const usersAtAddress = {
    reads: limiterOfUsers('reads'),
    updates: limiterOfUsers('updates'),
    deletes: limiterOfUsers('deletes'),
  };
  const { limit, windowSeconds } = policies['unknown-api-keys'];
  return {
    limiters,
    usersAtAddress,
    unknownApiKeys: new FailureLimiter({
      policy: { ...defaultPolicies['unknown-api-keys'], limit, windowSeconds },
    }),
    loginBackoff: new LoginBackoff(state === undefined ? {} : { state }),
    get shared() {
      return state?.health.isUp ?? false;
    },
    async close() {
      await Promise.all(
        [...Object.values(limiters), ...Object.values(usersAtAddress)].map((each) => each.close()),
      );
      state?.health.close();
    },
  };
}

function sharedState(client: ScriptClient, options: RateLimitsOptions): SharedState {
  const sources = [
    ...Object.values(policiesWith(options.overrides ?? [])).map((each) => algorithmOf(each).script),
    exponentialBackoff(LOGIN_BACKOFF).script,
    WITHDRAWAL_SCRIPT,
  ];
  const scripts = new Map(sources.map((source) => [source.name, new RedisScript(client, source)]));
  return {
    client,
    keyFormat: redisKeyFormat(options.keySecret),
    health: new RedisHealth({
      // Loading the scripts shows that Redis takes commands, and spares the first requests after a restart a second round trip.
      probe: () => Promise.all([...scripts.values()].map((script) => script.load())),
      ...(options.onRedisDown !== undefined && { onDown: options.onRedisDown }),
      ...(options.onRedisUp !== undefined && { onUp: options.onRedisUp }),
    }),
  };
}
