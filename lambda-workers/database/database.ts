import postgres, { type ISql, type Sql } from 'postgres';
import { withDeadline } from '../../services/contracts/concurrency/deadline.ts';
import {
  type DatabaseConnectionSettings,
  databaseConnectionOptions,
  type PasswordFailureListener,
} from '../../services/contracts/database/connection-options.ts';
import { DatabaseTimeout, isConnectionLost } from '../../services/contracts/database/errors.ts';
import { describingStatements } from '../../services/contracts/tracing/statement.ts';
import { traced } from '../../services/contracts/tracing/trace-context.ts';

/** The variables of a {@link Database}, as `readEnvironment` parses them. */
export interface DatabaseSettings extends DatabaseConnectionSettings {
  readonly DATABASE_URL: string;
  readonly DATABASE_STATEMENT_TIMEOUT_MILLISECONDS: number;
}

/** Seconds to open a connection: long enough for TLS and a token; two attempts fit into a worker's timeout. */
const CONNECT_TIMEOUT_SECONDS = 3;

/** postgres.js waits up to 20 s before it connects again; the invocation does not have that long. */
const RECONNECT_DELAY_SECONDS = 0.1;

/** Seconds after which an idle connection is closed: a frozen execution environment cannot respond to keep-alives, so that it may be dead. */
const IDLE_TIMEOUT_SECONDS = 60;

/** How much longer than the server's statement timeout to wait for its response, in milliseconds: the server responds even when it cancels. */
const RESPONSE_MARGIN_MILLISECONDS = 1_000;

const SPAN_OPTIONS = { kind: 'client', attributes: { 'db.system.name': 'postgresql' } } as const;

/** A client of postgres.js, and whether its connection is open, as far as is known. */
interface Client {
  readonly sql: Sql;
  open: boolean;
}

/**
 * One connection for each execution environment, which handles one invocation at a time; the connection budget counts environments. The
 * statements of a batch share it, pipelined.
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
   * Runs `query`, and once more on a new connection when its connection is lost (after a long freeze or a failover). So it must be safe to
   * run twice.
   *
   * @throws what the query throws; {@link DatabaseTimeout} when the second attempt gets no response either.
   */
  run<Result>(query: (sql: Sql) => Promise<Result>): Promise<Result> {
    return traced('postgresql', SPAN_OPTIONS, () => this.#run(query));
  }

  async #run<Result>(query: (sql: Sql) => Promise<Result>): Promise<Result> {
    const used = this.#client;
    try {
      return await this.#attempt(used, query);
    } catch (error) {
      if (!isConnectionLost(error)) throw error;
      // Concurrent statements share the connection: only the first to fail replaces it.
      if (this.#client === used) {
        this.#client = this.#connect();
        void used.sql.end({ timeout: 0 });
      }
      return await this.#attempt(this.#client, query);
    }
  }

  /**
   * Runs a read in a transaction that also writes, so that its result comes from the current writer: a connection that outlived a failover
   * reads from the former one. For decisions to drop work because a row is absent.
   *
   * Needs `select`, `insert` and `update` on `idempotency_records`. Throws as {@link run} does.
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

  async #attempt<Result>(client: Client, query: (sql: Sql) => Promise<Result>): Promise<Result> {
    const limit =
      (client.open ? 0 : CONNECT_TIMEOUT_SECONDS * 1_000) +
      this.#settings.DATABASE_STATEMENT_TIMEOUT_MILLISECONDS +
      RESPONSE_MARGIN_MILLISECONDS;
    const result = await withDeadline(
      limit,
      () => new DatabaseTimeout(`PostgreSQL did not respond within ${limit} ms`, true),
      () => query(client.sql),
    );
    client.open = true;
    return result;
  }
}
