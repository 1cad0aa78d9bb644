import { withJitter } from '../../../contracts/backoff.ts';
import type { Logger } from '../../observability/logger.ts';
import type { ApiKeyRepository } from './api-key-repository.ts';

/** Resolution of `lastUsedAt`. */
const WRITE_INTERVAL_MILLISECONDS = 30_000;
const KEYS_MAXIMUM = 10_000;

export interface ApiKeyUsesOptions {
  /** @default 30000 */
  readonly writeIntervalMilliseconds?: number | undefined;
}

/** Records which keys are used, and writes them at intervals. Not a `Batcher`, which would hold each use: here a use is one lookup in a set. */
export class ApiKeyUses {
  readonly #repository: Pick<ApiKeyRepository, 'recordUses'>;
  readonly #logger: Logger;
  readonly #interval: number;
  #used = new Set<number>();
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(
    repository: Pick<ApiKeyRepository, 'recordUses'>,
    logger: Logger,
    options: ApiKeyUsesOptions = {},
  ) {
    this.#repository = repository;
    this.#logger = logger;
    this.#interval = options.writeIntervalMilliseconds ?? WRITE_INTERVAL_MILLISECONDS;
  }

  start(): void {
    if (this.#closed) return;
    const pause = withJitter(this.#interval);
    this.#timer = setTimeout(() => void this.write().then(() => this.start()), pause).unref();
  }

  record(apiKeyId: number): void {
    if (this.#used.size < KEYS_MAXIMUM) this.#used.add(apiKeyId);
  }

  /** Never throws: a use that could not be written is lost, and the next use replaces it. */
  async write(): Promise<void> {
    if (this.#used.size === 0) return;
    const used = [...this.#used];
    this.#used = new Set();
    try {
      await this.#repository.recordUses(used);
    } catch (error) {
      this.#logger.warn({ error, keys: used.length }, 'Last uses of API keys were not stored');
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    await this.write();
  }
}
