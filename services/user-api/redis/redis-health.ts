import { outsideTrace } from '../../contracts/tracing/trace-context.ts';
import { isReplyError } from './redis-script.ts';

/** How often a Redis that is down is probed, in milliseconds. Off every request's path, so a few times a second costs nothing. */
export const PROBE_INTERVAL_MILLISECONDS = 250;

export interface RedisHealthOptions {
  /** Asks Redis; rejects while it is down. The client's command timeout bounds it. */
  readonly probe: () => Promise<unknown>;
  /** Failures in a row after which Redis counts as down. @default 1 */
  readonly failures?: number;
  /** @default {@link PROBE_INTERVAL_MILLISECONDS} */
  readonly probeIntervalMilliseconds?: number;
  /** Called once when Redis goes down, with the last failure. @default nothing */
  readonly onDown?: (error: unknown) => void;
  /** Called once when Redis is up again. @default nothing */
  readonly onUp?: () => void;
}

/**
 * A circuit breaker: after some failures in a row no caller waits for Redis any more, until a probe off the requests' path succeeds.
 * Only failures of the connection and timeouts count: an error reply (OOM, READONLY) comes without delay, and the next command may succeed.
 */
export class RedisHealth {
  readonly #options: RedisHealthOptions;
  #isUp = true;
  #failures = 0;
  #closed = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: RedisHealthOptions) {
    this.#options = options;
  }

  /** Whether to send commands. */
  get isUp(): boolean {
    return this.#isUp;
  }

  /** To be called when a command succeeds; needed only where more than one failure is allowed. */
  succeeded(): void {
    this.#failures = 0;
  }

  /** To be called with the error of each failed command. */
  failed(error: unknown): void {
    if (isReplyError(error)) this.succeeded();
    else if (this.#isUp && !this.#closed) this.#countFailure(error);
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
  }

  #countFailure(error: unknown): void {
    this.#failures += 1;
    if (this.#failures < (this.#options.failures ?? 1)) return;
    this.#isUp = false;
    this.#options.onDown?.(error);
    this.#probeLater();
  }

  #probeLater(): void {
    const interval = this.#options.probeIntervalMilliseconds ?? PROBE_INTERVAL_MILLISECONDS;
    // Goes on long after the request that found Redis down.
    this.#timer = outsideTrace(() => setTimeout(() => void this.#probe(), interval));
    this.#timer.unref();
  }

  async #probe(): Promise<void> {
    try {
      await this.#options.probe();
    } catch {
      if (!this.#closed) this.#probeLater();
      return;
    }
    if (this.#closed) return;
    this.#isUp = true;
    this.#failures = 0;
    this.#options.onUp?.();
  }
}
