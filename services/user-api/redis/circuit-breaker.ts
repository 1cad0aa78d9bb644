export interface CircuitBreakerOptions {
  /** Failures in a row that open it. */
  readonly failures: number;
  /** How long it stays open before one caller may try, in milliseconds. */
  readonly openMilliseconds: number;
}

/**
 * Spares callers the wait for something that keeps failing: after a number of failures in a row it says no for a while, then lets
 * one caller try, and all of them once that one succeeds.
 */
export class CircuitBreaker {
  readonly #options: CircuitBreakerOptions;
  #failures = 0;
  #openUntil = 0;

  constructor(options: CircuitBreakerOptions) {
    this.#options = options;
  }

  /** Whether to try now. A caller that gets true tells how it went, with `succeeded` or `failed`. */
  allows(): boolean {
    if (this.#failures < this.#options.failures) return true;
    const now = performance.now();
    if (now < this.#openUntil) return false;
    this.#openUntil = now + this.#options.openMilliseconds;
    return true;
  }

  succeeded(): void {
    this.#failures = 0;
  }

  failed(): void {
    this.#failures += 1;
    this.#openUntil = performance.now() + this.#options.openMilliseconds;
  }
}
