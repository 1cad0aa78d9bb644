import { drizzle } from 'drizzle-orm/postgres-js';
import { migrate as applyMigrations } from 'drizzle-orm/postgres-js/migrator';
import postgres, { type Sql } from 'postgres';
import type { DatabaseConnectionOptions } from '../../contracts/database/connection-options.ts';
import { findMigrationsDirectory, listMigrations, type Migration } from './migrations.ts';
import { API_ROLE, EMAIL_WORKER_ROLE, grantRoles } from './roles.ts';

/** Any number will do, as long as everything that migrates this database takes the same: the letters 'headroom'. */
const MIGRATION_LOCK = 0x68656164726f6f6dn;
/** How long to wait for another run to finish: longer than a migration may take, so that the second sees it done. */
const MIGRATION_LOCK_WAIT = '11min';
/** A statement that waits longer for a table stands in the way of all traffic behind it: better to fail and try again. */
const TABLE_LOCK_WAIT = '5s';
/** Room to build an index over a large table, inside the 15 minutes that a Lambda function has. */
const STATEMENT_LIMIT = '10min';
const CONNECT_TIMEOUT_SECONDS = 10;

export interface MigrateOptions {
  /** Login and encryption, where the URL does not say them. @default what the URL says */
  readonly connection?: DatabaseConnectionOptions;
  /** Folder of the SQL files. @default `migrations/` beside this file, or beside the bundle it is part of */
  readonly migrationsDirectory?: string;
  /** Told what is being done, in sentences. @default nobody */
  readonly onProgress?: (message: string) => void;
}

export interface MigrateResult {
  /** Names of the migrations that this run applied, in order; empty when there was nothing to do. */
  readonly applied: readonly string[];
  /** Whether the roles of the programs exist and have their grants; false when this user may not create them. */
  readonly rolesGranted: boolean;
}

async function lastAppliedTime(client: Sql): Promise<number> {
  const [table] = await client`select to_regclass('drizzle.__drizzle_migrations') as name`;
  if (table?.name === null) return 0;
  const [last] = await client<{ time: string | null }[]>`
    select max(created_at) as time from drizzle.__drizzle_migrations
  `;
  return Number(last?.time ?? 0);
}

async function applyPending(
  client: Sql,
  directory: string,
  report: (message: string) => void,
): Promise<readonly Migration[]> {
  const applied = await lastAppliedTime(client);
  const pending = listMigrations(directory).filter((migration) => migration.time > applied);
  if (pending.length === 0) {
    report('The database is up to date.');
    return pending;
  }
  report(`Applying ${pending.map((migration) => migration.name).join(', ')}.`);
  await client.unsafe(
    `set lock_timeout = '${TABLE_LOCK_WAIT}'; set statement_timeout = '${STATEMENT_LIMIT}'`,
  );
  await applyMigrations(drizzle(client), { migrationsFolder: directory });
  return pending;
}

/**
 * Brings the database at `databaseUrl` to the newest schema: all pending migrations in one transaction, then the roles of the
 * programs. Several runs at once wait for each other on an advisory lock, which ends with the connection that holds it.
 *
 * @param databaseUrl - the writer, logged in as the owner of the tables.
 * @throws postgres.js' `PostgresError` or a connection error; nothing has been applied then.
 */
export async function migrate(
  databaseUrl: string,
  options: MigrateOptions = {},
): Promise<MigrateResult> {
  const report = options.onProgress ?? (() => {});
  const directory = options.migrationsDirectory ?? findMigrationsDirectory();
  const client = postgres(databaseUrl, {
    ...options.connection,
    // One connection, for as long as it takes: the lock lives in its session.
    max: 1,
    idle_timeout: 0,
    max_lifetime: null,
    connect_timeout: CONNECT_TIMEOUT_SECONDS,
    connection: { application_name: 'headroom-migrate' },
    onnotice: () => {},
  });
  try {
    await client.unsafe(`set lock_timeout = '${MIGRATION_LOCK_WAIT}'; set statement_timeout = 0`);
    await client`select pg_advisory_lock(${MIGRATION_LOCK.toString()}::bigint)`;
    const applied = await applyPending(client, directory, report);
    const rolesGranted = await grantRoles(client);
    if (!rolesGranted) {
      report(
        `The roles ${API_ROLE} and ${EMAIL_WORKER_ROLE} are missing and this user may not create them; the programs must log in as the owner.`,
      );
    }
    return { applied: applied.map((migration) => migration.name), rolesGranted };
  } finally {
    await client.end({ timeout: 1 });
  }
}
