import type { Sql } from 'postgres';
import { exponentialDelay } from '../../contracts/backoff.ts';
import { currentScope, type Scope } from '../../contracts/changes/change-scope.ts';
import { ConcurrencyLimiter, NoSlot } from '../../contracts/concurrency/concurrency-limiter.ts';
import type { Logger } from '../observability/logger.ts';
import {
  classifyReadFailure,
  DatabaseBusy,
  DatabaseUnavailable,
  isServerFault,
  type Outcome,
  outcomeOf,
} from './errors.ts';
import type { DatabasePool } from './pool.ts';

/** One statement, or one transaction, on the chosen server; it begins before anything is awaited. */
export type Query<Result> = (sql: Sql) => Promise<Result>;

export interface RouterPools {
  readonly writer: DatabasePool;
  readonly readers: readonly DatabasePool[];
}

export interface RouterOptions {
  /** How long a reader is skipped after its first failure; twice as long after each further one. @default 1000 */
  readonly firstSkipMilliseconds?: number;
  /** Longest that a reader is skipped. @default 30000 */
  readonly longestSkipMilliseconds?: number;
}

const FIRST_SKIP_MILLISECONDS = 1_000;
const LONGEST_SKIP_MILLISECONDS = 30_000;
/**
 * Most reads that wait for the writer while no reader is available, and their longest wait: room for the reads in flight on a reader that
 * freezes, which go to the writer all at once.
 */
const WRITER_READS_WAITING_MAXIMUM = 1_000;
const WRITER_READ_WAIT_MILLISECONDS = 3_000;
/** After the skip, one read tries the reader; the others skip it for so long. */
const TRIAL_MILLISECONDS = 5_000;

interface Reader {
  readonly pool: DatabasePool;
  failures: number;
  /** Whether one read is trying it (half-open). */
  onTrial: boolean;
  /** When it may be tried again, in milliseconds of `performance.now()`. */
  skippedUntil: number;
}

/**
 * The one path to the database.
 *
 * Reads go to the readers round robin. A reader that fails is skipped for a while, a stalled one until it responds; the read goes to the next
 * one, and to the writer last. There such reads take half of the connections at most and queue, so that losing all readers does not overload
 * the writer.
 */
export class DatabaseRouter {
  readonly #writer: DatabasePool;
  readonly #readers: readonly Reader[];
  readonly #logger: Logger;
  readonly #firstSkip: number;
  readonly #longestSkip: number;
  readonly #writerReads: ConcurrencyLimiter;
  #next = 0;

  constructor({ writer, readers }: RouterPools, logger: Logger, options: RouterOptions = {}) {
    this.#writer = writer;
    this.#readers = readers.map((pool) => ({ pool, failures: 0, onTrial: false, skippedUntil: 0 }));
    this.#writerReads = new ConcurrencyLimiter({
      concurrency: Math.ceil(writer.size / 2),
      maximumWaiting: WRITER_READS_WAITING_MAXIMUM,
      maximumWaitMilliseconds: WRITER_READ_WAIT_MILLISECONDS,
    });
    this.#logger = logger;
    this.#firstSkip = options.firstSkipMilliseconds ?? FIRST_SKIP_MILLISECONDS;
    this.#longestSkip = options.longestSkipMilliseconds ?? LONGEST_SKIP_MILLISECONDS;
  }

  /** The writer's pool, and those of the readers. */
  get pools(): readonly DatabasePool[] {
    return [this.#writer, ...this.#readers.map(({ pool }) => pool)];
  }

  /** Whether reads may lag behind writes. */
  get hasReaders(): boolean {
    return this.#readers.length > 0;
  }

  /**
   * Runs a query that changes something. When its scope ends, it is not sent any more, or is cancelled.
   *
   * @param scope - @default the request that the running code is part of
   * @throws {@link DatabaseUnavailable}, whose `outcome` says whether the change may have been applied; {@link DatabaseBusy}, `ScopeEnded`: it was
   * not.
   */
  async write<Result>(
    query: Query<Result>,
    scope: Scope | undefined = currentScope(),
  ): Promise<Result> {
    try {
      return await this.#writer.run(query, scope);
    } catch (error) {
      throw isServerFault(error) ? unavailable('The writer', error, outcomeOf(error)) : error;
    }
  }

  /**
   * Runs a read that must see the newest commit, on the writer.
   *
   * @throws {@link DatabaseUnavailable} when the writer does not respond.
   */
  async readNewest<Result>(query: Query<Result>): Promise<Result> {
    try {
      return await this.#writer.run(query);
    } catch (error) {
      throw isServerFault(error) ? unavailable('The writer', error) : error;
    }
  }

  /**
   * Runs a read that may lag a little behind.
   *
   * @throws {@link DatabaseUnavailable} when no server responds.
   */
  async read<Result>(query: Query<Result>): Promise<Result> {
    let failure: unknown;
    for (let tried = 0; tried < this.#readers.length; tried += 1) {
      const reader = this.#nextReader();
      if (reader === undefined) break;
      try {
        const result = await reader.pool.run(query);
        this.#responded(reader);
        return result;
      } catch (error) {
        const kind = classifyReadFailure(error);
        if (kind === 'statement')
          throw isServerFault(error) ? unavailable('A reader', error) : error;
        if (kind === 'server') this.#skip(reader, error);
        failure = error;
      }
    }
    return await this.#readOnWriter(query, failure);
  }

  /** Checks each server, the skipped ones too. */
  async check(): Promise<ReadonlyMap<string, boolean>> {
    const states = await Promise.all(
      this.pools.map(async (pool) => {
        const responded = pool.run((sql) => sql`select 1`);
        return [
          pool.name,
          await responded.then(
            () => true,
            // A pool that is only busy responds to others.
            (error: unknown) => error instanceof NoSlot && !pool.isStalled,
          ),
        ] as const;
      }),
    );
    return new Map(states);
  }

  async close(): Promise<void> {
    await Promise.all(this.pools.map((pool) => pool.close()));
  }

  #nextReader(): Reader | undefined {
    const now = performance.now();
    for (let step = 0; step < this.#readers.length; step += 1) {
      const reader = this.#readers[this.#next];
      this.#next = (this.#next + 1) % this.#readers.length;
      if (reader === undefined || now < reader.skippedUntil) continue;
      if (reader.pool.isStalled) {
        reader.pool.refuseWaiting();
        continue;
      }
      if (reader.failures > 0) {
        reader.onTrial = true;
        reader.skippedUntil = now + TRIAL_MILLISECONDS;
      }
      return reader;
    }
    return undefined;
  }

  #responded(reader: Reader): void {
    if (reader.failures === 0) return;
    reader.failures = 0;
    reader.onTrial = false;
    reader.skippedUntil = 0;
    this.#logger.info({ pool: reader.pool.name }, 'Reader available again');
  }

  #skip(reader: Reader, error: unknown): void {
    const now = performance.now();
    // Reads in flight fail together, and count as one failure.
    if (now < reader.skippedUntil && !reader.onTrial) return;
    reader.onTrial = false;
    reader.failures += 1;
    const wait = exponentialDelay(reader.failures, this.#firstSkip, this.#longestSkip);
    reader.skippedUntil = now + wait;
    reader.pool.refuseWaiting();
    this.#logger.warn({ pool: reader.pool.name, skipMilliseconds: wait, error }, 'Reader skipped');
  }

  async #readOnWriter<Result>(query: Query<Result>, failure: unknown): Promise<Result> {
    if (!this.hasReaders) return await this.readNewest(query);
    try {
      return await this.#writerReads.run(() => this.readNewest(query));
    } catch (error) {
      if (!(error instanceof NoSlot)) throw error;
      throw new DatabaseBusy('No reader is available, and the writer has its maximum of reads', {
        cause: failure ?? error,
        outcome: 'not applied',
      });
    }
  }
}

function unavailable(
  server: string,
  cause: unknown,
  outcome: Outcome = 'not applied',
): DatabaseUnavailable {
  return cause instanceof NoSlot
    ? new DatabaseBusy(`${server}: too many statements wait`, { cause, outcome })
    : new DatabaseUnavailable(`${server}: not available`, { cause, outcome });
}
