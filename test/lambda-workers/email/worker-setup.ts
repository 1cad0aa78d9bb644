import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Context, SQSBatchResponse, SQSEvent } from 'aws-lambda';
import PostalMime, { type Email } from 'postal-mime';
import postgres, { type Sql } from 'postgres';
import { afterAll, beforeAll, beforeEach } from 'vitest';
import { Database } from '../../../lambda-workers/database/database.ts';
import { createLookups, type Lookups } from '../../../lambda-workers/email/lookups.ts';
import { createFolderMailer } from '../../../lambda-workers/email/mailer/folder.ts';
import type { Mailer } from '../../../lambda-workers/email/mailer/mailer.ts';
import { createPasswordResets } from '../../../lambda-workers/email/password-resets.ts';
import { createEmailWorker } from '../../../lambda-workers/email/worker.ts';
import { PostgresPersistenceLayer } from '../../../lambda-workers/idempotency/postgres-persistence-layer.ts';
import { createLogger } from '../../../lambda-workers/observability/logger.ts';
import type { Tracer } from '../../../services/contracts/tracing/span.ts';
import { createMigratedDatabase, type TestDatabase } from '../../support/database.ts';
import { lambdaContext } from '../support/events.ts';

/** Where links to a new password lead. */
export const PASSWORD_RESET_URL = 'https://www.headroom.example/reset-password';

export interface WorkerSetup {
  /** The database, as its owner. */
  readonly sql: Sql;
  readonly databaseUrl: string;
  readonly mailboxDirectory: string;
  readonly mailer: Mailer;
  /** All that has been logged. */
  log(): string;
  /** The latest line with this message, parsed. */
  logged(message: string): Readonly<Record<string, unknown>> | undefined;
  insertUser(name: string, email: string): Promise<number>;
  /** Responses in the idempotency records. */
  outcomes(): Promise<unknown[]>;
  /** Emails in the mailbox, parsed. */
  emails(): Promise<Email[]>;
  /** A worker with its own connection; `mailer` overrides the mailbox, and `lookups` the database. */
  createWorker(options?: {
    mailer?: Partial<Mailer>;
    databaseUrl?: string;
    tracer?: Tracer;
    lookups?: Lookups;
  }): (event: SQSEvent, context?: Context) => Promise<SQSBatchResponse>;
  close(): Promise<void>;
}

/**
 * A migrated database and a mailbox folder, for one suite.
 *
 * @param given - @default a new database on the shared server
 */
export async function setUpWorker(
  given?: Pick<TestDatabase, 'drop' | 'writerUrl'>,
): Promise<WorkerSetup> {
  const database = given ?? (await createMigratedDatabase());
  const mailboxDirectory = mkdtempSync(join(tmpdir(), 'headroom-email-worker-'));
  const sql = postgres(database.writerUrl, { max: 2, onnotice: () => {} });
  const databases: Database[] = [];
  const lines: string[] = [];
  const mailer = createFolderMailer(mailboxDirectory, 'Headroom <no-reply@headroom.example>');
  return {
    sql,
    databaseUrl: database.writerUrl,
    mailboxDirectory,
    mailer,
    log: () => lines.join(''),
    logged: (message) =>
      lines.map((line) => JSON.parse(line)).findLast((line) => line.message === message),
    async insertUser(name, email) {
      const [row] =
        await sql`insert into users (name, email) values (${name}, ${email}) returning id`;
      return Number(row?.id);
    },
    async outcomes() {
      const rows = await sql`
        select response_data from idempotency_records where response_data is not null`;
      return rows.map(({ response_data }) => response_data);
    },
    async emails() {
      const files = readdirSync(mailboxDirectory).sort();
      return await Promise.all(
        files.map((file) => PostalMime.parse(readFileSync(join(mailboxDirectory, file)))),
      );
    },
    createWorker(options = {}) {
      const settings = {
        DATABASE_URL: options.databaseUrl ?? database.writerUrl,
        DATABASE_AUTHENTICATION: 'password',
        DATABASE_TLS: 'disable',
        AWS_REGION: 'us-east-1',
        DATABASE_STATEMENT_TIMEOUT_MILLISECONDS: 5_000,
      } as const;
      const connection = new Database(settings, 'test', () => {});
      databases.push(connection);
      const worker = createEmailWorker({
        ...createLookups(connection),
        passwordResets: createPasswordResets(connection, PASSWORD_RESET_URL),
        ...options.lookups,
        mailer: { ...mailer, ...options.mailer },
        ...(options.tracer && { tracer: options.tracer }),
        idempotency: new PostgresPersistenceLayer(connection, 'email-worker'),
        logger: createLogger({ LOG_LEVEL: 'trace', STAGE: 'test' }, 'email-worker', {
          write: (line) => void lines.push(line),
        }),
      });
      return (event, context = lambdaContext()) => worker(event, context);
    },
    async close() {
      await Promise.all([...databases.map((each) => each.close()), sql.end({ timeout: 1 })]);
      await database.drop();
      rmSync(mailboxDirectory, { recursive: true, force: true });
    },
  };
}

/** A setup for all tests of a suite; each starts without users, records and emails. */
export function useWorker(): () => WorkerSetup {
  let setup: WorkerSetup | undefined;
  const current = () => {
    if (setup === undefined)
      throw new Error('The setup of a suite is there in hooks and tests only');
    return setup;
  };
  beforeAll(async () => {
    setup = await setUpWorker();
  });
  afterAll(() => setup?.close());
  beforeEach(async () => {
    const { mailboxDirectory, sql } = current();
    for (const file of readdirSync(mailboxDirectory)) rmSync(join(mailboxDirectory, file));
    await sql`truncate users, idempotency_records cascade`;
  });
  return current;
}
