import type { Outcome } from './decision.ts';

/** What is held of the shared quota, at most: with a quarter per process, a quota that is running out is not promised to all at once. */
const LARGEST_PART_OF_REMAINING = 1 / 4;

/**
 * What one process may pass of one key before it has told Redis. At any time at most `allowance` requests that passed are unknown
 * to Redis: `spent` ones, and those that a settlement under way carries.
 */
export class Lease {
  readonly #allowance: number;
  /** Requests that still pass without asking. */
  #available: number;
  /** Requests passed that no settlement carries yet. */
  #spent = 0;
  /** Requests passed that settlements under way carry. */
  #settling = 0;
  /** Requests that remained for all processes when Redis last told, less those passed here since. */
  #remaining: number;
  #reset = 0;
  /** Until when, in milliseconds of the process's clock, nothing passes. */
  #refusedUntil = Number.NEGATIVE_INFINITY;

  /**
   * A lease on a key of which Redis has told nothing yet.
   *
   * @param allowance most requests passed and unknown to Redis.
   * @param capacity requests that a rested key has.
   */
  constructor(allowance: number, capacity: number) {
    this.#allowance = allowance;
    this.#available = allowance;
    this.#remaining = capacity;
  }

  get spent(): number {
    return this.#spent;
  }

  /** Whether so much is spent that Redis should hear of it before the lease runs dry. */
  get runsLow(): boolean {
    return this.#available <= this.#spent;
  }

  /** How much longer everything is refused at `now`, in whole milliseconds; 0 when it is not. */
  refusedFor(now: number): number {
    return Math.max(0, Math.ceil(this.#refusedUntil - now));
  }

  /** Spends one token, or returns `undefined` when there is none and Redis must be asked. */
  spend(): Outcome | undefined {
    if (this.#available === 0) return undefined;
    this.#available -= 1;
    this.#spent += 1;
    if (this.#remaining > 0) this.#remaining -= 1;
    return {
      allowed: true,
      remaining: this.#remaining,
      resetMilliseconds: this.#reset,
      retryAfterMilliseconds: 0,
    };
  }

  /** Takes what is spent into a settlement, which must end in {@link settled} or {@link notSettled}. */
  settle(): number {
    const spent = this.#spent;
    this.#spent = 0;
    this.#settling += spent;
    return spent;
  }

  /** Redis has taken `spent` and told what is left; `askedAt` is when it was asked. */
  settled(spent: number, askedAt: number, outcome: Outcome): void {
    this.#settling -= spent;
    const unknown = this.#spent + this.#settling;
    const part = Math.ceil(outcome.remaining * LARGEST_PART_OF_REMAINING);
    this.#available = Math.max(0, Math.min(this.#allowance, part) - unknown);
    this.#remaining = Math.max(0, outcome.remaining - unknown);
    this.#reset = outcome.resetMilliseconds;
    if (outcome.remaining === 0) this.#refusedUntil = askedAt + outcome.resetMilliseconds;
  }

  /** Redis could not be told of `spent`. */
  notSettled(spent: number): void {
    this.#settling -= spent;
    this.#spent += spent;
  }
}
