import { outcomeOf } from './algorithms/algorithm.ts';
import { algorithmOf } from './algorithms/select.ts';
import { DecisionCounter, type RateLimitDecision, type RateLimiter } from './decision.ts';
import { InProcessLimiter, MAXIMUM_KEYS } from './in-process-limiter.ts';
import { type RedisKeyFormat, spaceOf } from './key.ts';
import type { RateLimitPolicy } from './policy.ts';
import { RecentMap } from './recent-map.ts';
import type { RedisAvailability } from './redis-availability.ts';
import { RedisScript, type ScriptClient } from './redis-script.ts';

/** Redis as limiters see it. */
export interface SharedState {
  readonly client: ScriptClient;
  readonly availability: RedisAvailability;
  readonly keyFormat: RedisKeyFormat;
}

export interface SharedLimiterOptions {
  readonly policy: RateLimitPolicy;
  readonly state: SharedState;
  /** For while Redis is down. @default 1 */
  readonly expectedProcesses?: number;
  /** @default {@link MAXIMUM_KEYS} */
  readonly maximumKeys?: number;
  /** Milliseconds on a clock that never goes back, for times in this process. @default `performance.now` */
  readonly clock?: () => number;
}

/**
 * Enforces a policy exactly, over all processes that share the Redis: each request is one atomic step there, in one round trip.
 *
 * A key that Redis has refused is refused here until the time that Redis gave, without asking: a flood from one client does not
 * reach Redis, and nobody is refused that Redis would let pass, as none of the algorithms frees a request before that time.
 */
export class SharedLimiter implements RateLimiter {
  readonly policy: RateLimitPolicy;
  readonly #state: SharedState;
  readonly #script: RedisScript;
  readonly #scriptArguments: readonly number[];
  readonly #space: string;
  readonly #clock: () => number;
  readonly #counter = new DecisionCounter();
  readonly #insurance: InProcessLimiter;
  /** Times on {@link #clock} until which a key stays refused. */
  readonly #refusedUntil: RecentMap<number>;

  constructor(options: SharedLimiterOptions) {
    const { policy, state, expectedProcesses = 1, maximumKeys = MAXIMUM_KEYS } = options;
    const algorithm = algorithmOf(policy);
    this.policy = policy;
    this.#state = state;
    this.#script = new RedisScript(state.client, algorithm.script);
    this.#scriptArguments = algorithm.scriptArguments;
    this.#space = spaceOf(policy);
    this.#clock = options.clock ?? (() => performance.now());
    this.#refusedUntil = new RecentMap(maximumKeys);
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

  decideNow(key: string): RateLimitDecision | undefined {
    if (!this.#state.availability.available) return this.#insurance.decideNow(key);
    const refusedUntil = this.#refusedUntil.get(key);
    if (refusedUntil === undefined) return undefined;
    const wait = Math.ceil(refusedUntil - this.#clock());
    if (wait <= 0) {
      this.#refusedUntil.delete(key);
      return undefined;
    }
    return this.#counter.decision(this.policy, 'remembered', {
      allowed: false,
      remaining: 0,
      resetMilliseconds: wait,
      retryAfterMilliseconds: wait,
    });
  }

  decide(key: string): RateLimitDecision | Promise<RateLimitDecision> {
    return this.decideNow(key) ?? this.#ask(key);
  }

  async close(): Promise<void> {
    // Redis knows of every request already.
  }

  async #ask(key: string): Promise<RateLimitDecision> {
    // Taken before the command leaves, so that a refusal never outlasts the time that Redis meant.
    const askedAt = this.#clock();
    try {
      const redisKey = this.#state.keyFormat(this.#space, key);
      const outcome = outcomeOf(await this.#script.run(redisKey, this.#scriptArguments));
      if (!outcome.allowed) {
        this.#refusedUntil.set(key, askedAt + outcome.retryAfterMilliseconds);
      }
      return this.#counter.decision(this.policy, 'redis', outcome);
    } catch (error) {
      this.#state.availability.failed(error);
      return this.#insurance.decideNow(key);
    }
  }
}
