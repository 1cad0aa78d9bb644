import type { Sql } from 'postgres';
import { currentScope, type Scope } from '../../contracts/changes/change-scope.ts';
import { ConcurrencyLimiter, NoPlace } from '../../contracts/concurrency/concurrency-limiter.ts';
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

/** One statement, or one transaction, on the connections that the router chose; begun before anything is waited for. */
export type Query<Result> = (sql: Sql) => Promise<Result>;

export interface RouterPools {
  readonly writer: DatabasePool;
  readonly readers: readonly DatabasePool[];
}

export interface RouterOptions {
  /** How long a reader is left out after its first failure; twice as long after each further one. @default 1000 */
  readonly firstSkipMilliseconds?: number;
  /** Longest that a reader is left out. @default 30000 */
  readonly longestSkipMilliseconds?: number;
}

const FIRST_SKIP_MILLISECONDS = 1_000;
const LONGEST_SKIP_MILLISECONDS = 30_000;
/**
 * Reads that wait for their turn on the writer while readers are away, and how long they wait in milliseconds: room for what had been sent to a reader
 * that froze, which comes to the writer all at once.
 */
const WRITER_READS_WAITING_MAXIMUM = 1_000;
const WRITER_READ_WAIT_MILLISECONDS = 3_000;
/** When a left-out reader's time is up, one read tries it; the others go on leaving it out for this long. */
const TRIAL_MILLISECONDS = 5_000;

interface Reader {
  readonly pool: DatabasePool;
  failures: number;
  /** Whether one read is finding out if it is back. */
  onTrial: boolean;
  /** When it may be asked again, in milliseconds of `performance.now()`. */
  skippedUntil: number;
}

/**
 * The one way to the database: everything that reads or writes goes through here, so that this is the place to choose among
 * several clusters by user id when one is no longer enough.
 *
 * Reads go to the readers in turn. A reader that fails is left out for a while, one that answers nothing gets no more reads until it does, and the read
 * goes to the next one, and to the writer last. There such reads take half of the connections at most and wait for their turn, so that
 * losing all readers does not take the writer with them.
 */
export class DatabaseRouter {
  readonly #writer: DatabasePool;
  readonly #readers: readonly Reader[];
  readonly #logger: Logger;
  readonly #firstSkip: number;
  readonly #longestSkip: number;
  readonly #writerReads: ConcurrencyLimiter;
  #turn = 0;

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

  /** Whether reads may be behind writes. */
  get hasReaders(): boolean {
    return this.#readers.length > 0;
  }

  /**
   * Runs a query that changes something. With a scope, it is not sent once that has ended, and cancelled if it had been sent.
   *
   * @param scope - whom it is for. @default the request that the running code is part of
   * @throws {@link DatabaseUnavailable}, whose `outcome` says whether the change may have been made; {@link DatabaseBusy}; `ScopeEnded`: it was
   * not made.
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
   * Runs a query that changes nothing, and must see the newest, on the writer.
   *
   * @throws {@link DatabaseUnavailable} when the writer does not answer.
   */
  async readNewest<Result>(query: Query<Result>): Promise<Result> {
    try {
      return await this.#writer.run(query);
    } catch (error) {
      throw isServerFault(error) ? unavailable('The writer', error) : error;
    }
  }

  /**
   * Runs a query that changes nothing, where a result that is a little behind will do.
   *
   * @throws {@link DatabaseUnavailable} when no server could answer.
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

  /** Asks each server for a sign of life, without regard to what has been left out. */
  async check(): Promise<ReadonlyMap<string, boolean>> {
    const states = await Promise.all(
      this.pools.map(async (pool) => {
        const responded = pool.run((sql) => sql`select 1`);
        return [
          pool.name,
          await responded.then(
            () => true,
            // A pool that is only busy answers others.
            (error: unknown) => error instanceof NoPlace && !pool.isStalled,
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
      const reader = this.#readers[this.#turn];
      this.#turn = (this.#turn + 1) % this.#readers.length;
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
    this.#logger.info({ pool: reader.pool.name }, 'Reader is back');
  }

  #skip(reader: Reader, error: unknown): void {
    const now = performance.now();
    // Reads that were under way together fail together, and count as one failure.
    if (now < reader.skippedUntil && !reader.onTrial) return;
    reader.onTrial = false;
    reader.failures += 1;
    const wait = Math.min(this.#firstSkip * 2 ** (reader.failures - 1), this.#longestSkip);
    reader.skippedUntil = now + wait;
    reader.pool.refuseWaiting();
    this.#logger.warn({ pool: reader.pool.name, skipMilliseconds: wait, error }, 'Reader left out');
  }

  async #readOnWriter<Result>(query: Query<Result>, failure: unknown): Promise<Result> {
    if (!this.hasReaders) return await this.readNewest(query);
    try {
      return await this.#writerReads.run(() => this.readNewest(query));
    } catch (error) {
      if (!(error instanceof NoPlace)) throw error;
      throw new DatabaseBusy('No reader answers, and the writer has as many reads as it may', {
        cause: failure ?? error,
        outcome: 'not applied',
      });
    }
  }
}

function unavailable(
  who: string,
  cause: unknown,
  outcome: Outcome = 'not applied',
): DatabaseUnavailable {
  return cause instanceof NoPlace
    ? new DatabaseBusy(`${who}: too many statements wait`, { cause, outcome })
    : new DatabaseUnavailable(`${who}: not available`, { cause, outcome });
}
