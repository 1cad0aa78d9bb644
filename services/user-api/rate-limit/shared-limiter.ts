import { batched } from '../../contracts/batching/batcher.ts';
import { currentSpan } from '../../contracts/tracing/trace-context.ts';
import type { RedisHealth } from '../redis/redis-health.ts';
import { RedisScript, type ScriptClient } from '../redis/redis-script.ts';
import { parseOutcomes } from './algorithms/algorithm.ts';
import { algorithmOf } from './algorithms/select.ts';
import {
  DecisionCounter,
  type RateLimitDecision,
  type RateLimiter,
  type RateLimitOutcome,
} from './decision.ts';
import { InProcessLimiter, MAXIMUM_KEYS } from './in-process-limiter.ts';
import { type RedisKeyFormat, spaceOf } from './key.ts';
import type { RateLimitPolicy } from './policy.ts';
import { RecentMap } from './recent-map.ts';

/** Redis as limiters see it. */
export interface SharedState {
  readonly client: ScriptClient;
  readonly health: RedisHealth;
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

/** Requests that are counted at once, at most: Redis serves nobody else meanwhile. */
const REQUESTS_AT_ONCE_MAXIMUM = 100;

/**
 * Enforces a policy exactly, over all processes that share the Redis: each request is counted there, in one round trip. Requests of one key
 * that come in the same tick of the event loop are counted in one atomic step, as if each came by itself: many clients behind one address cost little more than one.
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
  readonly #takeBatched = batched<string, RateLimitOutcome>((keys) => this.#takeAll(keys), {
    maximum: REQUESTS_AT_ONCE_MAXIMUM,
    trace: 'none',
  });

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
    if (!this.#state.health.isUp) return this.#insurance.decideNow(key);
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
    try {
      // In a recorded trace the command is a span of this request alone.
      const [outcome] =
        currentSpan() === undefined ? [await this.#takeBatched(key)] : await this.#take(key, 1);
      if (outcome !== undefined) return this.#counter.decision(this.policy, 'redis', outcome);
    } catch (error) {
      this.#state.health.failed(error);
    }
    return this.#insurance.decideNow(key);
  }

  /** The outcomes of requests of these keys, each of which may be there several times, in their order; errors in place of those that Redis did not count. */
  async #takeAll(keys: readonly string[]): Promise<(RateLimitOutcome | Error)[]> {
    const outcomes: (RateLimitOutcome | Error)[] = [];
    const places = Map.groupBy(keys.keys(), (place) => keys[place] ?? '');
    await Promise.all(
      Array.from(places, async ([key, asked]) => {
        const found = await this.#take(key, asked.length).catch((error: unknown) =>
          asked.map(() => (error instanceof Error ? error : new Error(String(error)))),
        );
        for (const [index, place] of asked.entries()) {
          outcomes[place] = found[index] ?? new Error('A request has no outcome');
        }
      }),
    );
    return outcomes;
  }

  /** Has Redis count `requests` requests of `key`. @throws what the client does */
  async #take(key: string, requests: number): Promise<RateLimitOutcome[]> {
    // Taken before the command leaves, so that a refusal never outlasts the time that Redis meant.
    const askedAt = this.#clock();
    const redisKey = this.#state.keyFormat(this.#space, key);
    const reply = await this.#script.run(redisKey, [...this.#scriptArguments, requests]);
    const outcomes = parseOutcomes(reply, requests);
    const last = outcomes.at(-1);
    if (last?.allowed === false) {
      this.#refusedUntil.set(key, askedAt + last.retryAfterMilliseconds);
    }
    return outcomes;
  }
}
