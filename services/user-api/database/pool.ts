import type { PostgresJsDatabase } from 'drizzle-orm/postgres-js';
import { drizzle } from 'drizzle-orm/postgres-js';
import postgres, { type Sql } from 'postgres';
import type { DatabaseConnectionOptions } from '../../contracts/database/connection-options.ts';
import type { SpanOptions } from '../../contracts/tracing/span.ts';
import { describeStatement, describingStatements } from '../../contracts/tracing/statement.ts';
import { traced } from '../../contracts/tracing/trace-context.ts';
import type { Logger } from '../observability/logger.ts';
import { PoolMetrics } from '../observability/metrics/pool-metrics.ts';
import {
  DatabaseSilent,
  isFailover,
  isServerFault,
  sqlState,
  unwrapDatabaseError,
} from './errors.ts';

/** A pool's connections, as drizzle-orm queries them. */
export type Database = PostgresJsDatabase & { readonly $client: Sql };

export interface PoolSettings {
  /** What the pool is called in logs and in /health, such as `writer` or `reader-1`. */
  readonly name: string;
  readonly url: string;
  /** Login and encryption, where the URL does not say them. */
  readonly connection: DatabaseConnectionOptions;
  /** Most connections. */
  readonly size: number;
  readonly statementTimeoutMilliseconds: number;
  readonly logger: Logger;
}

/** How much longer than the server's own limit to wait for its answer: a round trip, and queueing behind others. */
const ANSWER_MARGIN_MILLISECONDS = 500;
const CONNECT_TIMEOUT_SECONDS = 2;
/** postgres.js waits up to 20 s before it opens a connection again; after a failover we want to be back at once. */
const RECONNECT_DELAY_SECONDS = 0.1;
/**
 * Connections are renewed this often, so that they spread over servers that were added, follow names that moved, and
 * never keep what one session gathers. Drawn at random between the two, so that they don't all go at once.
 */
const MINIMUM_LIFETIME_SECONDS = 4 * 60;
const MAXIMUM_LIFETIME_SECONDS = 6 * 60;
/** Failures come in crowds; the first one has the pool replaced, and the others were on the old one. */
const RECYCLE_INTERVAL_MILLISECONDS = 1_000;
const CLOSE_TIMEOUT_SECONDS = 1;

/**
 * postgres.js does not catch what a password function throws: without this, a token that cannot be made would end the
 * process. An empty password makes the login fail instead, as an error of the query that wanted the connection.
 */
function catchingPassword({ connection, logger }: PoolSettings): DatabaseConnectionOptions {
  const { password } = connection;
  if (typeof password !== 'function') return connection;
  return {
    ...connection,
    password: async () => {
      try {
        return await password();
      } catch (error) {
        logger.error({ error }, 'No password for the database could be made');
        return '';
      }
    },
  };
}

function connect(settings: PoolSettings): Database {
  const client = describingStatements(
    postgres(settings.url, {
      ...catchingPassword(settings),
      max: settings.size,
      connect_timeout: CONNECT_TIMEOUT_SECONDS,
      backoff: () => RECONNECT_DELAY_SECONDS,
      max_lifetime:
        MINIMUM_LIFETIME_SECONDS +
        Math.random() * (MAXIMUM_LIFETIME_SECONDS - MINIMUM_LIFETIME_SECONDS),
      // No array types here: saves the query for them that every new connection would start with.
      fetch_types: false,
      onnotice: () => {},
      connection: {
        application_name: 'headroom-user-api',
        statement_timeout: settings.statementTimeoutMilliseconds,
      },
    }),
  );
  // drizzle-orm calls it in any case, so that it costs nothing but the look for a span.
  return drizzle(client, { logger: { logQuery: (statement) => describeStatement(statement) } });
}

/**
 * Connections to one server. Adds to postgres.js what it does not have: a deadline for each query, for a server that has gone
 * silent, and new connections for all after a failover.
 */
export class DatabasePool {
  readonly name: string;
  readonly size: number;
  readonly metrics = new PoolMetrics();
  readonly #settings: PoolSettings;
  readonly #spanName: string;
  readonly #spanOptions: SpanOptions;
  readonly #deadlineMilliseconds: number;
  #database: Database;
  #answeredAt = 0;
  #recycledAt = 0;

  constructor(settings: PoolSettings) {
    this.name = settings.name;
    this.size = settings.size;
    this.#settings = settings;
    this.#deadlineMilliseconds = settings.statementTimeoutMilliseconds + ANSWER_MARGIN_MILLISECONDS;
    this.#database = connect(settings);
    this.#spanName = `postgresql ${settings.name}`;
    this.#spanOptions = {
      kind: 'client',
      attributes: { 'db.system.name': 'postgresql', 'headroom.pool': settings.name },
    };
  }

  /**
   * Runs one query. When it fails its outcome is unknown to the caller if the error is a {@link DatabaseSilent} or one of
   * the connection: a write may have been done.
   *
   * @throws {@link DatabaseSilent} after the deadline, and otherwise what postgres.js throws.
   */
  run<Result>(query: (database: Database) => Promise<Result>): Promise<Result> {
    return traced(this.#spanName, this.#spanOptions, () => this.#run(query));
  }

  async #run<Result>(query: (database: Database) => Promise<Result>): Promise<Result> {
    const startedAt = performance.now();
    this.metrics.inProgress += 1;
    try {
      const result = await this.#answered(query(this.#database));
      this.#answeredAt = performance.now();
      return result;
    } catch (thrown) {
      const error = unwrapDatabaseError(thrown);
      this.metrics[isServerFault(error) ? 'serverFailures' : 'statementFailures'] += 1;
      if (sqlState(error) !== undefined) this.#answeredAt = performance.now();
      // A pool that has answered others since is not silent as a whole: replacing it would only add to an overload.
      const silent = error instanceof DatabaseSilent && this.#answeredAt < startedAt;
      if (silent || isFailover(error)) this.#recycle(error);
      throw error;
    } finally {
      this.metrics.inProgress -= 1;
      this.metrics.durations.observe((performance.now() - startedAt) / 1_000);
    }
  }

  /** Waits for queries under way, for a second at most. */
  async close(): Promise<void> {
    await this.#database.$client.end({ timeout: CLOSE_TIMEOUT_SECONDS });
  }

  #answered<Result>(answer: Promise<Result>): Promise<Result> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        const message = `${this.name} did not answer within ${this.#deadlineMilliseconds} ms`;
        reject(new DatabaseSilent(message));
      }, this.#deadlineMilliseconds);
      answer.then(resolve, reject).finally(() => clearTimeout(timer));
    });
  }

  #recycle(error: unknown): void {
    const now = performance.now();
    if (this.#recycledAt > 0 && now - this.#recycledAt < RECYCLE_INTERVAL_MILLISECONDS) return;
    this.#recycledAt = now;
    this.metrics.replacements += 1;
    const old = this.#database;
    this.#database = connect(this.#settings);
    this.#settings.logger.warn({ pool: this.name, error }, 'Database connections replaced');
    old.$client.end({ timeout: CLOSE_TIMEOUT_SECONDS }).catch((failure: unknown) => {
      this.#settings.logger.warn({ pool: this.name, error: failure }, 'Old connections not closed');
    });
  }
}

/**
 * Statements that are prepared once for each pool's connections, not for each query, so that PostgreSQL parses and plans
 * them once: drizzle-orm sends every query that is not prepared by name in a way that costs two round trips.
 */
export function preparedStatements<Statements>(
  prepare: (database: Database) => Statements,
): (database: Database) => Statements {
  const prepared = new WeakMap<Database, Statements>();
  return (database) => {
    const known = prepared.get(database);
    if (known !== undefined) return known;
    const statements = prepare(database);
    prepared.set(database, statements);
    return statements;
  };
}
