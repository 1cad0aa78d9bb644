import { atEndOfTickOutsideTrace, Batcher } from '../../contracts/batching/batcher.ts';
import { RedisScript } from '../redis/redis-script.ts';
import { parseOutcome } from './algorithms/algorithm.ts';
import { tokenBucket } from './algorithms/token-bucket.ts';
import {
  DecisionCounter,
  type RateLimitDecision,
  type RateLimiter,
  type RateLimitOutcome,
} from './decision.ts';
import { InProcessLimiter, MAXIMUM_KEYS } from './in-process-limiter.ts';
import { spaceOf } from './key.ts';
import { burstOf, type TokenBucketPolicy } from './policy.ts';
import { RecentMap } from './recent-map.ts';
import type { SharedLimiterOptions, SharedState } from './shared-limiter.ts';

/** Sizes of a lease, in requests and milliseconds. */
export interface LeaseTerms {
  /** Most requests that passed and that Redis does not know of; as many are forgiven per window. */
  readonly allowance: number;
  /** Of the shared bucket. */
  readonly windowMilliseconds: number;
  /** Refill of the shared bucket, per window. */
  readonly limit: number;
  /** What the shared bucket holds. */
  readonly burst: number;
}

/** Largest part of what remains for all that one process may pass unreported: a quota that is running out is not promised to many at once. */
const LARGEST_PART_OF_REMAINING = 1 / 4;
/** Part of a lease that is still there when Redis is notified, for requests until it replies. */
const RESERVE = 1 / 4;

/**
 * What one process may pass of one key without notifying Redis: a small bucket of its own beside the shared one, with `allowance` tokens and a
 * refill of as many per window. A key that is used little lives on it. Of one that is used more, Redis is notified of what was
 * passed, which the shared bucket pays, and the tokens come back here.
 *
 * Unpublished requests are counted in units, as in the token bucket: one is `windowMilliseconds` units, and `allowance` units are forgiven each millisecond.
 */
export class Lease {
  readonly #terms: LeaseTerms;
  /** Requests that may be unpublished now: the allowance, or less when little remains for all. */
  #granted: number;
  /** Units of requests that passed, that Redis was not notified of, and that are not forgiven yet. */
  #unpublished = 0;
  /** Requests that Redis is being notified of. */
  #publishing = 0;
  /** When {@link #unpublished} was last brought up to date. */
  #updatedAt: number;
  /** Requests that remained for all processes when Redis last replied, at {@link #respondedAt}. */
  #remaining: number;
  #respondedAt: number;
  #refusedUntil = Number.NEGATIVE_INFINITY;

  /** A lease on a key of which nothing is known. Times here and below are whole milliseconds on the process's clock. */
  constructor(terms: LeaseTerms, now: number) {
    this.#terms = terms;
    this.#granted = terms.allowance;
    this.#remaining = terms.burst;
    this.#updatedAt = now;
    this.#respondedAt = now;
  }

  /** Whether so little is left that Redis should be notified, and is not being notified already. */
  get runsLow(): boolean {
    if (this.#publishing > 0) return false;
    const left = Math.floor(this.#granted - this.#unknown());
    return left <= Math.floor(this.#granted * RESERVE);
  }

  /** How much longer everything is refused, in milliseconds; 0 when it is not. */
  refusedFor(now: number): number {
    return Math.max(0, this.#refusedUntil - now);
  }

  /** Passes one request, or returns `undefined` when Redis must be asked first. */
  spend(now: number): RateLimitOutcome | undefined {
    this.#refund(now);
    if (this.#unknown() + 1 > this.#granted) return undefined;
    this.#unpublished += this.#terms.windowMilliseconds;
    return { allowed: true, retryAfterMilliseconds: 0, ...this.#estimate(now) };
  }

  /**
   * Requests to publish: all that are not forgiven as a whole, so never more than passed. To be followed by {@link published} or {@link notPublished}.
   */
  publish(now: number): number {
    this.#refund(now);
    const requests = Math.ceil(this.#unpublished / this.#terms.windowMilliseconds);
    this.#unpublished = 0;
    this.#publishing += requests;
    return requests;
  }

  /** Redis, asked at `askedAt`, has taken `requests` and returned what remains. */
  published(requests: number, askedAt: number, response: RateLimitOutcome): void {
    this.#publishing -= requests;
    this.#remaining = response.remaining;
    this.#respondedAt = askedAt;
    const part = Math.ceil(response.remaining * LARGEST_PART_OF_REMAINING);
    this.#granted = Math.min(this.#terms.allowance, part);
    if (response.remaining === 0) this.#refusedUntil = askedAt + response.resetMilliseconds;
  }

  /** Redis could not be notified of `requests`. */
  notPublished(requests: number): void {
    this.#publishing -= requests;
    this.#unpublished += requests * this.#terms.windowMilliseconds;
  }

  #unknown(): number {
    return this.#unpublished / this.#terms.windowMilliseconds + this.#publishing;
  }

  #refund(now: number): void {
    const refunded = Math.max(0, now - this.#updatedAt) * this.#terms.allowance;
    this.#unpublished = Math.max(0, this.#unpublished - refunded);
    this.#updatedAt = now;
  }

  /** The estimate for a client: what remained, with the refill since, if nobody else sends requests of the key. */
  #estimate(now: number): Pick<RateLimitOutcome, 'remaining' | 'resetMilliseconds'> {
    const { limit, burst, windowMilliseconds } = this.#terms;
    const refill = Math.floor(((now - this.#respondedAt) * limit) / windowMilliseconds);
    const shared = Math.min(burst, this.#remaining + Math.max(0, refill));
    return {
      remaining: Math.max(0, shared - Math.ceil(this.#unknown())),
      resetMilliseconds: Math.ceil(windowMilliseconds / limit),
    };
  }
}

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
  /** Leases that Redis is to be notified of once the requests of the tick have responses; a key may come several times. */
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
  async #publish(key: string, lease: Lease, asking: 0 | 1): Promise<RateLimitOutcome | undefined> {
    const askedAt = this.#clock();
    const spent = lease.publish(askedAt);
    try {
      const redisKey = this.#state.keyFormat(this.#space, key);
      const reply = await this.#script.run(redisKey, [...this.#bucketArguments, spent, asking]);
      const outcome = parseOutcome(reply);
      lease.published(spent, askedAt, outcome);
      return outcome;
    } catch (error) {
      lease.notPublished(spent);
      this.#state.health.failed(error);
      return undefined;
    }
  }
}
