import { outcomeOf } from './algorithms/algorithm.ts';
import { tokenBucket } from './algorithms/token-bucket.ts';
import {
  DecisionCounter,
  type Outcome,
  type RateLimitDecision,
  type RateLimiter,
} from './decision.ts';
import { InProcessLimiter, MAXIMUM_KEYS } from './in-process-limiter.ts';
import { spaceOf } from './key.ts';
import { Lease } from './lease.ts';
import { capacityOf, type TokenBucketPolicy } from './policy.ts';
import { RecentMap } from './recent-map.ts';
import { RedisScript } from './redis-script.ts';
import { SettlementQueue } from './settlement-queue.ts';
import type { SharedLimiterOptions, SharedState } from './shared-limiter.ts';

/** Longest that Redis is not told of requests that passed, in milliseconds, while a lease lasts. One command per active key and second is little beside the requests. */
export const SETTLE_INTERVAL_MILLISECONDS = 1_000;

export interface LeasedLimiterOptions extends SharedLimiterOptions {
  readonly policy: TokenBucketPolicy & { readonly leasedShare: number };
  /** @default {@link SETTLE_INTERVAL_MILLISECONDS} */
  readonly settleIntervalMilliseconds?: number;
}

/**
 * Most requests of one key that one process passes before it has told Redis: `leasedShare` of the limit, divided among the
 * processes expected, and at least 1. With P processes running, at most P × this many pass over what the policy allows.
 */
export function leaseAllowance(
  policy: TokenBucketPolicy & { readonly leasedShare: number },
  expectedProcesses: number,
): number {
  return Math.max(1, Math.floor((policy.limit * policy.leasedShare) / expectedProcesses));
}

/**
 * Enforces a token bucket over all processes without making requests wait: a process passes requests of a key on a
 * lease, and tells Redis afterwards what it passed. Redis always takes what was passed, into debt if need be, so an excess is
 * made good by refusing later, and does not add up.
 *
 * The excess, in any stretch of time `t`: no more than `burst + limit × t / window + P × A` requests of one key pass, with `P` processes and
 * `A` = {@link leaseAllowance}. For: the bucket's level, less what Redis has not been told, falls below zero only by requests that
 * processes pass before they hear that it is empty; each passes at most `A` such, and then nothing until Redis says that there are tokens. A
 * process that dies with requests untold adds at most `A` for each key.
 *
 * Nothing is reserved in advance: tokens reserved by one process could not be used by another, and a client whose
 * requests are spread over many processes would be refused with most of its quota lying unused.
 */
export class LeasedLimiter implements RateLimiter {
  readonly policy: TokenBucketPolicy;
  readonly #allowance: number;
  readonly #state: SharedState;
  readonly #script: RedisScript;
  readonly #bucketArguments: readonly number[];
  readonly #space: string;
  readonly #clock: () => number;
  readonly #counter = new DecisionCounter();
  readonly #insurance: InProcessLimiter;
  readonly #leases: RecentMap<Lease>;
  readonly #settlements: SettlementQueue<Lease>;

  constructor(options: LeasedLimiterOptions) {
    const { policy, state, expectedProcesses = 1, maximumKeys = MAXIMUM_KEYS } = options;
    const algorithm = tokenBucket(policy);
    this.policy = policy;
    this.#allowance = leaseAllowance(policy, expectedProcesses);
    this.#state = state;
    this.#script = new RedisScript(state.client, algorithm.script);
    this.#bucketArguments = algorithm.scriptArguments;
    this.#space = spaceOf(policy);
    this.#clock = options.clock ?? (() => performance.now());
    this.#leases = new RecentMap(maximumKeys);
    this.#settlements = new SettlementQueue({
      settle: (key, lease) => this.#settle(key, lease),
      intervalMilliseconds: options.settleIntervalMilliseconds ?? SETTLE_INTERVAL_MILLISECONDS,
      ready: () => state.availability.available,
    });
    this.#insurance = new InProcessLimiter({
      policy,
      expectedProcesses,
      maximumKeys,
      clock: this.#clock,
      counter: this.#counter,
    });
  }

  get counts() {
    return this.#counter.counts;
  }

  /** Keys held. */
  get size(): number {
    return this.#leases.size;
  }

  decideNow(key: string): RateLimitDecision | undefined {
    if (!this.#state.availability.available) return this.#insurance.decideNow(key);
    let lease = this.#leases.get(key);
    const first = lease === undefined;
    if (lease === undefined) {
      lease = this.#settlements.get(key) ?? this.#newLease();
      this.#leases.set(key, lease);
    }
    const wait = lease.refusedFor(this.#clock());
    if (wait > 0) {
      return this.#counter.decision(this.policy, 'remembered', {
        allowed: false,
        remaining: 0,
        resetMilliseconds: wait,
        retryAfterMilliseconds: wait,
      });
    }
    const outcome = lease.spend();
    if (outcome === undefined) return undefined;
    // A key that is new here may have been used up elsewhere, so Redis is asked as soon as this request is answered.
    if (first || lease.runsLow) this.#settlements.soon(key, lease);
    else if (lease.spent === 1) this.#settlements.later(key, lease);
    return this.#counter.decision(this.policy, 'lease', outcome);
  }

  decide(key: string): RateLimitDecision | Promise<RateLimitDecision> {
    return this.decideNow(key) ?? this.#ask(key);
  }

  close(): Promise<void> {
    return this.#settlements.close();
  }

  #newLease(): Lease {
    return new Lease(this.#allowance, capacityOf(this.policy));
  }

  async #settle(key: string, lease: Lease): Promise<void> {
    if (lease.spent > 0) await this.#tell(key, lease, 0);
  }

  async #ask(key: string): Promise<RateLimitDecision> {
    const outcome = await this.#tell(key, this.#leases.get(key) ?? this.#newLease(), 1);
    if (outcome === undefined) return this.#insurance.decideNow(key);
    return this.#counter.decision(this.policy, 'redis', outcome);
  }

  /** Tells Redis what the lease spent, and takes `cost` tokens there if there are so many; `undefined` when Redis failed. */
  async #tell(key: string, lease: Lease, cost: 0 | 1): Promise<Outcome | undefined> {
    const askedAt = this.#clock();
    const spent = lease.settle();
    try {
      const redisKey = this.#state.keyFormat(this.#space, key);
      const reply = await this.#script.run(redisKey, [...this.#bucketArguments, cost, spent]);
      const outcome = outcomeOf(reply);
      lease.settled(spent, askedAt, outcome);
      return outcome;
    } catch (error) {
      lease.notSettled(spent);
      if (spent > 0) this.#settlements.later(key, lease);
      this.#state.availability.failed(error);
      return undefined;
    }
  }
}
