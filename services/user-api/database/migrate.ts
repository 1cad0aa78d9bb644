import { setTimeout as wait } from 'node:timers/promises';
import postgres, { type Sql, type TransactionSql } from 'postgres';
import type { DatabaseConnectionOptions } from '../../contracts/database/connection-options.ts';
import { findMigrationsDirectory, listMigrations, type Migration } from './migrations.ts';
import { API_ROLE, EMAIL_WORKER_ROLE, grantRoles } from './roles.ts';

/** Any number will do, as long as everything that migrates this database takes the same: the letters 'headroom'. */
const MIGRATION_LOCK = 0x68656164726f6f6dn;
/** How long to wait for another run to finish: longer than a statement may take, so that the second mostly sees it done. */
const MIGRATION_LOCK_WAIT_MILLISECONDS = 11 * 60_000;
const MIGRATION_LOCK_POLL_MILLISECONDS = 200;
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

/** Another run held the lock for all the time that this one waits. Nothing has been applied by this one. */
export class MigrationsInProgress extends Error {
  override readonly name = 'MigrationsUnderWay';
}

/**
 * Asks again and again rather than waiting inside PostgreSQL: a statement that waits there has a snapshot, for whose end `create index
 * concurrently` of the run that holds the lock would wait in turn, for ever.
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
    `Another run has been migrating this database for ${MIGRATION_LOCK_WAIT_MILLISECONDS / 60_000} minutes. Wait for its end, or end its connection (application_name headroom-migrate), and run this again.`,
  );
}

/** The table of drizzle-orm's own migrator, so that its tools agree about what has been applied. */
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

/** All that can be applied together, in one group; each of the others by itself. */
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

/** What is applied so stands in nobody's way, but waits for transactions that began before it, however long they take. */
async function applyOutsideTransaction(client: Sql, migration: Migration): Promise<void> {
  await client.unsafe(`set lock_timeout = 0; set statement_timeout = '${STATEMENT_LIMIT}'`);
  for (const statement of migration.statements) await client.unsafe(statement);
  await record(client, migration);
}

/**
 * Brings the database at `databaseUrl` to the newest schema: the pending migrations in one transaction, but for those marked as running outside
 * one, which are applied between those before and those after; then the roles of the programs. Several runs at once wait for each other on an
 * advisory lock, which ends with the connection that holds it.
 *
 * @param databaseUrl - the writer, logged in as the owner of the tables.
 * @throws postgres.js' `PostgresError` or a connection error: what stands in one transaction with what failed has not been applied, and running it
 * again goes on from there. `UnsafeMigration`, {@link MigrationsUnderWay}: nothing has been applied.
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
    await takeLock(client);
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
