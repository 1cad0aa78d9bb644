import { atEndOfTickOutsideTrace, Batcher } from '../../contracts/batching/batcher.ts';
import { RedisScript } from '../redis/redis-script.ts';
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
import { Lease, type LeaseTerms } from './lease.ts';
import { burstOf, type TokenBucketPolicy } from './policy.ts';
import { RecentMap } from './recent-map.ts';
import type { SharedLimiterOptions, SharedState } from './shared-limiter.ts';

export type LeasedPolicy = TokenBucketPolicy & { readonly leasedShare: number };

export interface LeasedLimiterOptions extends SharedLimiterOptions {
  readonly policy: LeasedPolicy;
}

/**
 * Most requests of one key that one process passes without notifying Redis: `leasedShare` of the limit, divided among the
 * processes expected, and at least 1.
 */
export function leaseAllowance(policy: LeasedPolicy, expectedProcesses: number): number {
  return Math.max(1, Math.floor((policy.limit * policy.leasedShare) / expectedProcesses));
}

/**
 * Enforces a token bucket over all processes without making requests wait: each process passes requests of a key on a {@link Lease}, and
 * notifies Redis afterwards of those that are more than a few. Redis always takes what was passed, into debt if need be.
 *
 * The excess: in any stretch of time `t`, no more than `burst + limit × t / window + P × A × (1 + t / window)` requests of one key pass, with
 * `P` processes and `A` = {@link leaseAllowance}. For: (1) each process forgives at most `A` unpublished requests per window, which nobody pays;
 * (2) all others are paid by the shared bucket, whose level, less what is unpublished, falls below zero only by requests that processes pass before
 * they know that it is empty. Each passes at most `A` such, since that many may be unpublished, and then nothing until Redis has tokens again. Each time that a
 * process forgets a key, or ends, may add `A` once.
 *
 * Nothing is reserved in advance: tokens reserved by one process could not be used by another, and a client whose
 * requests are spread over many processes would be refused with most of its quota lying unused.
 */
export class LeasedLimiter implements RateLimiter {
  readonly policy: LeasedPolicy;
  readonly #terms: LeaseTerms;
  readonly #state: SharedState;
  readonly #script: RedisScript;
  readonly #bucketArguments: readonly number[];
  readonly #space: string;
  readonly #clock: () => number;
  readonly #counter = new DecisionCounter();
  readonly #insurance: InProcessLimiter;
  readonly #leases: RecentMap<Lease>;
  /** Leases that Redis is to be notified of once the requests of the tick are answered; a key may come several times. */
  readonly #toPublish = new Batcher<readonly [key: string, lease: Lease]>({
    atEndOfTick: atEndOfTickOutsideTrace,
    run: (leases) => this.#publishAll(new Map(leases)),
  });
  readonly #inFlight = new Set<Promise<unknown>>();

  constructor(options: LeasedLimiterOptions) {
    const { policy, state, expectedProcesses = 1, maximumKeys = MAXIMUM_KEYS } = options;
    const algorithm = tokenBucket(policy);
    this.policy = policy;
    this.#terms = {
      allowance: leaseAllowance(policy, expectedProcesses),
      windowMilliseconds: policy.windowSeconds * 1_000,
      limit: policy.limit,
      burst: burstOf(policy),
    };
    this.#state = state;
    this.#script = new RedisScript(state.client, algorithm.script);
    this.#bucketArguments = algorithm.scriptArguments;
    this.#space = spaceOf(policy);
    const clock = options.clock ?? (() => performance.now());
    this.#clock = () => Math.floor(clock());
    this.#leases = new RecentMap(maximumKeys);
    this.#insurance = new InProcessLimiter({
      policy,
      expectedProcesses,
      maximumKeys,
      clock,
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
    if (!this.#state.health.isUp) return this.#insurance.decideNow(key);
    const now = this.#clock();
    const lease = this.#leaseOf(key, now);
    const wait = lease.refusedFor(now);
    if (wait > 0) {
      return this.#counter.decision(this.policy, 'remembered', {
        allowed: false,
        remaining: 0,
        resetMilliseconds: wait,
        retryAfterMilliseconds: wait,
      });
    }
    const outcome = lease.spend(now);
    if (outcome === undefined) return undefined;
    if (lease.runsLow) this.#toPublish.add([key, lease]);
    return this.#counter.decision(this.policy, 'lease', outcome);
  }

  decide(key: string): RateLimitDecision | Promise<RateLimitDecision> {
    return this.decideNow(key) ?? this.#ask(key);
  }

  async close(): Promise<void> {
    this.#toPublish.flush();
    await Promise.all(this.#inFlight);
  }

  #leaseOf(key: string, now: number): Lease {
    const known = this.#leases.get(key);
    if (known !== undefined) return known;
    const lease = new Lease(this.#terms, now);
    this.#leases.set(key, lease);
    return lease;
  }

  #publishAll(leases: ReadonlyMap<string, Lease>): void {
    for (const [key, lease] of leases) {
      const publishing = this.#publish(key, lease, 0);
      this.#inFlight.add(publishing);
      void publishing.finally(() => this.#inFlight.delete(publishing));
    }
  }

  async #ask(key: string): Promise<RateLimitDecision> {
    const outcome = await this.#publish(key, this.#leaseOf(key, this.#clock()), 1);
    if (outcome === undefined) return this.#insurance.decideNow(key);
    return this.#counter.decision(this.policy, 'redis', outcome);
  }

  /** Publishes what was passed to Redis, and asks for `asking` requests more; `undefined` when Redis failed. */
  async #publish(key: string, lease: Lease, asking: 0 | 1): Promise<Outcome | undefined> {
    const askedAt = this.#clock();
    const spent = lease.publish(askedAt);
    try {
      const redisKey = this.#state.keyFormat(this.#space, key);
      const reply = await this.#script.run(redisKey, [...this.#bucketArguments, spent, asking]);
      const outcome = outcomeOf(reply);
      lease.published(spent, askedAt, outcome);
      return outcome;
    } catch (error) {
      lease.notPublished(spent);
      this.#state.health.failed(error);
      return undefined;
    }
  }
}
