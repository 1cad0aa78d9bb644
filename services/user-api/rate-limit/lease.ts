import type { Outcome } from './decision.ts';

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
  spend(now: number): Outcome | undefined {
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
  published(requests: number, askedAt: number, response: Outcome): void {
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
  #estimate(now: number): Pick<Outcome, 'remaining' | 'resetMilliseconds'> {
    const { limit, burst, windowMilliseconds } = this.#terms;
    const refill = Math.floor(((now - this.#respondedAt) * limit) / windowMilliseconds);
    const shared = Math.min(burst, this.#remaining + Math.max(0, refill));
    return {
      remaining: Math.max(0, shared - Math.ceil(this.#unknown())),
      resetMilliseconds: Math.ceil(windowMilliseconds / limit),
    };
  }
}
