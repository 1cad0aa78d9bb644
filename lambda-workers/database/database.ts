import postgres, { type ISql, type Sql } from 'postgres';
import {
  type DatabaseConnectionSettings,
  databaseConnectionOptions,
  type PasswordFailureListener,
} from '../../services/contracts/database/connection-options.ts';
import { describingStatements } from '../../services/contracts/tracing/statement.ts';
import { traced } from '../../services/contracts/tracing/trace-context.ts';

/** The variables a {@link Database} is made from, as `readEnvironment` parses them. */
export interface DatabaseSettings extends DatabaseConnectionSettings {
  readonly DATABASE_URL: string;
  readonly DATABASE_STATEMENT_TIMEOUT_MILLISECONDS: number;
}

/** Seconds to open a connection: long enough for TLS and a token, and two tries fit well into a worker's timeout. */
const CONNECT_TIMEOUT_SECONDS = 3;

/** postgres.js waits up to 20 s before it connects again; the invocation does not have that long. */
const RECONNECT_DELAY_SECONDS = 0.1;

/**
 * Seconds after which an idle connection is closed. Lambda freezes an idle execution environment, and a frozen one
 * cannot answer keep-alives: a connection that has been idle for long is better opened anew than trusted.
 */
const IDLE_TIMEOUT_SECONDS = 60;

/**
 * How much longer than the server's own statement timeout to wait for an answer, in milliseconds. The server answers
 * in time even when it cancels; silence beyond this means that the connection is dead without having been closed.
 */
const RESPONSE_MARGIN_MILLISECONDS = 1_000;

/**
 * SQLSTATEs and postgres.js and Node.js codes that mean the connection, not the statement, is at fault: also
 * `25006` (read only: the writer that we are connected to has become a reader) and `57P01` (it is shutting down).
 */
const LOST_CONNECTION_CODES: ReadonlySet<string> = new Set([
  '25006',
  '57P01',
  '57P02',
  '57P03',
  '08006',
  'CONNECTION_CLOSED',
  'CONNECTION_DESTROYED',
  'CONNECTION_ENDED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
]);

/** PostgreSQL did not answer in time, though its own statement timeout is shorter: the connection is dead. */
export class DatabaseSilentError extends Error {
  override readonly name = 'DatabaseSilentError';
}

const SPAN_OPTIONS = { kind: 'client', attributes: { 'db.system.name': 'postgresql' } } as const;

/** A client of postgres.js, and whether its connection is open, as far as we know. */
interface Client {
  readonly sql: Sql;
  open: boolean;
}

function isConnectionLost(error: unknown): boolean {
  if (error instanceof DatabaseSilentError) return true;
  return (
    error instanceof Error &&
    'code' in error &&
    typeof error.code === 'string' &&
    LOST_CONNECTION_CODES.has(error.code)
  );
}

/**
 * PostgreSQL as a Lambda worker needs it: one connection for each execution environment, because an environment
 * handles one invocation at a time and the connection budget counts environments; the statements of one batch share
 * it, pipelined.
 */
export class Database {
  readonly #settings: DatabaseSettings;
  readonly #applicationName: string;
  readonly #onPasswordFailure: PasswordFailureListener;
  #client: Client;

  /**
   * @param applicationName - shown in `pg_stat_activity`.
   * @param onPasswordFailure - called with the reason why there is no password; the query fails then, too.
   */
  constructor(
    settings: DatabaseSettings,
    applicationName: string,
    onPasswordFailure: PasswordFailureListener,
  ) {
    this.#onPasswordFailure = onPasswordFailure;
    this.#settings = settings;
    this.#applicationName = applicationName;
    this.#client = this.#connect();
  }

  /**
   * Runs `query`; when the connection turns out to be lost (thawed after long, failed over), runs it once more on a
   * new one. So `query` must be one that may run twice.
   *
   * @throws whatever the query throws; {@link DatabaseSilentError} when the second try gets no answer either.
   */
  run<Result>(query: (sql: Sql) => Promise<Result>): Promise<Result> {
    return traced('postgresql', SPAN_OPTIONS, () => this.#run(query));
  }

  async #run<Result>(query: (sql: Sql) => Promise<Result>): Promise<Result> {
    const used = this.#client;
    try {
      return await this.#responded(used, query);
    } catch (error) {
      if (!isConnectionLost(error)) throw error;
      // Statements that run side by side share the connection: only the first to fail replaces it.
      if (this.#client === used) {
        this.#client = this.#connect();
        void used.sql.end({ timeout: 0 });
      }
      return await this.#responded(this.#client, query);
    }
  }

  /**
   * Runs a read in a transaction that also writes, and believes its result only once that has committed: a connection that outlived a change
   * of the writer reads what the former writer, or a reader that is behind, had. For decisions to drop work because a row is absent.
   *
   * Needs `select`, `insert` and `update` on `idempotency_records`.
   *
   * @throws as {@link run} does.
   */
  runConfirmed<Result>(query: (sql: ISql) => Promise<Result>): Promise<Result> {
    return this.run((sql) =>
      sql.begin(async (transaction) => {
        await transaction`
          insert into idempotency_records (consumer, idempotency_key, status, expiry)
          values (${this.#applicationName}, 'confirmed-read', 'COMPLETED', 0)
          on conflict (consumer, idempotency_key) do update set expiry = excluded.expiry`;
        return await query(transaction);
      }),
    ) as Promise<Result>;
  }

  async close(): Promise<void> {
    await this.#client.sql.end({ timeout: 1 });
  }

  #connect(): Client {
    const sql = describingStatements(
      postgres(this.#settings.DATABASE_URL, {
        ...databaseConnectionOptions(
          this.#settings.DATABASE_URL,
          this.#settings,
          this.#onPasswordFailure,
        ),
        max: 1,
        backoff: () => RECONNECT_DELAY_SECONDS,
        connect_timeout: CONNECT_TIMEOUT_SECONDS,
        idle_timeout: IDLE_TIMEOUT_SECONDS,
        // No array types here: saves the query for them that every new connection would start with.
        fetch_types: false,
        onnotice: () => {},
        onclose: () => {
          client.open = false;
        },
        connection: {
          application_name: this.#applicationName,
          statement_timeout: this.#settings.DATABASE_STATEMENT_TIMEOUT_MILLISECONDS,
        },
      }),
    );
    const client: Client = { sql, open: false };
    return client;
  }

  async #responded<Result>(client: Client, query: (sql: Sql) => Promise<Result>): Promise<Result> {
    const limit =
      (client.open ? 0 : CONNECT_TIMEOUT_SECONDS * 1_000) +
      this.#settings.DATABASE_STATEMENT_TIMEOUT_MILLISECONDS +
      RESPONSE_MARGIN_MILLISECONDS;
    const { promise: silence, reject } = Promise.withResolvers<never>();
    const timer = setTimeout(() => {
      reject(new DatabaseSilentError(`PostgreSQL did not answer within ${limit} ms`));
    }, limit);
    try {
      const result = await Promise.race([query(client.sql), silence]);
      client.open = true;
      return result;
    } finally {
      clearTimeout(timer);
    }
  }
}
