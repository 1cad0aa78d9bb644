import { setTimeout as wait } from 'node:timers/promises';
import postgres, { type Sql, type TransactionSql } from 'postgres';
import type { DatabaseConnectionOptions } from '../../contracts/database/connection-options.ts';
import { findMigrationsDirectory, listMigrations, type Migration } from './migrations.ts';
import { grantRoles, programRoles } from './roles.ts';

/** The key of the advisory lock, the same for every program that migrates this database: the letters 'headroom'. */
const MIGRATION_LOCK = 0x68656164726f6f6dn;
/** How long to wait for another run: longer than one statement may take. */
const MIGRATION_LOCK_WAIT_MILLISECONDS = 11 * 60_000;
const MIGRATION_LOCK_POLL_MILLISECONDS = 200;
/** A statement that waits for a table lock blocks all traffic behind it: it fails, and the migration runs again. */
const TABLE_LOCK_WAIT = '5s';
/** Time to build an index over a large table, within the 15 minutes of a Lambda function. */
const STATEMENT_LIMIT = '10min';
const CONNECT_TIMEOUT_SECONDS = 10;

export interface MigrateOptions {
  /** Login and encryption. @default those of the URL */
  readonly connection?: DatabaseConnectionOptions;
  /** Folder of the SQL files. @default `migrations/` beside this file, or beside the bundle it is part of */
  readonly migrationsDirectory?: string;
  /** Called with the progress, in sentences. @default none */
  readonly onProgress?: (message: string) => void;
}

export interface MigrateResult {
  /** Names of the migrations that this run applied, in order. */
  readonly applied: readonly string[];
  /** Whether the roles of the programs exist with their grants; false when this user may not create them. */
  readonly rolesGranted: boolean;
}

/** Another run holds the lock. This one has applied nothing. */
export class MigrationsInProgress extends Error {
  override readonly name = 'MigrationsInProgress';
}

/**
 * Polls rather than waits inside PostgreSQL: a waiting statement holds a snapshot, for whose end `create index concurrently` of the other run would
 * wait: a deadlock.
 */
async function takeLock(client: Sql): Promise<void> {
  const giveUpAt = performance.now() + MIGRATION_LOCK_WAIT_MILLISECONDS;
  while (performance.now() < giveUpAt) {
    const [lock] = await client<{ taken: boolean }[]>`
      select pg_try_advisory_lock(${MIGRATION_LOCK.toString()}::bigint) as taken
    `;
    if (lock?.taken === true) return;
    await wait(MIGRATION_LOCK_POLL_MILLISECONDS);
  }
  throw new MigrationsInProgress(
    `Another run has been migrating this database for ${MIGRATION_LOCK_WAIT_MILLISECONDS / 60_000} minutes. Wait until it ends, or terminate its connection (application_name headroom-migrate), and run this again.`,
  );
}

/** In the table of drizzle-orm's own migrator, so that its tools see what has been applied. */
async function lastAppliedTime(client: Sql): Promise<number> {
  await client.unsafe(`
    create schema if not exists drizzle;
    create table if not exists drizzle.__drizzle_migrations (id serial primary key, hash text not null, created_at bigint)
  `);
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
  for (const group of groupsOf(pending)) {
    const [first] = group;
    if (first?.inTransaction === false) await applyOutsideTransaction(client, first);
    else await applyInTransaction(client, group);
  }
  return pending;
}

/** Adjacent migrations that run in a transaction form one group; each of the others is a group of its own. */
function groupsOf(pending: readonly Migration[]): Migration[][] {
  const groups: Migration[][] = [];
  for (const migration of pending) {
    const last = groups.at(-1);
    if (migration.inTransaction && last?.[0]?.inTransaction === true) last.push(migration);
    else groups.push([migration]);
  }
  return groups;
}

const record = (client: Sql | TransactionSql, { hash, time }: Migration) => client`
  insert into drizzle.__drizzle_migrations (hash, created_at) values (${hash}, ${time})
`;

async function applyInTransaction(client: Sql, migrations: readonly Migration[]): Promise<void> {
  await client.unsafe(
    `set lock_timeout = '${TABLE_LOCK_WAIT}'; set statement_timeout = '${STATEMENT_LIMIT}'`,
  );
  await client.begin(async (transaction) => {
    for (const migration of migrations) {
      for (const statement of migration.statements) await transaction.unsafe(statement);
      await record(transaction, migration);
    }
  });
}

/** Takes no lock that blocks writes, but waits for all transactions that began before it, so without a lock timeout. */
async function applyOutsideTransaction(client: Sql, migration: Migration): Promise<void> {
  await client.unsafe(`set lock_timeout = 0; set statement_timeout = '${STATEMENT_LIMIT}'`);
  for (const statement of migration.statements) await client.unsafe(statement);
  await record(client, migration);
}

/**
 * Applies the pending migrations in order: adjacent ones in one transaction, but for those marked to run outside one; then grants the roles of the
 * programs. Concurrent runs wait for each other on an advisory lock, which ends with its connection.
 *
 * @param databaseUrl - the writer, logged in as the owner of the tables.
 * @throws `PostgresError` or a connection error: the transaction of the failed migration is rolled back, and another run continues from there.
 * `UnsafeMigration`, {@link MigrationsInProgress}: nothing has been applied.
 */
export async function migrate(
  databaseUrl: string,
  options: MigrateOptions = {},
): Promise<MigrateResult> {
  const report = options.onProgress ?? (() => {});
  const directory = options.migrationsDirectory ?? findMigrationsDirectory();
  const client = postgres(databaseUrl, {
    ...options.connection,
    // One connection, which never expires: the lock lives in its session.
    max: 1,
    idle_timeout: 0,
    max_lifetime: null,
    connect_timeout: CONNECT_TIMEOUT_SECONDS,
    connection: { application_name: 'headroom-migrate' },
    onnotice: () => {},
  });
  try {
    await takeLock(client);
    const applied = await applyPending(client, directory, report);
    const rolesGranted = await grantRoles(client);
    if (!rolesGranted) {
      report(
        `Of the roles ${programRoles.join(', ')} some are missing, and this user may not create them; the programs must log in as the owner.`,
      );
    }
    return { applied: applied.map((migration) => migration.name), rolesGranted };
  } finally {
    await client.end({ timeout: 1 });
  }
}
