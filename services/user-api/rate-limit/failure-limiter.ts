import {
  DecisionCounter,
  headersFor,
  type RateLimitDecision,
  RateLimitExceeded,
  type RateLimitHeaders,
} from './decision.ts';
import { MAXIMUM_KEYS } from './in-process-limiter.ts';
import type { FixedWindowPolicy } from './policy.ts';
import { RecentMap } from './recent-map.ts';

/** An attempt that may go on. It counts as failed unless it is withdrawn. */
export interface Attempt {
  /** Takes it off the count: it has succeeded, or nobody knows. To be called once at most. */
  withdraw(): void;
}

export interface FailureLimiterOptions {
  readonly policy: FixedWindowPolicy;
  /** Most keys held in this process. @default {@link MAXIMUM_KEYS} */
  readonly maximumKeys?: number;
  /** Milliseconds on a clock that never goes back. @default `performance.now` */
  readonly clock?: () => number;
}

/** Failures of one key in the window that began at `start`. */
interface Failures {
  start: number;
  count: number;
}

/**
 * Limits how often something may fail in a fixed window, in this process alone: for work that costs the same whether it succeeds or not,
 * where successful attempts must not be held up. An attempt counts from its beginning, so that many at once are bounded as well.
 */
export class FailureLimiter {
  readonly policy: FixedWindowPolicy;
  readonly #counter = new DecisionCounter();
  readonly #failures: RecentMap<Failures>;
  readonly #clock: () => number;
  readonly #headers: (decision: RateLimitDecision) => RateLimitHeaders;

  constructor(options: FailureLimiterOptions) {
    this.policy = options.policy;
    this.#failures = new RecentMap(options.maximumKeys ?? MAXIMUM_KEYS);
    this.#clock = options.clock ?? (() => performance.now());
    this.#headers = headersFor(options.policy);
  }

  /** Attempts that went on, and that were refused. */
  get counts() {
    return this.#counter.counts;
  }

  /** @throws {@link RateLimitExceeded} when the key has as many failures, and attempts in flight, as it may. */
  attempt(key: string): Attempt {
    const { limit } = this.policy;
    const window = 1_000 * this.policy.windowSeconds;
    const now = Math.floor(this.#clock());
    let failures = this.#failures.get(key);
    if (failures === undefined || now - failures.start >= window) {
      failures = { start: now, count: 0 };
      this.#failures.set(key, failures);
    }
    const current = failures;
    const allowed = current.count < limit;
    if (allowed) current.count += 1;
    const resetMilliseconds = current.start + window - now;
    const decision = this.#counter.decision(this.policy, 'in-process', {
      allowed,
      remaining: limit - current.count,
      resetMilliseconds,
      retryAfterMilliseconds: allowed ? 0 : resetMilliseconds,
    });
    if (!allowed) throw new RateLimitExceeded(decision, this.#headers(decision));
    return {
      withdraw: () => {
        current.count -= 1;
      },
    };
  }
}
