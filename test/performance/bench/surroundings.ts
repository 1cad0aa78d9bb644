import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { PurgeQueueCommand, SQSClient } from '@aws-sdk/client-sqs';
import postgres from 'postgres';
import { workers } from '../../../lib/config/workers.ts';
import { LocalFailure } from '../../../services/local/local-failure.ts';
import { startPostgres } from '../../../services/local/postgres/postgres.ts';
import type { Guardian } from '../../../services/local/process/guardian.ts';
import { systemEnvironment } from '../../../services/local/process/program-environment.ts';
import { redisInstallLine } from '../../../services/local/redis/install-hint.ts';
import { startRedis } from '../../../services/local/redis/redis.ts';
import { startSqs } from '../../../services/local/sqs/sqs.ts';
import { DEMO_USER_COUNT, insertDemoUsers } from '../../../services/user-api/users/demo-data.ts';
import { sourceOptions } from '../../support/node-program.ts';
import { NEW_USER_NAME } from './requests.ts';

/** Where the servers that are measured find what they talk to. */
export interface Addresses {
  readonly databaseUrl: string;
  readonly readerUrl: string;
  readonly redisUrl: string;
  readonly sqsEndpoint: string;
  readonly emailQueueUrl: string;
  readonly region: string;
}

/** What the servers that are measured talk to: PostgreSQL with a replica, Redis and SQS, on this machine. */
export interface Surroundings extends Addresses {
  /** `redis-server 7.0.15`, for the description of the machine. */
  readonly redisVersion: string;
  readonly postgresVersion: string;
  stop(): Promise<void>;
}

const runFile = promisify(execFile);
const repository = fileURLToPath(new URL('../../..', import.meta.url));
const MIGRATE = join(repository, 'services/user-api/migrate.ts');
const REPLICA_TIMEOUT_SECONDS = 60;

/** Starts everything in a temporary folder, with the tables migrated and the demo users, ids 1 to 1,000, in them. */
export async function startSurroundings(
  guardian: Guardian,
  onProgress: (message: string) => void,
): Promise<Surroundings> {
  const directory = guardian.createTemporaryDirectory('headroom-bench-');
  await using started = new AsyncDisposableStack();
  onProgress('Starting PostgreSQL with a replica, Redis and SQS');
  const server = await startPostgres({
    directory: join(directory, 'postgres'),
    database: 'headroom',
    // Waiting for the disk would say more about this machine's disk than about the servers that are compared.
    durable: false,
    guardian,
    primaryPort: 0,
    replicaPort: 0,
  });
  started.defer(() => server.stop());
  const redis = await startRedis({ directory: join(directory, 'redis'), guardian, port: 0 });
  if (redis === null) {
    throw new LocalFailure(
      'The benchmark needs a Redis, and no redis-server or valkey-server is on the PATH.',
      `Install one: ${redisInstallLine()}`,
    );
  }
  started.defer(() => redis.stop());
  const sqs = await startSqs({ queues: workers, port: 0 });
  started.defer(() => sqs.stop());
  const emailQueueUrl = sqs.queues.email?.url;
  if (emailQueueUrl === undefined) throw new Error('lib/config/workers.ts has no worker email');

  onProgress('Migrating, and inserting 1,000 users');
  await runFile(process.execPath, [...sourceOptions, MIGRATE], {
    cwd: repository,
    env: { ...systemEnvironment(), DATABASE_URL: server.primary.url },
  });
  await insertDemoUsers(server.primary.url);
  await waitForReplica(server.primary.url, server.replica.url);
  const postgresVersion = await withSql(server.primary.url, async (sql) => {
    const [row] = await sql<{ server_version: string }[]>`show server_version`;
    return row?.server_version ?? 'unknown';
  });
  const running = started.move();
  return {
    databaseUrl: server.primary.url,
    readerUrl: server.replica.url,
    redisUrl: redis.url,
    sqsEndpoint: sqs.endpoint,
    emailQueueUrl,
    region: sqs.region,
    redisVersion: `${redis.program} ${redis.version}`,
    postgresVersion,
    stop: () => running.disposeAsync(),
  };
}

/** Adds users with the ids above those of the demo users up to `last`, unless they are there. */
export async function ensureUsers(
  { databaseUrl, readerUrl }: Pick<Addresses, 'databaseUrl' | 'readerUrl'>,
  last: number,
): Promise<void> {
  await withSql(databaseUrl, async (sql) => {
    await sql`
      insert into users (id, name, email)
      overriding system value
      select id, 'User ' || id, 'bench.' || id || '@example.com'
      from generate_series(
        (select greatest(max(id), ${DEMO_USER_COUNT}) + 1 from users), ${last}::bigint
      ) as id
    `;
    await sql`select setval(pg_get_serial_sequence('users', 'id'), (select max(id) from users))`;
    // Now, so that no worker of PostgreSQL does it in the middle of a measurement.
    await sql`vacuum (analyze) users`;
  });
  await waitForReplica(databaseUrl, readerUrl);
}

/**
 * Removes the users that `newUsers` has created, and all events: each run begins with the same tables, and no server that is measured later
 * finds events in the outbox that it would have to send.
 */
export async function removeNewUsers({
  databaseUrl,
  readerUrl,
}: Pick<Addresses, 'databaseUrl' | 'readerUrl'>): Promise<void> {
  await withSql(databaseUrl, async (sql) => {
    await sql`delete from users where name = ${NEW_USER_NAME}`;
    await sql`truncate outbox`;
    await sql`vacuum (analyze) users`;
  });
  await waitForReplica(databaseUrl, readerUrl);
}

/** Drops the events that have been sent; no worker takes them here. */
export async function emptyQueue({
  sqsEndpoint,
  emailQueueUrl,
  region,
}: Pick<Addresses, 'sqsEndpoint' | 'emailQueueUrl' | 'region'>): Promise<void> {
  const client = new SQSClient({
    region,
    endpoint: sqsEndpoint,
    useQueueUrlAsEndpoint: false,
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
  });
  await client.send(new PurgeQueueCommand({ QueueUrl: emailQueueUrl }));
  client.destroy();
}

/** Waits until the replica has replayed all that the primary has written by now. */
async function waitForReplica(databaseUrl: string, readerUrl: string): Promise<void> {
  const position = await withSql(databaseUrl, async (sql) => {
    const [row] = await sql<{ lsn: string }[]>`select pg_current_wal_flush_lsn()::text as lsn`;
    return row?.lsn ?? '0/0';
  });
  await withSql(readerUrl, async (sql) => {
    const deadline = performance.now() + REPLICA_TIMEOUT_SECONDS * 1_000;
    while (performance.now() < deadline) {
      const [now] = await sql<{ reached: boolean }[]>`
        select pg_last_wal_replay_lsn() >= ${position}::pg_lsn as reached, pg_sleep(0.01)
      `;
      if (now?.reached === true) return;
    }
    throw new Error(`The replica did not reach ${position} in ${REPLICA_TIMEOUT_SECONDS} s`);
  });
}

async function withSql<Result>(
  url: string,
  action: (sql: postgres.Sql) => Promise<Result>,
): Promise<Result> {
  const sql = postgres(url, { max: 1, onnotice: () => {} });
  try {
    return await action(sql);
  } finally {
    await sql.end({ timeout: 1 });
  }
}
