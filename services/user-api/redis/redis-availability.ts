import { outsideTrace } from '../../contracts/tracing/trace-context.ts';
import { isReplyError } from './redis-script.ts';

/** How often a Redis that has failed is tried again, in milliseconds. Off every request's path, so a few times a second costs nothing. */
export const PROBE_INTERVAL_MILLISECONDS = 250;

export interface RedisAvailabilityOptions {
  /** Tries Redis; rejects while it is not there. Bounded in time by the client's command timeout. */
  readonly probe: () => Promise<unknown>;
  /** @default {@link PROBE_INTERVAL_MILLISECONDS} */
  readonly probeIntervalMilliseconds?: number;
  /** Called once when decisions pass to this process, with what failed. @default nothing */
  readonly onTakeOver?: (error: unknown) => void;
  /** Called once when Redis decides again. @default nothing */
  readonly onHandBack?: () => void;
}

/**
 * Whether Redis is asked, shared by all limiters of a process. The first command that fails or outlives its timeout turns
 * it off, so that no later request waits for a Redis that is down; a probe off the path turns it on again.
 */
export class RedisAvailability {
  readonly #options: RedisAvailabilityOptions;
  #available = true;
  #closed = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: RedisAvailabilityOptions) {
    this.#options = options;
  }

  get available(): boolean {
    return this.#available;
  }

  /**
   * To be called with what a command was rejected with. Only failures of the connection turn Redis off: an error in reply (out of
   * memory, a replica that cannot write) came without delay, and the next command may well succeed.
   */
  failed(error: unknown): void {
    if (isReplyError(error) || !this.#available || this.#closed) return;
    this.#available = false;
    this.#options.onTakeOver?.(error);
    this.#probeLater();
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
  }

  #probeLater(): void {
    const interval = this.#options.probeIntervalMilliseconds ?? PROBE_INTERVAL_MILLISECONDS;
    // Goes on long after the request that found Redis gone.
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
    this.#available = true;
    this.#options.onHandBack?.();
  }
}
