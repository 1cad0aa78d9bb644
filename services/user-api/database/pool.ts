import postgres, { type Sql } from 'postgres';
import { type Scope, ScopeEnded } from '../../contracts/changes/change-scope.ts';
import {
  ConcurrencyLimiter,
  NoSlot,
  type Slot,
} from '../../contracts/concurrency/concurrency-limiter.ts';
import type { DatabaseConnectionOptions } from '../../contracts/database/connection-options.ts';
import { DatabaseTimeout } from '../../contracts/database/errors.ts';
import type { SpanOptions } from '../../contracts/tracing/span.ts';
import { describingStatements } from '../../contracts/tracing/statement.ts';
import { traced } from '../../contracts/tracing/trace-context.ts';
import type { Logger } from '../observability/logger.ts';
import { PoolMetrics } from '../observability/metrics/counters.ts';
import { isFailover, isServerFault, outcomeOf, StatementNotSent, sqlState } from './errors.ts';
import { type SentStatements, StatementObserver } from './statements.ts';

export interface PoolSettings {
  /** The pool's name in logs and in /health, such as `writer` or `reader-1`. */
  readonly name: string;
  readonly url: string;
  /** Login and encryption, in place of those in the URL. */
  readonly connection: DatabaseConnectionOptions;
  /** Most connections. */
  readonly size: number;
  readonly statementTimeoutMilliseconds: number;
  readonly logger: Logger;
}

/** How much longer than the server's own limit to wait for its response: a round trip. */
const RESPONSE_MARGIN_MILLISECONDS = 500;
/** Longest wait for a connection: after that an early refusal is better for the caller, and a shorter queue for the others. */
const CONNECTION_WAIT_MILLISECONDS = 1_000;
/** Most statements that wait for a connection: far more than a healthy pool runs in that time. */
const WAITING_MAXIMUM = 1_000;
/** A server with statements in flight that has sent no response for so long is stalled, or runs slow statements only. */
const STALL_MILLISECONDS = 500;
const CONNECT_TIMEOUT_SECONDS = 2;
/** By default postgres.js waits up to 20 s before it reconnects, which is too long after a failover. */
const RECONNECT_DELAY_SECONDS = 0.1;
/**
 * Connections are renewed this often, so that they spread over added servers, follow DNS changes and free the memory of their sessions. Random
 * between the two, so that they are not all renewed at once.
 */
const MINIMUM_LIFETIME_SECONDS = 4 * 60;
const MAXIMUM_LIFETIME_SECONDS = 6 * 60;
/** Failures come together: the first replaces the connections, and the others were on the old ones. */
const RECYCLE_INTERVAL_MILLISECONDS = 1_000;
const CLOSE_TIMEOUT_SECONDS = 1;

/** Times stay in PostgreSQL's text form, which has microseconds; a `Date` has milliseconds. */
const textInstant = {
  to: 1184,
  from: [1082, 1114, 1184],
  serialize: (text: string) => text,
  parse: (text: string) => text,
};

function connect(settings: PoolSettings, observer: StatementObserver): Sql {
  return describingStatements(
    observer.observe(
      postgres(settings.url, {
        ...settings.connection,
        max: settings.size,
        connect_timeout: CONNECT_TIMEOUT_SECONDS,
        backoff: () => RECONNECT_DELAY_SECONDS,
        max_lifetime:
          MINIMUM_LIFETIME_SECONDS +
          Math.random() * (MAXIMUM_LIFETIME_SECONDS - MINIMUM_LIFETIME_SECONDS),
        // No array types here: saves the query for them that every new connection would start with.
        fetch_types: false,
        types: { date: textInstant },
        onnotice: () => {},
        connection: {
          application_name: 'headroom-user-api',
          statement_timeout: settings.statementTimeoutMilliseconds,
          // A transaction whose process has been stopped holds its locks no longer than a statement may.
          idle_in_transaction_session_timeout: settings.statementTimeoutMilliseconds,
        },
      }),
    ),
  );
}

/**
 * Connections to one server. Adds to postgres.js a bounded queue in front of the connections, a deadline for each query, and new connections
 * after a failover.
 *
 * postgres.js queues without bound, and sends statements whose caller has given up. So it gets no more queries at once than it has connections.
 */
export class DatabasePool {
  readonly name: string;
  readonly size: number;
  readonly metrics = new PoolMetrics();
  readonly #settings: PoolSettings;
  readonly #spanName: string;
  readonly #spanOptions: SpanOptions;
  readonly #deadlineMilliseconds: number;
  readonly #slots: ConcurrencyLimiter;
  readonly #observer = new StatementObserver();
  #client: Sql;
  #respondedAt = 0;
  /** When the server last responded, or got a query while it had none in flight. */
  #progressAt = 0;
  #recycledAt = 0;

  constructor(settings: PoolSettings) {
    this.name = settings.name;
    this.size = settings.size;
    this.#settings = settings;
    this.#deadlineMilliseconds =
      settings.statementTimeoutMilliseconds + RESPONSE_MARGIN_MILLISECONDS;
    this.#slots = new ConcurrencyLimiter({
      concurrency: settings.size,
      maximumWaiting: WAITING_MAXIMUM,
      maximumWaitMilliseconds: CONNECTION_WAIT_MILLISECONDS,
    });
    this.#client = connect(settings, this.#observer);
    this.#spanName = `postgresql ${settings.name}`;
    this.#spanOptions = {
      kind: 'client',
      attributes: { 'db.system.name': 'postgresql', 'headroom.pool': settings.name },
    };
  }

  /** Queries that wait for a connection. */
  get waiting(): number {
    return this.#slots.waiting;
  }

  /** Whether queries are in flight and the server has sent no response for half a second. */
  get isStalled(): boolean {
    return this.#slots.running > 0 && performance.now() - this.#progressAt > STALL_MILLISECONDS;
  }

  /**
   * Runs one query: one statement, or one transaction, which it begins before it first waits. `outcomeOf` its error says whether a change may
   * have been applied.
   *
   * @param scope - the request that the change is for: when it ends, the query is not sent any more, or is cancelled. @default none
   * @throws `NoSlot` when no connection was free for a second, `ScopeEnded`, `StatementNotSent` when there was no connection: the query was not sent.
   * {@link DatabaseTimeout} after the deadline, and otherwise what postgres.js throws.
   */
  run<Result>(query: (sql: Sql) => Promise<Result>, scope?: Scope): Promise<Result> {
    return traced(this.#spanName, this.#spanOptions, () => this.#run(query, scope));
  }

  async #run<Result>(
    query: (sql: Sql) => Promise<Result>,
    scope: Scope | undefined,
  ): Promise<Result> {
    const startedAt = performance.now();
    this.metrics.inProgress += 1;
    try {
      const slot = this.#slots.tryTake() ?? (await this.#slots.wait());
      return await this.#send(query, scope, slot);
    } catch (thrown) {
      const error = thrown;
      if (error instanceof NoSlot) this.metrics.refused += 1;
      else this.metrics[isServerFault(error) ? 'serverFailures' : 'statementFailures'] += 1;
      throw error;
    } finally {
      this.metrics.inProgress -= 1;
      this.metrics.durations.observe((performance.now() - startedAt) / 1_000);
    }
  }

  /** Refuses the queries that wait for a connection, so that they can be sent elsewhere. */
  refuseWaiting(): void {
    this.#slots.refuseWaiting(
      new NoSlot(`${this.name} does not respond: waiting queries are refused`),
    );
  }

  /** Waits for queries in flight, for a second at most. */
  async close(): Promise<void> {
    await this.#client.end({ timeout: CLOSE_TIMEOUT_SECONDS });
  }

  /** Runs a query in its slot, which is freed when the driver has finished the query. */
  #send<Result>(
    query: (sql: Sql) => Promise<Result>,
    scope: Scope | undefined,
    slot: Slot,
  ): Promise<Result> {
    if (scope?.isEnded === true) {
      this.#slots.free(slot);
      return Promise.reject(new ScopeEnded('The request has ended'));
    }
    const sentAt = performance.now();
    if (this.#slots.running === 1) this.#progressAt = sentAt;
    const { response, statements } = this.#observer.collect(() => query(this.#client));
    const report = scope?.sending(() => statements.cancel());
    return new Promise((resolve, reject) => {
      const fail = (error: unknown) => {
        clearTimeout(timer);
        report?.(outcomeOf(error) === 'unknown' ? 'applied or unknown' : 'not applied');
        // A pool with later responses is not dead as a whole: replacing it would only add to an overload.
        const isDead = error instanceof DatabaseTimeout && this.#respondedAt < sentAt;
        if (isDead || isFailover(error)) this.#recycle(error);
        reject(error);
      };
      let timer = setTimeout(() => {
        const { wereSent } = statements;
        const message = `${this.name} did not respond within ${this.#deadlineMilliseconds} ms`;
        const timeout = new DatabaseTimeout(message, wereSent);
        statements.cancel();
        if (!wereSent || this.#respondedAt < sentAt) fail(timeout);
        // It waited for a new connection, and runs now: the server will report its end.
        else timer = setTimeout(fail, RESPONSE_MARGIN_MILLISECONDS, timeout);
      }, this.#deadlineMilliseconds);
      response.then(
        (result) => {
          clearTimeout(timer);
          this.#responded(slot);
          report?.('applied or unknown');
          resolve(result);
        },
        (thrown: unknown) => {
          const error = thrown;
          this.#ended(error, slot);
          fail(withoutConnection(error, statements));
        },
      );
    });
  }

  #responded(slot: Slot): void {
    this.#respondedAt = performance.now();
    this.#progressAt = this.#respondedAt;
    this.#slots.free(slot);
  }

  #ended(error: unknown, slot: Slot): void {
    if (sqlState(error) === undefined) this.#slots.free(slot);
    else this.#responded(slot);
  }

  #recycle(error: unknown): void {
    const now = performance.now();
    if (this.#recycledAt > 0 && now - this.#recycledAt < RECYCLE_INTERVAL_MILLISECONDS) return;
    this.#recycledAt = now;
    this.metrics.replacements += 1;
    const old = this.#client;
    this.#client = connect(this.#settings, this.#observer);
    this.#slots.forgetRunning();
    this.#settings.logger.warn({ pool: this.name, error }, 'Database connections replaced');
    old.end({ timeout: CLOSE_TIMEOUT_SECONDS }).catch((failure: unknown) => {
      this.#settings.logger.warn({ pool: this.name, error: failure }, 'Old connections not closed');
    });
  }
}

/** `StatementNotSent` where the statement had no connection yet; an error of the server, which refuses connections too, as it is. */
function withoutConnection(error: unknown, statements: SentStatements): unknown {
  if (statements.wereSent || sqlState(error) !== undefined || !isServerFault(error)) return error;
  return new StatementNotSent('There was no connection', { cause: error });
}
