import type { Algorithm, Meter } from './algorithms/algorithm.ts';
import { algorithmOf } from './algorithms/select.ts';
import { DecisionCounter, type RateLimitDecision, type RateLimiter } from './decision.ts';
import { type RateLimitPolicy, shareOf } from './policy.ts';
import { RecentMap } from './recent-map.ts';

/**
 * Most keys that one limiter keeps in this process. A key is forgotten, and begins again with its whole quota, only after half as many others
 * were used since: in a process with 5,000 requests per second, if it sends less than one in 5 seconds.
 */
export const MAXIMUM_KEYS = 50_000;

export interface InProcessLimiterOptions {
  readonly policy: RateLimitPolicy;
  /** Processes among which the limit is divided, as they cannot see one another; see {@link shareOf}. @default 1 */
  readonly expectedProcesses?: number;
  /** @default {@link MAXIMUM_KEYS} */
  readonly maximumKeys?: number;
  /** Milliseconds on a clock that never goes back. @default `performance.now` */
  readonly clock?: () => number;
  /** Where decisions are counted. @default a counter of its own */
  readonly counter?: DecisionCounter;
}

/** Enforces a policy in this process alone: without Redis, and in its place while it is down. Always decides at once. */
export class InProcessLimiter implements RateLimiter {
  readonly policy: RateLimitPolicy;
  readonly #counter: DecisionCounter;
  readonly #algorithm: Algorithm;
  readonly #meters: RecentMap<Meter>;
  readonly #clock: () => number;

  constructor(options: InProcessLimiterOptions) {
    this.policy = options.policy;
    this.#counter = options.counter ?? new DecisionCounter();
    this.#algorithm = algorithmOf(shareOf(options.policy, options.expectedProcesses ?? 1));
    this.#meters = new RecentMap(options.maximumKeys ?? MAXIMUM_KEYS);
    this.#clock = options.clock ?? (() => performance.now());
  }

  get counts() {
    return this.#counter.counts;
  }

  /** Keys held. */
  get size(): number {
    return this.#meters.size;
  }

  decideNow(key: string): RateLimitDecision {
    let meter = this.#meters.get(key);
    if (meter === undefined) {
      meter = this.#algorithm.createMeter();
      this.#meters.set(key, meter);
    }
    const outcome = meter.take(Math.floor(this.#clock()));
    return this.#counter.decision(this.policy, 'in-process', outcome);
  }

  decide(key: string): RateLimitDecision {
    return this.decideNow(key);
  }

  async close(): Promise<void> {
    // Nothing outlives the process.
  }
}
